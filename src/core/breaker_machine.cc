#include "homeostat/breaker_machine.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace homeostat {
namespace {

// A rate in millionths, so that the decision is one of integers.
std::uint64_t millionths(double percent) { return static_cast<std::uint64_t>(std::llround(percent * 10'000)); }

Duration times(Duration wait, double factor, Duration cap) {
  const double longer = static_cast<double>(wait.count()) * factor;
  return longer >= static_cast<double>(cap.count()) ? cap : Duration(static_cast<std::int64_t>(longer));
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

BreakerMachine::BreakerMachine(const BreakerOptions& options, const BreakerRules& rules)
    : options_(options),
      rules_(rules),
      calls_(window_size()),
      times_(bucket_width(), buckets()),
      probe_results_(most_probe_results()),
      random_(options.seed),
      events_(options.events) {}

bool BreakerMachine::due(Instant now) const {
  if (state_ != BreakerState::open) return false;
  return rules_.strictly_after ? now > open_until_ : now >= open_until_;
}

void BreakerMachine::settle(Instant now) {
  now_ = std::max(now_, now);
  if (timed()) times_.roll(now_);
  if (state_ != BreakerState::half_open || options_.half_open_for <= Duration{}) return;
  const bool decides = rules_.half_open_to_open || rules_.half_open_to_closed;
  const Instant over = later(decides ? since_ : last_probe_, options_.half_open_for);
  if (now_ >= over && (decides || probes_ > 0)) probe_time_over(over);
}

void BreakerMachine::probe_time_over(Instant at) {
  if (rules_.half_open_to_open) return enter(BreakerState::open, BreakerReason::timed_out, at);
  if (rules_.half_open_to_closed) return enter(BreakerState::closed, BreakerReason::timed_out, at);
  BreakerEvent event;
  event.kind = BreakerEvent::Kind::probes_lost;
  event.from = event.to = state_;
  event.probes = probes();
  tell(event);
  ++generation_;  // should they come back after all, they are late
  probes_ = 0;
  rejection_told_ = false;
}

void BreakerMachine::poll(Instant now, std::uint64_t overdue) {
  settle(now);
  overdue_ = overdue;
  if (overdue > 0 && counting()) judge({});
}

std::expected<BreakerMachine::Ticket, Rejected> BreakerMachine::acquire(Instant now) {
  settle(now);
  if (due(now_)) enter(BreakerState::half_open, BreakerReason::waited, now_);
  switch (state_) {
    case BreakerState::open:
      return reject(Rejected::Reason::open, open_until_ - now_);
    case BreakerState::forced_open:
      return reject(Rejected::Reason::forced_open, Duration::max());
    case BreakerState::half_open:
      if (probes_ >= static_cast<std::int64_t>(options_.half_open_max_calls)) {
        return reject(Rejected::Reason::probing, {});
      }
      ++probes_;
      last_probe_ = now_;
      break;
    default:
      break;
  }
  ++in_flight_;
  return Ticket{generation_};
}

std::unexpected<Rejected> BreakerMachine::reject(Rejected::Reason reason, Duration retry_after) {
  ++not_permitted_;
  if (!rejection_told_) {
    rejection_told_ = true;
    BreakerEvent event;
    event.kind = BreakerEvent::Kind::rejected;
    event.from = event.to = state_;
    tell(event);
  }
  return std::unexpected(Rejected{reason, retry_after});
}

void BreakerMachine::finish(Ticket ticket, const Result& result, Instant now) {
  settle(now);
  --in_flight_;
  if (ticket.generation != generation_ && !rules_.keep_late_results) return;
  if (state_ == BreakerState::half_open && (result.outcome == CallOutcome::ignored || !rules_.spend_probes)) --probes_;
  if (result.outcome == CallOutcome::ignored) return;
  if (state_ == BreakerState::forced_open || state_ == BreakerState::disabled) return;
  record(result);
  if (state_ == BreakerState::half_open) return judge_probe(result);
  if (counting()) judge(result);
}

void BreakerMachine::record(const Result& result) {
  const bool failed = result.outcome == CallOutcome::failure;
  if (failed) last_failure_ = now_;
  consecutive_failures_ = failed ? consecutive_failures_ + 1 : 0;
  if (probing_) return probe_results_.add(failed, slow(result.took));
  if (timed()) return times_.add(failed, slow(result.took));
  calls_.add(failed, slow(result.took));
}

void BreakerMachine::add_successes(std::uint64_t n) {
  if (n == 0 || !counting()) return;
  consecutive_failures_ = 0;
  timed() ? times_.add_successes(n) : calls_.add_successes(n);
  rule_told_ = rule_told_ && broken_rule() != TripRule::none;
}

WindowCounts BreakerMachine::window() const {
  if (probing_) return probe_results_.counts();
  return timed() ? times_.counts() : calls_.counts();
}

std::uint64_t BreakerMachine::needed_calls() const {
  return probing_ ? options_.success_threshold : options_.min_calls;
}

bool BreakerMachine::reached(std::uint64_t part, std::uint64_t whole, double percent) const {
  return percent > 0 && whole > 0 && whole >= needed_calls() && part * 1'000'000 >= millionths(percent) * whole;
}

TripRule BreakerMachine::broken_rule() const {
  if (options_.consecutive_failures > 0 && consecutive_failures_ >= options_.consecutive_failures) {
    return TripRule::consecutive_failures;
  }
  const WindowCounts seen = window();
  if (reached(seen.failures, seen.calls, options_.failure_rate)) return TripRule::failure_rate;
  if (reached(seen.slow + overdue_, seen.calls + overdue_, options_.slow_rate)) return TripRule::slow_rate;
  return TripRule::none;
}

void BreakerMachine::judge(const Result& result) {
  const TripRule rule = broken_rule();
  if (rule != TripRule::none && !rule_told_) {
    BreakerEvent event;
    event.kind = BreakerEvent::Kind::threshold;
    event.from = event.to = state_;
    event.rule = rule;
    tell(event);
  }
  rule_told_ = rule != TripRule::none;
  if (rule == TripRule::none || state_ == BreakerState::metrics_only) return;
  enter(BreakerState::open, BreakerReason::tripped, now_, rule, result.retry_after);
}

void BreakerMachine::judge_probe(const Result& result) {
  if (options_.half_open_by_rate) {
    if (window().calls < options_.success_threshold) return;
    const TripRule rule = broken_rule();
    if (rule == TripRule::none) return enter(BreakerState::closed, BreakerReason::proved, now_);
    return enter(BreakerState::open, BreakerReason::probe_failed, now_, rule, result.retry_after);
  }
  // A slow probe proves nothing where slowness opens the breaker.
  if (result.outcome == CallOutcome::failure || slow(result.took)) {
    return enter(BreakerState::open, BreakerReason::probe_failed, now_, TripRule::none, result.retry_after);
  }
  if (++proofs_ >= options_.success_threshold) enter(BreakerState::closed, BreakerReason::proved, now_);
}

void BreakerMachine::enter(BreakerState to, BreakerReason reason, Instant at, TripRule rule,
                           std::optional<Duration> wait) {
  BreakerEvent event;
  event.from = state_;
  event.to = to;
  event.reason = reason;
  event.rule = rule;
  event.counts = counts();
  ++generation_;
  state_ = to;
  since_ = last_probe_ = at;
  probes_ = 0;
  proofs_ = 0;
  rejection_told_ = false;
  rule_told_ = false;
  if (to == BreakerState::open || to == BreakerState::forced_open) {
    ++times_open_;
    opened_at_ = at;
  } else if (to != BreakerState::half_open) {
    times_open_ = 0;
  }
  open_until_ = kNever;
  if (to == BreakerState::open) {
    event.wait = wait ? std::clamp(*wait, Duration{}, options_.open_cap) : next_wait();
    open_until_ = later(at, event.wait);
  } else {
    probing_ = to == BreakerState::half_open;
    clear_counts();
  }
  tell(event);
}

Duration BreakerMachine::next_wait() {
  Duration wait = std::min(options_.open_for, options_.open_cap);
  for (std::uint32_t i = 1; i < times_open_ && wait < options_.open_cap && options_.open_factor > 1; ++i) {
    wait = times(wait, options_.open_factor, options_.open_cap);
    if (rules_.whole_milliseconds) wait = std::chrono::floor<std::chrono::milliseconds>(wait);
  }
  if (options_.open_jitter <= 0) return wait;
  const auto spread = static_cast<std::int64_t>(static_cast<double>(wait.count()) * options_.open_jitter / 100);
  const auto draw = random_.below(static_cast<std::uint64_t>(2 * spread + 1));
  return wait - Duration(spread) + Duration(static_cast<std::int64_t>(draw));
}

void BreakerMachine::clear_counts() {
  calls_.clear();
  times_.clear();
  probe_results_.clear();
  consecutive_failures_ = 0;
  not_permitted_ = 0;
  overdue_ = 0;
}

bool BreakerMachine::force(BreakerState to, Instant now) {
  settle(now);
  if (to == BreakerState::probe_due) return false;
  if (to == BreakerState::half_open && state_ == BreakerState::closed) return false;
  const bool opens = to == BreakerState::open || to == BreakerState::half_open;
  if (rules_.watch_never_opens && opens && state_ == BreakerState::metrics_only) return false;
  enter(to, BreakerReason::forced, now_);
  return true;
}

void BreakerMachine::restore_open(Instant opened_at, Instant probe_at, std::uint32_t times_open, Instant now) {
  settle(now);
  ++generation_;
  state_ = BreakerState::open;
  since_ = opened_at_ = opened_at;
  open_until_ = probe_at;
  times_open_ = times_open;
}

void BreakerMachine::reconfigure(const BreakerOptions& options) {
  const BreakerOptions before = std::exchange(options_, options);
  BreakerMachine fresh(options, rules_);
  if (before.window_calls != options.window_calls || before.window_time != options.window_time ||
      before.window_buckets != options.window_buckets) {
    calls_ = std::move(fresh.calls_);
    times_ = std::move(fresh.times_);
  }
  if (before.half_open_max_calls != options.half_open_max_calls ||
      before.success_threshold != options.success_threshold) {
    probe_results_ = std::move(fresh.probe_results_);
  }
  if (before.events != options.events) {
    std::vector<BreakerEvent> kept;
    while (auto event = take_event()) kept.push_back(*event);
    events_ = std::move(fresh.events_);
    first_event_ = 0;
    for (const BreakerEvent& event : kept) keep(event);
  }
}

bool BreakerMachine::intact() const {
  const bool events =
      events_.size() == options_.events && first_event_ < events_.size() && event_count_ <= events_.size();
  return events && calls_.intact(window_size()) && times_.intact(bucket_width(), buckets()) &&
         probe_results_.intact(most_probe_results()) && state_ <= BreakerState::metrics_only;
}

Instant BreakerMachine::successes_safe_until() const {
  if (!counting()) return kLongAgo;
  const bool rates = options_.failure_rate > 0 || options_.slow_rate > 0;
  if (rates && window().calls < needed_calls()) return kLongAgo;
  // The window has moved on since anything was judged: the next call, whatever it is, may find the rule broken.
  if (broken_rule() != TripRule::none) return kLongAgo;
  return timed() ? times_.next_roll() : kNever;
}

BreakerCounts BreakerMachine::counts() const {
  const WindowCounts seen = window();
  return {seen.calls, seen.failures, seen.slow, consecutive_failures_, not_permitted_};
}

BreakerStatus BreakerMachine::status(Instant now) const {
  TimeWindow times = times_;  // as of now; the machine is not touched by being looked at
  times.roll(std::max(now_, now));
  const WindowCounts seen = timed() && !probing_ ? times.counts() : window();
  BreakerStatus status;
  status.state = state(std::max(now_, now));
  status.calls = seen.calls;
  status.success_count = seen.calls - seen.failures;
  status.failure_count = seen.failures;
  status.slow_count = seen.slow;
  status.consecutive_failures = consecutive_failures_;
  if (seen.calls > 0 && seen.calls >= needed_calls()) {
    status.failure_rate = percent_of(seen.failures, seen.calls);
    status.slow_rate = percent_of(seen.slow + overdue_, seen.calls + overdue_);
  }
  status.in_flight = in_flight_ < 0 ? 0 : static_cast<std::uint64_t>(in_flight_);
  status.overdue = overdue_;
  status.not_permitted = not_permitted_;
  status.times_open = times_open_;
  status.last_failure_time = last_failure_;
  status.opened_at = opened_at_;
  status.probe_at = open_until_;
  return status;
}

std::optional<BreakerEvent> BreakerMachine::take_event() {
  if (event_count_ == 0) return std::nullopt;
  const BreakerEvent event = events_[first_event_];
  first_event_ = (first_event_ + 1) % events_.size();
  --event_count_;
  return event;
}

void BreakerMachine::tell(BreakerEvent event) {
  event.at = now_;
  if (event.kind != BreakerEvent::Kind::changed) event.counts = counts();
  keep(event);
}

void BreakerMachine::keep(BreakerEvent event) {
  if (event_count_ == events_.size()) {
    ++events_lost_;
    take_event();
  }
  event.lost = events_lost_;
  events_[(first_event_ + event_count_++) % events_.size()] = event;
}

}  // namespace homeostat
