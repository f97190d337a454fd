// The threaded shell of HealerCore: it starts calls, measures them and hands their answers back. It decides nothing.
#include "homeostat/healer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "core/healer_core.hpp"
#include "core/healer_workers.hpp"

namespace homeostat {
namespace {

using Steady = std::chrono::steady_clock;

/// What a call ended with; which parts have a meaning depends on its kind.
struct Answer {
  Call call;
  Observation seen{};
  RemedyAnswer remedy = RemedyAnswer::failed;
  bool escalated = false;
  std::string detail{};
  Duration took{};
};

struct Pending {
  Call call;
  Duration timeout{};
  Steady::time_point deadline{};
  bool expired = false;
};

/// Runs `body`; what it throws becomes a text.
template <class Body>
bool survives(Body&& body, std::string& thrown) {
  try {
    body();
    return true;
  } catch (const std::exception& error) {
    thrown = error.what();
  } catch (...) {
    thrown = "an exception of an unknown type";
  }
  return false;
}

void look(const Check& check, Answer& answer) {
  const auto began = Steady::now();
  if (!survives([&] { answer.seen = check.look(); }, answer.detail)) {
    answer.seen = {.result = Result::failure, .reason = Reason::other};
  }
  if (answer.seen.latency == Duration{}) answer.seen.latency = Steady::now() - began;
}

void repair(const Remedy& remedy, const Strategy* strategy, const RepairContext& context, Answer& answer) {
  for (const Prerequisite& prerequisite : remedy.prerequisites) {
    bool met = false;
    std::string thrown;
    survives([&] { met = prerequisite.met(); }, thrown);
    if (met) continue;
    answer.remedy = RemedyAnswer::not_met;
    answer.detail = "prerequisite not met: " + prerequisite.name + (thrown.empty() ? "" : " (" + thrown + ")");
    return;
  }
  std::optional<std::string> unfit;
  if (strategy != nullptr && strategy->validate) {
    std::string thrown;
    if (!survives([&] { unfit = strategy->validate(context); }, thrown)) unfit = thrown;
  }
  if (unfit) {
    answer.remedy = RemedyAnswer::not_met;
    answer.detail = *unfit;
    return;
  }
  bool done = false;
  survives([&] { done = strategy != nullptr ? strategy->execute(context) : remedy.repair(); }, answer.detail);
  answer.remedy = done ? RemedyAnswer::repaired : RemedyAnswer::failed;
}

}  // namespace

Instant steady_now() { return Instant(Steady::now().time_since_epoch()); }

struct Healer::Shared {
  explicit Shared(HealerOptions given) : options(std::move(given)), core(options.seed, options.history) {}

  void launch(const Call& call);
  std::shared_ptr<const Strategy> strategy_of(const Remedy& remedy) const;
  std::string unknown_strategy(const Check& check) const;
  void perform(const Call& call, const Check& check, const Escalation& escalation);
  void perform_remedy(const Call& call, const Check& check, const Strategy* strategy, const RepairContext& context);
  void ended(Answer answer, Steady::time_point began);
  void absorb(Instant now);
  void expire(Instant now);
  /// When the first call under way times out; far away when there is none that is waited for.
  std::optional<Steady::time_point> first_timeout() const;
  void advance(Instant now);

  const HealerOptions options;
  std::mutex mutex;  // guards everything below but the workers
  std::condition_variable_any wake;
  bool driven = false;
  bool changed = false;
  HealerCore core;
  std::map<std::string, std::shared_ptr<const Strategy>, std::less<>> strategies;  // never fewer
  std::vector<Pending> pending;
  std::vector<Answer> answers;
  Workers workers;  // last: its threads end before the rest does
};

std::shared_ptr<const Strategy> Healer::Shared::strategy_of(const Remedy& remedy) const {
  const auto found = strategies.find(remedy.strategy);
  return found == strategies.end() ? nullptr : found->second;
}

std::string Healer::Shared::unknown_strategy(const Check& check) const {
  for (const Remedy& remedy : check.remedies) {
    if (remedy.strategy.empty() || strategy_of(remedy) != nullptr) continue;
    std::string known;
    for (const auto& [name, strategy] : strategies) known += (known.empty() ? "" : ", ") + name;
    return "check " + check.id + ": no strategy " + remedy.strategy +
           " is registered; known are: " + (known.empty() ? "none" : known);
  }
  return {};
}

void Healer::Shared::launch(const Call& call) {
  const std::shared_ptr<const Check> check = core.check(call.check);
  Duration timeout = check->policy.timeout;
  std::function<void()> job = [this, call, check] { perform(call, *check, {}); };
  if (call.kind == CallKind::remedy) {
    const Remedy& remedy = check->remedies[call.remedy];
    timeout = remedy.timeout;
    job = [this, call, check, strategy = strategy_of(remedy), context = core.repair_context(call.check)] {
      perform_remedy(call, *check, strategy.get(), context);
    };
  }
  if (call.kind == CallKind::escalation) {
    timeout = std::min<Duration>(options.escalation_timeout, std::chrono::hours(24));
    job = [this, call, check, escalation = core.escalation(call.check)] { perform(call, *check, escalation); };
  }
  pending.push_back({call, timeout, Steady::now() + timeout});
  if (workers.submit(std::move(job))) return;
  answers.push_back({.call = call, .seen = {.result = Result::unknown, .reason = Reason::no_descriptors}});
  answers.back().detail = "no thread to run it";
}

void Healer::Shared::perform(const Call& call, const Check& check, const Escalation& escalation) {
  Answer answer{.call = call};
  const auto began = Steady::now();
  if (call.kind == CallKind::look) look(check, answer);
  if (call.kind == CallKind::escalation) {
    answer.escalated = !options.escalate || survives([&] { options.escalate(escalation); }, answer.detail);
  }
  ended(std::move(answer), began);
}

void Healer::Shared::perform_remedy(const Call& call, const Check& check, const Strategy* strategy,
                                    const RepairContext& context) {
  Answer answer{.call = call};
  const auto began = Steady::now();
  repair(check.remedies[call.remedy], strategy, context, answer);
  ended(std::move(answer), began);
}

void Healer::Shared::ended(Answer answer, Steady::time_point began) {
  answer.took = Steady::now() - began;
  const std::lock_guard lock(mutex);
  answers.push_back(std::move(answer));
  wake.notify_all();
}

void Healer::Shared::absorb(Instant now) {
  for (Answer& answer : std::exchange(answers, {})) {
    const auto found =
        std::ranges::find_if(pending, [&](const Pending& each) { return each.call.id == answer.call.id; });
    const Pending entry = *found;
    pending.erase(found);
    const Call& call = entry.call;
    if (!entry.expired && answer.took > entry.timeout) core.timed_out(call, now);
    if (call.kind == CallKind::look) core.look_done(call, answer.seen, std::move(answer.detail), now);
    if (call.kind == CallKind::remedy) core.remedy_done(call, answer.remedy, answer.detail, now);
    if (call.kind == CallKind::escalation) core.escalation_done(call, answer.escalated, answer.detail, now);
  }
}

void Healer::Shared::expire(Instant now) {
  const auto at = Steady::now();
  for (Pending& entry : pending) {
    if (entry.expired || entry.deadline > at) continue;
    entry.expired = true;
    core.timed_out(entry.call, now);
  }
}

std::optional<Steady::time_point> Healer::Shared::first_timeout() const {
  std::optional<Steady::time_point> first;
  for (const Pending& entry : pending) {
    if (!entry.expired && (!first || entry.deadline < *first)) first = entry.deadline;
  }
  return first;
}

void Healer::Shared::advance(Instant now) {
  absorb(now);
  expire(now);
  for (const Call& call : core.due(now)) launch(call);
}

Healer::Healer(HealerOptions options) : shared_(std::make_unique<Shared>(std::move(options))) {}
Healer::~Healer() = default;

std::expected<void, std::string> Healer::register_strategy(Strategy strategy) {
  if (strategy.name.empty()) return std::unexpected("a strategy needs a name");
  if (!strategy.execute) return std::unexpected("strategy " + strategy.name + ": execute is not set");
  const std::lock_guard lock(shared_->mutex);
  const std::string name = strategy.name;
  const auto [at, fresh] = shared_->strategies.try_emplace(name, std::make_shared<const Strategy>(std::move(strategy)));
  if (!fresh) return std::unexpected("strategy " + name + ": the name is taken");
  return {};
}

std::expected<void, std::string> Healer::add(Check check) {
  for (Remedy& remedy : check.remedies) {
    if (remedy.name.empty()) remedy.name = remedy.strategy;
  }
  const std::lock_guard lock(shared_->mutex);
  if (std::string wrong = shared_->unknown_strategy(check); !wrong.empty()) return std::unexpected(std::move(wrong));
  auto added = shared_->core.add(std::make_shared<const Check>(std::move(check)));
  shared_->changed = true;
  shared_->wake.notify_all();
  return added;
}

Instant Healer::run_once(Instant now) {
  Shared& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  if (shared.driven) return shared.core.next_deadline();
  shared.driven = true;
  shared.core.place(now, false);
  for (;;) {
    shared.advance(now);
    if (!shared.answers.empty()) continue;
    const auto timeout = shared.first_timeout();
    if (!timeout) break;
    shared.wake.wait_until(lock, *timeout, [&] { return !shared.answers.empty(); });
  }
  shared.driven = false;
  return shared.core.next_deadline();
}

void Healer::run(std::stop_token stop) {
  Shared& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  if (shared.driven) return;
  shared.driven = true;
  while (!stop.stop_requested()) {
    const Instant now = steady_now();
    shared.changed = false;
    shared.core.place(now, true);
    shared.advance(now);
    const Instant soon = now + std::chrono::hours(1);
    auto until = Steady::time_point(std::min(shared.core.next_deadline(), soon).time_since_epoch());
    if (const auto timeout = shared.first_timeout()) until = std::min(until, *timeout);
    shared.wake.wait_until(lock, stop, until, [&] { return !shared.answers.empty() || shared.changed; });
  }
  shared.driven = false;
}

std::vector<CheckState> Healer::states() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->core.states();
}

std::optional<CheckState> Healer::state(std::string_view id) const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->core.state(id);
}

std::vector<HealingEvent> Healer::history() const {
  const std::lock_guard lock(shared_->mutex);
  const auto& history = shared_->core.history();
  return {history.begin(), history.end()};
}

}  // namespace homeostat
