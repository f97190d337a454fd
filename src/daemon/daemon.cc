#include "daemon/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "daemon/build_id.hpp"
#include "daemon/service_manager.hpp"
#include "os/resident.hpp"

namespace homeostat::daemon {
namespace {

constexpr Duration kHouse = std::chrono::seconds(1);
// The loop never sleeps longer than kHouse; a turn that comes this much later than it should means that we did not
// run, and that what the checks saw in between says nothing about the services.
constexpr Duration kGap = std::chrono::seconds(3);
constexpr Duration kShutdownLeast = std::chrono::seconds(5);

// Instances of the same name that belong to different Homeostats must not meet in one cgroup: a stop kills all of it.
std::string cgroup_name(const std::string& state_dir) {
  struct stat about{};
  if (::stat(state_dir.c_str(), &about) != 0) return "homeostat";
  return fmt::format("homeostat.{:x}.{:x}", about.st_dev, about.st_ino);
}

class Wake final : public os::Watcher {
 public:
  explicit Wake(int fd) : fd_(fd) {}
  void ready(std::uint32_t) override {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
  }

 private:
  int fd_;
};

api::Outside outside_of(const config::AlertsSpec& alerts) {
  return {alerts.address, alerts.port, alerts.authorizations};
}

}  // namespace

Daemon::Daemon(RunOptions options, config::Config config)
    : options_(std::move(options)), config_(std::make_unique<config::Config>(std::move(config))) {}

Daemon::~Daemon() {
  server_.reset();
  if (journal_watcher_) loop_->remove(recorder_->durable_fd(), *journal_watcher_);
  if (time_) time_->save();
}

std::expected<std::unique_ptr<Daemon>, Error> Daemon::open(const RunOptions& options, config::Config config) {
  auto daemon = std::unique_ptr<Daemon>(new Daemon(options, std::move(config)));
  if (auto opened = daemon->open_parts(); !opened) return std::unexpected(opened.error());
  daemon->begin();
  return daemon;
}

std::expected<void, Error> Daemon::open_parts() {
  auto loop = os::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  loop_.emplace(std::move(*loop));
  auto recorder = Recorder::open(options_.state_dir);
  if (!recorder) return std::unexpected(recorder.error());
  recorder_ = std::move(*recorder);
  engine::Durable past = recorder_->recover();
  time_ = std::make_unique<TimeKeeper>(options_.state_dir + "/clock", past.last_at);
  engine_ = std::make_unique<engine::Engine>(std::move(past));

  alerts_ = std::make_unique<Alerts>(options_.state_dir + "/alerts.json");
  signals_ = std::make_unique<Signals>(*loop_);
  if (auto opened = signals_->open(); !opened) return opened;
  inbox_ = std::make_unique<Inbox>(*loop_);
  if (auto opened = inbox_->open(); !opened) return opened;
  journal_watcher_ = std::make_unique<Wake>(recorder_->durable_fd());
  if (auto added = loop_->add(recorder_->durable_fd(), EPOLLIN, *journal_watcher_); !added) return added;

  const auto cgroups = os::Cgroups::open(cgroup_name(options_.state_dir));
  const auto feed = [this](engine::Input input) { this->feed(std::move(input)); };
  const auto clock = [this] { return now(); };
  auto eyes = Eyes::open(
      *loop_, *engine_, feed,
      {.now = clock,
       .runtime_says = [this](engine::ServiceId service, engine::Slot slot,
                              const probe::RuntimeSpec& spec) { return hands_->keepers().says(service, slot, spec); },
       .alerts_say = [this](const Labels& labels) { return alerts_->look(labels, TimeKeeper::wall_ns()); },
       .hide_secrets = [this](std::string& text) { secrets_.hide(text); }},
      cgroups);
  if (!eyes) return std::unexpected(eyes.error());
  eyes_ = std::move(*eyes);
  auto hands = Hands::open(*loop_, *engine_, options_.state_dir, feed, clock, cgroups);
  if (!hands) return std::unexpected(hands.error());
  hands_ = std::move(*hands);
  hands_->told_by_alerts = [this](engine::ServiceId service, engine::Slot slot) { return alert_of(service, slot); };
  hands_->complaints = [this](engine::ServiceId service, std::optional<engine::Slot> slot) {
    return eyes_->complaints(service, slot);
  };
  auto meters = Meters::open(*loop_, *engine_, feed, clock, cgroups);
  if (!meters) return std::unexpected(meters.error());
  meters_ = std::move(*meters);
  comparer_ = std::make_unique<Comparer>(*engine_, meters_->sampler(), feed);
  router_ = std::make_unique<Router>(*loop_, *engine_, feed, clock);

  api::ServerOptions listen{.socket = options_.socket};
  if (config_->alerts) listen.outside = outside_of(*config_->alerts);
  auto server = api::Server::open(
      std::move(listen), [this](api::Request r, api::Reply reply) { serve(std::move(r), std::move(reply)); },
      [this](const api::Request& request) { return api::answer_from_journal(options_.state_dir, request); });
  if (!server) return std::unexpected(server.error());
  server_ = std::move(*server);
  return {};
}

void Daemon::keep_secrets() {
  for (const std::string& secret : std::exchange(config_->secrets, {})) secrets_.add(secret);
}

void Daemon::begin() {
  keep_secrets();
  config_->plan.generation = engine_->durable().generation + 1;
  config_->plan.shadow = options_.shadow;
  engine_->start(config_->plan, build_id(), now(), out_);
  eyes_->configure(*config_);
  meters_->configure(*config_);
  router_->configure(*config_);
  hands_->configure(*config_, nullptr);
  alerts_->configure(*config_);
  recorder_->open_input_log(options_.state_dir, *engine_, [this] { return config_->text; }, [this] { return now(); });
  if (const std::string why = recorder_->untrusted(); !why.empty()) {
    spdlog::error("observe only: {}", why);
    feed(engine::JournalFailed{why});
  }
  carry_out(out_);
  hands_->find_all(now(), [this] { feed(engine::Recovered{}); });
  drain();
  give_memory_back();
  watchdog_ = watchdog_interval();
  tell_manager("READY=1");
  spdlog::info("epoch {}: {} services, state in {}", engine_->durable().epoch, engine_->plan().services.size(),
               options_.state_dir);
}

// The engine holds the plan from now on. Reading the file took several times the memory that is needed to run.
void Daemon::give_memory_back() {
  config_->plan = {};
  os::give_memory_back();
}

Instant Daemon::next_deadline() const {
  const Instant at = now();
  Instant next = later(at, kHouse);
  for (const auto& one : {engine_->next_deadline(), eyes_->next_deadline(), hands_->next_deadline(),
                          meters_->next_deadline(), router_->next_deadline()}) {
    if (one) next = std::min(next, *one);
  }
  return std::max(next, at);  // what is overdue is due now, not a gap
}

void Daemon::run() {
  while (!ended()) turn();
  tell_manager("STOPPING=1");
  recorder_->flush_inputs();
  spdlog::info("ended in order");
}

void Daemon::turn() {
  const Instant planned = next_deadline();
  loop_->run_once(std::max(Duration{}, planned - now()));
  notice_gap(planned);
  hear_journal();
  hear_signals();
  const Instant at = now();
  eyes_->advance(at);
  hands_->advance(at);
  meters_->advance(at);
  router_->advance(at);
  const auto due = engine_->next_deadline();
  if (due && *due <= at) feed(engine::Tick{});
  drain();
  hands_->reconcile();
  drain();
  send_replies();
  keep_house();
}

void Daemon::notice_gap(Instant planned) {
  const Duration late = now() - planned;
  if (late < kGap) return;
  spdlog::warn("this program did not run for {} ms; what was seen meanwhile is void",
               std::chrono::duration_cast<std::chrono::milliseconds>(late).count());
  inputs_.push_front(engine::Gap{late});
}

void Daemon::drain() {
  while (!inputs_.empty()) {
    engine::Input input = std::move(inputs_.front());
    inputs_.pop_front();
    step(std::move(input));
  }
}

void Daemon::step(engine::Input input) {
  const Instant at = now();
  secrets_.hide(input);
  recorder_->log_input(input, at);
  const auto moved = place_of(input);
  engine_->step(input, at, out_);
  // Before its next check runs, the prober must know where the instance is now.
  if (moved) eyes_->place_changed(moved->first, moved->second);
  carry_out(out_);
}

std::optional<std::pair<engine::ServiceId, engine::Slot>> Daemon::place_of(const engine::Input& input) const {
  if (const auto* found = std::get_if<engine::Found>(&input)) return std::pair(found->service, found->slot);
  const auto* done = std::get_if<engine::ActionDone>(&input);
  if (done == nullptr) return std::nullopt;
  const auto action = engine_->durable().actions.find(done->id);
  if (action == engine_->durable().actions.end()) return std::nullopt;
  const auto service = engine_->find_service(action->second.intent.service);
  if (!service) return std::nullopt;
  return std::pair(*service, action->second.intent.slot);
}

void Daemon::carry_out(engine::Commands& out) {
  // Records first: nothing is done that is not on its way into the journal.
  engine::Commands now_out = std::exchange(out, {});
  if (auto why = recorder_->append(now_out.records)) feed(engine::JournalFailed{*why});
  const Instant at = now();
  for (const engine::Command& command : now_out.commands) {
    if (const auto* probe = std::get_if<engine::Probe>(&command)) eyes_->look(*probe, at);
    if (const auto* dispatch = std::get_if<engine::Dispatch>(&command)) {
      dispatch->op == engine::Op::route ? router_->route(*dispatch) : hands_->dispatch(*dispatch, at);
    }
    if (const auto* measure = std::get_if<engine::MeasureVersions>(&command))
      comparer_->measure(*measure, *config_, at);
    if (const auto* look = std::get_if<engine::LookAtTraffic>(&command)) router_->look(*look);
    if (const auto* ask = std::get_if<engine::AskGate>(&command)) hands_->ask_gate(*ask, at);
    if (const auto* notify = std::get_if<engine::Notify>(&command)) hands_->notify(*notify, at);
    if (const auto* check = std::get_if<engine::SelfCheck>(&command)) eyes_->self_check(*check, at);
    if (const auto* measure = std::get_if<engine::Measure>(&command)) meters_->measure(*measure, at);
    if (const auto* read = std::get_if<engine::ReadClocks>(&command)) meters_->read_clocks(*read);
  }
}

void Daemon::hear_journal() {
  if (recorder_->durable_seq() > engine_->state().durable_seq) {
    feed(engine::JournalDurable{recorder_->durable_seq()});
  }
  if (!engine_->state().observe_only.empty()) return;
  if (const std::string why = recorder_->untrusted(); !why.empty()) feed(engine::JournalFailed{why});
}

// A full disk, or a journal that nobody can trust, is said where people look: once when it begins and when it ends.
void Daemon::tell_of_journal() {
  std::string state = recorder_->untrusted();
  if (state.empty() && recorder_->state() == journal::State::on_reserve) {
    state = "the disk is full, the journal is written on its reserve: " + recorder_->reason();
  }
  if (state == journal_told_) return;
  journal_told_ = state;
  if (state.empty()) state = "the journal is written as usual again";
  spdlog::warn("{}", state);
  tell_manager("STATUS=" + state);
}

void Daemon::hear_signals() {
  if (signals_->end() && !stopping_since_) {
    stopping_since_ = now();
    engine::Operator end;
    end.verb = engine::Verb::shutdown;
    end.by = "signal";
    feed(std::move(end));
  }
  if (!signals_->take_reload()) return;
  load_then([this](std::expected<config::Config, Error> loaded) {
    auto done = loaded ? go_over(std::move(*loaded), false) : std::unexpected(loaded.error());
    if (!done) spdlog::error("not reloaded, everything stays as it was: {}", done.error().text);
  });
}

void Daemon::keep_house() {
  const Instant at = now();
  if (at < next_house_) return;
  next_house_ = later(at, kHouse);
  recorder_->flush_inputs();
  if (recorder_->fold_due()) {
    step(engine::JournalFolded{});
    recorder_->fold(*engine_, at);
  }
  hands_->trim_logs();
  tell_of_journal();
  time_->save();
  if (watchdog_) tell_manager("WATCHDOG=1");
}

bool Daemon::ended() const {
  if (!stopping_since_) return false;
  Duration longest = kShutdownLeast;
  bool waiting = false;
  for (engine::ServiceId id = 0; id < engine_->plan().services.size(); ++id) {
    const engine::ServicePlan& plan = engine_->plan().services[id];
    if (!plan.runtime.stop_on_shutdown) continue;
    const auto& traffic = config_->traffic[id];
    const Duration drain = traffic ? traffic->drain : Duration{};
    longest = std::max(longest, drain + 2 * plan.runtime.stop_grace + kShutdownLeast);
    const auto known = engine_->durable().services.find(plan.name);
    if (known == engine_->durable().services.end()) continue;
    for (const auto& [slot, instance] : known->second.instances) {
      waiting = waiting || instance.state == engine::RunState::running;
    }
  }
  return !waiting || now() - *stopping_since_ > longest;
}

}  // namespace homeostat::daemon
