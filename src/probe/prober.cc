#include "probe/prober.hpp"

#include <algorithm>

#include "probe/exec_check.hpp"

namespace homeostat::probe {
namespace {

constexpr Duration kShortFor = std::chrono::seconds(60);
// The slow path keeps its own time; this is only for the case that its thread does not.
constexpr Duration kSlowPathGrace = std::chrono::milliseconds(500);
constexpr std::size_t kMostCommands = 256;

// Entry 0 of the timeouts is the self-check.
constexpr std::uint32_t kSelf = 0xffffffffU;
std::uint32_t timeout_id(std::uint32_t target) { return target + 1; }

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace

Prober::Prober(os::Loop& loop, Hooks hooks, std::optional<os::Cgroups> cgroups)
    : hooks_(std::move(hooks)),
      network_{.loop = loop, .now = hooks_.now, .finished = {}, .spare_descriptors = {}},
      timeouts_(hooks_.now()),
      runner_(loop, std::move(cgroups)) {
  network_.finished = [this](std::uint32_t id, Finding&& found) {
    if (id == kSelf) return self_checked(found.seen.good());
    finish(id, found.seen, found.detail);
  };
  network_.spare_descriptors = [this] { return spare_descriptors(); };
}

std::expected<std::unique_ptr<Prober>, Error> Prober::open(os::Loop& loop, Hooks hooks,
                                                           std::optional<os::Cgroups> cgroups) {
  std::unique_ptr<Prober> out(new Prober(loop, std::move(hooks), std::move(cgroups)));
  auto mailbox = Mailbox::open(loop, [prober = out.get()](Letter&& letter) { prober->on_letter(std::move(letter)); });
  if (!mailbox) return std::unexpected(mailbox.error());
  auto responder = Responder::open(loop);
  if (!responder) return std::unexpected(responder.error());
  auto numbers = Sampler::open(loop, out->hooks_.now);
  if (!numbers) return std::unexpected(numbers.error());
  out->numbers_ = std::move(*numbers);
  out->mailbox_ = std::move(*mailbox);
  out->responder_ = std::move(*responder);
  const auto post = [box = out->mailbox_.get()](std::uint32_t target, std::uint64_t ticket, Finding&& found) {
    box->post({target, ticket, std::move(found)});
  };
  out->files_ = std::make_unique<FileLooker>(post);
  out->slow_ = std::make_unique<SlowPath>(post);
  HttpSpec self;
  self.host = "127.0.0.1";
  self.port = std::to_string(out->responder_->port());
  self.connection = Connection::fresh;
  auto way = out->way_to(kSelf, self);
  out->self_ = std::move(std::get<std::unique_ptr<Exchange>>(way));
  return out;
}

Prober::~Prober() = default;

void Prober::prepare(std::uint32_t target, const Spec& spec, const Place& place) {
  if (target >= targets_.size()) targets_.resize(target + 1);
  if (targets_[target].busy) give_up(target, "the check was changed while it ran");
  Way next = way_to(target, spec, place);
  const bool same = goes_on(targets_[target], next);
  targets_[target].renumbered = false;
  if (!same) targets_[target].way = std::move(next);
}

// An action changes nothing in how long a number has been as it must not be, but what was counted before it says
// nothing about what runs now.
bool Prober::goes_on(const Target& target, const Way& next) {
  const auto same = [&]<class Check>(const std::unique_ptr<Check>& after) {
    const auto* const before = std::get_if<std::unique_ptr<Check>>(&target.way);
    return before != nullptr && (*before)->asks_the_same(*after);
  };
  if (const auto* promql = std::get_if<std::unique_ptr<PromqlCheck>>(&next)) return same(*promql);
  const auto* haproxy = std::get_if<std::unique_ptr<HaproxyCheck>>(&next);
  return haproxy != nullptr && target.renumbered && same(*haproxy);
}

void Prober::start(std::uint32_t target, std::uint32_t run, Duration timeout, Instant now) {
  if (target >= targets_.size()) targets_.resize(target + 1);
  Target& to = targets_[target];
  if (to.busy) give_up(target, "the next run began before this one ended");
  if (!network_.keep_connections && now >= short_until_) network_.keep_connections = true;
  to.busy = true;
  to.run = run;
  to.ticket = ++tickets_;
  const std::uint64_t ticket = to.ticket;
  std::visit(
      Overloaded{[&](const Broken& broken) { give_up(target, broken.why); },
                 [&](const std::unique_ptr<Exchange>& exchange) {
                   timeouts_.set(timeout_id(target), later(now, timeout));
                   exchange->start();
                 },
                 [&](const std::shared_ptr<const SlowRequest>& request) {
                   timeouts_.set(timeout_id(target), later(now, timeout + kSlowPathGrace));
                   if (!slow_->start(target, ticket, request, timeout)) give_up(target, "too many slow checks at once");
                 },
                 [&](const std::unique_ptr<PromqlCheck>& promql) {
                   timeouts_.set(timeout_id(target), later(now, timeout + kSlowPathGrace));
                   if (!slow_->start(target, ticket, promql->request(), timeout))
                     give_up(target, "too many slow checks at once");
                 },
                 [&](const std::unique_ptr<HaproxyCheck>& haproxy) { ask_haproxy(target, *haproxy, timeout, now); },
                 [&](const std::unique_ptr<Command>& command) { start_command(target, *command, timeout, now); },
                 [&](const std::shared_ptr<const FileSpec>& file) {
                   timeouts_.set(timeout_id(target), later(now, timeout));
                   if (!files_->start(target, ticket, file, hooks_.wall_ns()))
                     give_up(target, "too many file checks wait");
                 },
                 [&](const ProcessSpec&) {
                   const Finding known = hooks_.known(target);
                   finish(target, known.seen, known.detail);
                 }},
      to.way);
}

void Prober::start_command(std::uint32_t target, Command& command, Duration timeout, Instant now) {
  if (runner_.size() >= kMostCommands) return give_up(target, "too many commands at once");
  targets_[target].began = hooks_.now();
  os::RunSpec spec{.child = command.child, .timeout = timeout, .capture = kCommandOutput};
  const auto started = runner_.start(
      std::move(spec), now, [this, target, ticket = targets_[target].ticket](const os::RunResult& result) {
        if (target >= targets_.size() || !targets_[target].busy || targets_[target].ticket != ticket) return;
        Finding found = judge(result);
        found.seen.latency = hooks_.now() - targets_[target].began;
        finish(target, found.seen, found.detail);
      });
  if (!started) return give_up(target, started.error().text);
  command.id = *started;
}

void Prober::ask_haproxy(std::uint32_t target, const HaproxyCheck& check, Duration timeout, Instant now) {
  targets_[target].began = hooks_.now();
  const std::pair asks{target, targets_[target].ticket};
  const SourceSpec spec = check.source(timeout);
  const auto& source = std::get<HaproxySource>(spec.from);
  for (auto& [question, asked] : questions_) {
    if (asked.source == source) return asked.waiting.push_back(asks);
  }
  const std::uint64_t question = ++tickets_;
  questions_[question] = {source, {asks}};
  numbers_->ask(spec, {}, now, [this, question](const Reading& reading) { haproxy_answered(question, reading); });
}

void Prober::haproxy_answered(std::uint64_t question, const Reading& reading) {
  const auto answered = questions_.extract(question);
  for (const auto& [target, ticket] : answered.mapped().waiting) {
    if (target >= targets_.size() || !targets_[target].busy || targets_[target].ticket != ticket) continue;
    Target& to = targets_[target];
    auto& check = std::get<std::unique_ptr<HaproxyCheck>>(to.way);
    const Finding found = check->judge(reading, hooks_.now() - to.began, hooks_.now());
    finish(target, found.seen, found.detail);
  }
}

void Prober::cancel(std::uint32_t target) {
  if (target >= targets_.size() || !targets_[target].busy) return;
  Target& to = targets_[target];
  to.busy = false;
  timeouts_.clear(timeout_id(target));
  if (auto* exchange = std::get_if<std::unique_ptr<Exchange>>(&to.way)) (*exchange)->cancel();
  if (const auto* command = std::get_if<std::unique_ptr<Command>>(&to.way)) runner_.cancel((*command)->id);
}

void Prober::renumber(const std::vector<std::uint32_t>& was) {
  for (std::uint32_t target = 0; target < targets_.size(); ++target) cancel(target);
  std::deque<Target> before = std::exchange(targets_, std::deque<Target>(was.size()));
  for (std::uint32_t target = 0; target < was.size(); ++target) {
    if (was[target] >= before.size()) continue;
    Way& way = before[was[target]].way;
    // Nothing else remembers anything, and what it is made of has the old number.
    const bool remembers = std::holds_alternative<std::unique_ptr<PromqlCheck>>(way) ||
                           std::holds_alternative<std::unique_ptr<HaproxyCheck>>(way);
    if (!remembers) continue;
    targets_[target].way = std::move(way);
    targets_[target].renumbered = true;
  }
}

void Prober::give_up(std::uint32_t target, std::string_view why) {
  cancel(target);
  const std::uint32_t run = targets_[target].run;
  hooks_.done(target, run, {Result::unknown, Reason::internal, 0, {}}, for_people(why));
}

void Prober::finish(std::uint32_t target, const Observation& seen, std::string_view detail) {
  Target& to = targets_[target];
  to.busy = false;
  timeouts_.clear(timeout_id(target));
  hooks_.done(target, to.run, seen, detail);
}

void Prober::on_letter(Letter&& letter) {
  if (letter.target >= targets_.size()) return;
  const Target& to = targets_[letter.target];
  if (!to.busy || to.ticket != letter.ticket) return;
  if (const auto* promql = std::get_if<std::unique_ptr<PromqlCheck>>(&to.way)) {
    letter.found = (*promql)->judge(letter.found, hooks_.now(), hooks_.wall_ns());
  }
  finish(letter.target, letter.found.seen, letter.found.detail);
}

std::optional<Instant> Prober::next_deadline() const {
  std::optional<Instant> next = timeouts_.next();
  for (const auto& other : {runner_.next_deadline(), numbers_->next_deadline()}) {
    if (other) next = std::min(next.value_or(*other), *other);
  }
  return next;
}

void Prober::advance(Instant now) {
  runner_.advance(now);
  numbers_->advance(now);
  while (const auto id = timeouts_.pop(now)) {
    if (*id == timeout_id(kSelf)) {
      self_->time_out();
    } else {
      on_timeout(*id - 1);
    }
  }
}

void Prober::on_timeout(std::uint32_t target) {
  Target& to = targets_[target];
  if (!to.busy) return;
  if (auto* exchange = std::get_if<std::unique_ptr<Exchange>>(&to.way)) return (*exchange)->time_out();
  if (std::holds_alternative<std::shared_ptr<const FileSpec>>(to.way) && !files_->waits(to.ticket)) {
    return finish(target, {Result::timeout, Reason::timed_out, 0, {}}, "the file system does not answer");
  }
  give_up(target, "we did not get to look at it in time");
}

bool Prober::spare_descriptors() {
  if (!network_.keep_connections) return false;
  network_.keep_connections = false;
  short_until_ = later(hooks_.now(), kShortFor);
  bool closed = false;
  for (Target& target : targets_) {
    if (auto* exchange = std::get_if<std::unique_ptr<Exchange>>(&target.way)) closed |= (*exchange)->close_idle();
  }
  return closed;
}

void Prober::self_check(std::function<void(bool ok)> done, Duration timeout, Instant now) {
  self_waiting_.push_back(std::move(done));
  if (self_waiting_.size() > 1) return;
  timeouts_.set(timeout_id(kSelf), later(now, timeout));
  self_->start();
}

void Prober::self_checked(bool ok) {
  timeouts_.clear(timeout_id(kSelf));
  std::vector<std::function<void(bool ok)>> waiting;
  waiting.swap(self_waiting_);
  for (const auto& done : waiting) done(ok);
}

}  // namespace homeostat::probe
