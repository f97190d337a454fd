#include "daemon/rotation.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/places.hpp"

namespace homeostat::daemon {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(100);
constexpr Duration kTryAgain = std::chrono::seconds(1);
constexpr Duration kRunIsKnown = std::chrono::seconds(10);

bool takes_requests(const traffic::ServerSetting& server) {
  return server.up && !server.drained && !server.maintained && server.weight > 0;
}

bool takes_requests(const traffic::ServerStat& server) {
  return server.weight > 0 && (server.status.starts_with("UP") || server.status == "no check");
}

using Settings = std::vector<traffic::ServerSetting>;

const traffic::ServerSetting* find(const Settings& servers, const std::string& name) {
  const auto found = std::ranges::find(servers, name, &traffic::ServerSetting::server);
  return found == servers.end() ? nullptr : &*found;
}

}  // namespace

/// One server that is on its way out of or into the rotation, with a connection of its own to the proxy.
class Rotation::Task {
 public:
  Task(Rotation& owner, const traffic::Spec& spec, std::string server)
      : owner_(owner),
        server_(std::move(server)),
        haproxy_(owner.loop_, spec.haproxy, owner.now_),
        key_{spec.haproxy.socket, spec.haproxy.backend, server_} {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool over() const { return over_; }
  const Key& key() const { return key_; }
  /// For people.
  std::string place() const { return key_.backend + "/" + key_.server; }

  std::optional<Instant> next_deadline() const { return waiting_ ? haproxy_.next_deadline() : std::optional(next_at_); }
  void advance(Instant now) {
    haproxy_.advance(now);
    if (over_ || waiting_ || now < next_at_) return;
    waiting_ = true;
    step(now);
  }
  /// Something else is wanted of the server now.
  virtual void abandon() {}

 protected:
  virtual void step(Instant now) = 0;

  void again_in(Duration span) {
    waiting_ = false;
    next_at_ = later(owner_.now_(), span);
  }
  void end() { over_ = true; }
  /// HAProxy goes on saying that its file disables it, whoever has said otherwise since.
  bool disabled_by_file(const traffic::ServerSetting& own) const {
    return own.disabled && !owner_.served_.contains(key_);
  }
  void note(const traffic::ServerSetting& own) {
    if (!own.maintained) owner_.served_.insert(key_);
  }

  Rotation& owner_;
  std::string server_;
  traffic::Haproxy haproxy_;

 private:
  Key key_;
  bool waiting_ = false;  // for an answer of the proxy
  bool over_ = false;
  Instant next_at_ = kLongAgo;
};

class Rotation::TakingOut : public Task {
 public:
  TakingOut(Rotation& owner, const traffic::Spec& spec, std::string server, std::vector<std::string> others,
            Instant ends, Then then)
      : Task(owner, spec, std::move(server)), others_(std::move(others)), ends_(ends), then_(std::move(then)) {}

 private:
  void step(Instant now) override {
    if (now >= ends_) return finish(undrained());
    if (drained_) return haproxy_.look([this](auto seen) { wait_for_requests(seen); });
    haproxy_.read_back([this](auto servers) { drain(servers); });
  }

  std::string_view undrained() const {
    if (!silence_.empty()) return silence_;
    if (exchanged()) return "HAProxy was reloaded meanwhile, and what requests it still has is not known";
    return drained_ ? "it still has requests" : "no other server takes requests";
  }

  /// Not before another server takes the requests, where there is to be one.
  void drain(const std::expected<Settings, Error>& servers) {
    if (!servers) return silent(servers.error().text);
    met();
    const traffic::ServerSetting* own = find(*servers, server_);
    if (own != nullptr) note(*own);
    if (own != nullptr && (own->drained || own->maintained)) {
      if (own->drained) owner_.ours_.try_emplace(key(), false);
      return wait();
    }
    const bool relieved = others_.empty() || std::ranges::any_of(*servers, [this](const traffic::ServerSetting& one) {
                            return takes_requests(one) && std::ranges::count(others_, one.server) > 0;
                          });
    if (!relieved) return again_in(kLookAgain);
    owner_.ours_[key()] = true;
    haproxy_.set_drain(server_, true, [this](const auto& done) {
      if (done) return wait();
      exchanged() ? silent(done.error().text) : finish(done.error().text);
    });
  }

  void wait() {
    drained_ = true;
    again_in({});
  }

  /// One that has answered in this drain may be on its way back; one that has not holds nothing up.
  void silent(const std::string& why) {
    if (!met_) return finish(why);
    silence_ = why;
    again_in(kLookAgain);
  }
  void met() {
    met_ = true;
    silence_.clear();
  }

  void wait_for_requests(const std::expected<std::vector<traffic::ServerStat>, Error>& seen) {
    if (!seen) return silent(seen.error().text);
    met();
    const auto own = std::ranges::find(*seen, server_, &traffic::ServerStat::server);
    if (own == seen->end()) return finish("HAProxy has it no more");
    if (takes_requests(*own)) {
      forgotten_ = true;
      drained_ = false;
      return again_in({});
    }
    if (own->sessions > 0 || exchanged()) return again_in(kLookAgain);
    finish({});
  }

  /// The counters are the new HAProxy's, and the old one finishes what it has.
  bool exchanged() const { return forgotten_ || haproxy_.was_exchanged(); }

  void finish(std::string_view why_not) {
    if (!why_not.empty()) spdlog::warn("traffic: {} is stopped though {}", place(), why_not);
    then_(owner_.now_()) ? end() : give_back();
  }

  void give_back() {
    if (const auto known = owner_.ours_.find(key()); known == owner_.ours_.end() || !known->second) return end();
    haproxy_.set_drain(server_, false, [this](const auto& done) {
      if (done) owner_.ours_[key()] = false;
      if (!done) spdlog::warn("traffic: {} is not stopped and cannot be put back: {}", place(), done.error().text);
      end();
    });
  }

  std::vector<std::string> others_;
  Instant ends_;
  bool drained_ = false;
  bool forgotten_ = false;
  bool met_ = false;     // the proxy
  std::string silence_;  // why it does not answer at the moment
  Then then_;
};

/// Waits until the instance is well by its own checks: the proxy's may not have noticed that it was away.
class Rotation::PuttingBack : public Task {
 public:
  PuttingBack(Rotation& owner, const traffic::Spec& spec, std::string server, std::string service, engine::Slot slot,
              const Incarnation& run)
      : Task(owner, spec, std::move(server)), service_(std::move(service)), slot_(slot), run_(run) {}
  void abandon() override { end(); }

 private:
  void step(Instant now) override {
    const auto id = owner_.engine_.find_service(service_);
    if (!id || slot_ >= static_cast<engine::Slot>(owner_.engine_.plan().services[*id].instances)) return end();
    const auto& known = owner_.engine_.durable().services.at(service_).instances;
    const auto instance = known.find(slot_);
    if (instance == known.end() || instance->second.state != engine::RunState::running) return wait_for_run(now);
    // Another run than was meant is there: the action has not ended, or others have begun it.
    const bool another = instance->second.incarnation != run_;
    if (another && is_acted_on(owner_.engine_, service_, slot_)) return again_in(kLookAgain);
    waits_since_.reset();
    const Status status = owner_.engine_.instance_status(*id, slot_);
    if (status != Status::healthy && status != Status::degraded) return again_in(kLookAgain);
    haproxy_.read_back([this](const auto& servers) { servers ? put_back(*servers) : try_again(servers.error().text); });
  }

  // The engine hears of it soon. If it is over, the next one has a task of its own, maybe for another server.
  void wait_for_run(Instant now) {
    if (!waits_since_) waits_since_ = now;
    now >= later(*waits_since_, kRunIsKnown) ? end() : again_in(kLookAgain);
  }
  void put_back(const Settings& servers) {
    const traffic::ServerSetting* own = find(servers, server_);
    if (own == nullptr) return try_again(fmt::format("HAProxy has no server {}", place()));
    note(*own);
    if (own->maintained && !disabled_by_file(*own)) return stays("in maintenance");
    const auto known = owner_.ours_.find(key());
    if (own->drained && known != owner_.ours_.end() && !known->second) return stays("drained");
    if (!own->drained && !own->maintained) return is_back();
    haproxy_.set_drain(server_, false, [this](const auto& done) { done ? is_back() : try_again(done.error().text); });
  }
  void is_back() {
    owner_.ours_[key()] = false;
    owner_.served_.insert(key());
    end();
  }
  void stays(std::string_view how) {
    spdlog::info("traffic: {} stays {}, as somebody else has put it", place(), how);
    end();
  }
  void try_again(const std::string& why) {
    if (!std::exchange(said_, true)) spdlog::warn("traffic: {} is well and cannot be put back: {}", place(), why);
    again_in(kTryAgain);
  }

  std::string service_;
  engine::Slot slot_;
  Incarnation run_;
  std::optional<Instant> waits_since_;
  bool said_ = false;
};

/// Its service is not configured any more: what we have drained gets requests again, whoever looks after it now.
class Rotation::GivingUp : public Task {
 public:
  using Task::Task;
  void abandon() override { end(); }

 private:
  void step(Instant) override {
    haproxy_.set_drain(server_, false, [this](const auto& done) {
      if (!done)
        spdlog::warn("traffic: {} is not ours any more and cannot be put back: {}", place(), done.error().text);
      owner_.ours_.erase(key());
      end();
    });
  }
};

Rotation::Rotation(os::Loop& loop, const engine::Engine& engine, std::function<Instant()> now)
    : loop_(loop), engine_(engine), now_(std::move(now)) {}
Rotation::~Rotation() = default;

void Rotation::configure(const config::Config& config) {
  config_ = &config;
  std::erase_if(led_, [this](const auto& item) {
    if (engine_.find_service(item.first.first)) return false;
    const auto& [spec, server] = item.second;
    const auto known = ours_.find(Key{spec.haproxy.socket, spec.haproxy.backend, server});
    if (known != ours_.end() && known->second) begin(std::make_unique<GivingUp>(*this, spec, server));
    return true;
  });
}

const traffic::Spec* Rotation::spec_of(engine::ServiceId service) const {
  if (config_ == nullptr || service >= config_->traffic.size() || !config_->traffic[service]) return nullptr;
  return &*config_->traffic[service];
}

std::vector<std::string> Rotation::others_of(engine::ServiceId service, engine::Slot slot) const {
  std::vector<std::string> others;
  const auto known = engine_.durable().services.find(engine_.plan().services[service].name);
  if (known == engine_.durable().services.end()) return others;
  for (const auto& [other, instance] : known->second.instances) {
    if (other == slot || instance.state != engine::RunState::running) continue;
    others.push_back(server_of(engine_, *spec_of(service), service, other, instance.port));
  }
  return others;
}

void Rotation::begin(std::unique_ptr<Task> task) {
  for (const auto& other : tasks_) {
    if (other->key() == task->key()) other->abandon();
  }
  tasks_.push_back(std::move(task));
}

void Rotation::take_out(engine::ServiceId service, engine::Slot slot, Instant now, Then then) {
  const traffic::Spec* spec = spec_of(service);
  const auto known = engine_.durable().services.find(engine_.plan().services[service].name);
  if (spec == nullptr || known == engine_.durable().services.end()) return void(then(now));
  const auto instance = known->second.instances.find(slot);
  if (instance == known->second.instances.end() || instance->second.state != engine::RunState::running)
    return void(then(now));
  const std::string server = server_of(engine_, *spec, service, slot, instance->second.port);
  led_[{engine_.plan().services[service].name, slot}] = Led{*spec, server};
  begin(std::make_unique<TakingOut>(*this, *spec, server, others_of(service, slot), later(now, spec->drain),
                                    std::move(then)));
}

void Rotation::put_back(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run,
                        bool ours) {
  const traffic::Spec* spec = spec_of(service);
  const std::string& name = engine_.plan().services[service].name;
  const auto led = led_.find({name, slot});
  if (spec == nullptr && led == led_.end()) return;
  auto task = spec == nullptr
                  ? std::make_unique<PuttingBack>(*this, led->second.spec, led->second.server, name, slot, run)
                  : std::make_unique<PuttingBack>(*this, *spec, server_of(engine_, *spec, service, slot, port), name,
                                                  slot, run);
  if (ours) ours_[task->key()] = true;
  begin(std::move(task));
}

void Rotation::begun_by_others(engine::ServiceId service, engine::Slot slot, std::uint16_t port,
                               const Incarnation& run) {
  const traffic::Spec* spec = spec_of(service);
  if (spec == nullptr) return;
  const auto known =
      ours_.find(Key{spec->haproxy.socket, spec->haproxy.backend, server_of(engine_, *spec, service, slot, port)});
  if (known != ours_.end() && known->second) put_back(service, slot, port, run);
}

std::optional<Instant> Rotation::next_deadline() const {
  Instant next = kNever;
  for (const auto& task : tasks_) next = std::min(next, task->next_deadline().value_or(kNever));
  return next == kNever ? std::nullopt : std::optional(next);
}

void Rotation::advance(Instant now) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) tasks_[i]->advance(now);  // one that ends may begin others
  std::erase_if(tasks_, [](const auto& task) { return task->over(); });
}

}  // namespace homeostat::daemon
