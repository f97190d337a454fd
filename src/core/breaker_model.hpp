// For tests: the circuit breaker's rules said again in the slow, obvious way. It keeps every call and counts anew each
// time; BreakerMachine must agree with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "homeostat/breaker_machine.hpp"

namespace homeostat {

class SlowBreaker {
 public:
  explicit SlowBreaker(const BreakerOptions& options) : o_(options) {}

  struct Ticket {
    std::uint64_t era = 0;
  };

  std::optional<Ticket> acquire(Instant now) {
    look(now);
    if (state == BreakerState::open && now >= probe_at) change(BreakerState::half_open, now);
    const bool full = state == BreakerState::half_open && probes >= o_.half_open_max_calls;
    if (state == BreakerState::open || state == BreakerState::forced_open || full) {
      ++rejected;
      return std::nullopt;
    }
    if (state == BreakerState::half_open) {
      ++probes;
      last_probe = now;
    }
    return Ticket{era};
  }

  void finish(Ticket ticket, const BreakerMachine::Result& result, Instant now) {
    look(now);
    if (ticket.era != era) return;
    if (state == BreakerState::half_open) --probes;
    if (result.outcome == CallOutcome::ignored || state == BreakerState::disabled) return;
    const bool slow = o_.slow_rate > 0 && result.took > o_.slow_above;
    calls.push_back({now, result.outcome == CallOutcome::failure, slow});
    if (state == BreakerState::half_open) return judge_probes(now);
    if (state == BreakerState::closed && broken(now)) change(BreakerState::open, now);
  }

  bool force(BreakerState to, Instant now) {
    look(now);
    if (to == BreakerState::probe_due) return false;
    if (to == BreakerState::half_open && state == BreakerState::closed) return false;
    change(to, now);
    return true;
  }

  BreakerCounts counts(Instant now) const {
    BreakerCounts counts;
    for (const Call& call : seen(now)) {
      ++counts.calls;
      counts.failures += call.failed ? 1 : 0;
      counts.slow += call.slow ? 1 : 0;
    }
    counts.consecutive_failures = run_of_failures();
    counts.not_permitted = rejected;
    return counts;
  }

  BreakerState state = BreakerState::closed;
  Instant probe_at = kNever;

 private:
  struct Call {
    Instant at;
    bool failed;
    bool slow;
  };

  void look(Instant now) {
    if (state == BreakerState::half_open && probes > 0 && now >= last_probe + o_.half_open_for) {
      ++era;
      probes = 0;
    }
  }

  void change(BreakerState to, Instant now) {
    ++era;
    probes = 0;
    state = to;
    const bool open = to == BreakerState::open;
    if (!open) {
      calls.clear();
      rejected = 0;
      probing = to == BreakerState::half_open;
    }
    if (open || to == BreakerState::forced_open) ++openings;
    if (!open && to != BreakerState::forced_open && to != BreakerState::half_open) openings = 0;
    double wait = static_cast<double>(std::min(o_.open_for, o_.open_cap).count());
    for (std::uint32_t i = 1; i < openings; ++i) {
      wait = std::min(wait * o_.open_factor, static_cast<double>(o_.open_cap.count()));
    }
    probe_at = open ? now + Duration(static_cast<std::int64_t>(wait)) : kNever;
  }

  std::uint64_t run_of_failures() const {
    const auto last_good = std::find_if(calls.rbegin(), calls.rend(), [](const Call& call) { return !call.failed; });
    return static_cast<std::uint64_t>(last_good - calls.rbegin());
  }

  std::vector<Call> seen(Instant now) const {
    if (probing) return calls;
    std::vector<Call> result;
    if (o_.window_time == Duration{}) {
      const std::size_t n = std::min<std::size_t>(calls.size(), o_.window_calls);
      result.assign(calls.end() - static_cast<std::ptrdiff_t>(n), calls.end());
      return result;
    }
    const Duration width = o_.window_time / o_.window_buckets;
    const auto bucket = [&](Instant at) { return at.time_since_epoch() / width; };
    for (const Call& call : calls) {
      if (bucket(call.at) > bucket(now) - static_cast<std::int64_t>(o_.window_buckets)) result.push_back(call);
    }
    return result;
  }

  bool rates_broken(Instant now, std::uint64_t needed) const {
    const BreakerCounts c = counts(now);
    if (c.calls == 0 || c.calls < needed) return false;
    const auto rate = [&](std::uint64_t part) {
      return 100 * static_cast<double>(part) / static_cast<double>(c.calls);
    };
    return (o_.failure_rate > 0 && rate(c.failures) >= o_.failure_rate) ||
           (o_.slow_rate > 0 && rate(c.slow) >= o_.slow_rate);
  }

  bool broken(Instant now) const {
    if (o_.consecutive_failures > 0 && run_of_failures() >= o_.consecutive_failures) return true;
    return rates_broken(now, o_.min_calls);
  }

  void judge_probes(Instant now) {
    if (o_.half_open_by_rate) {
      if (calls.size() < o_.success_threshold) return;
      const bool run = o_.consecutive_failures > 0 && run_of_failures() >= o_.consecutive_failures;
      return change(run || rates_broken(now, 0) ? BreakerState::open : BreakerState::closed, now);
    }
    if (calls.back().failed || calls.back().slow) return change(BreakerState::open, now);
    if (calls.size() >= o_.success_threshold) change(BreakerState::closed, now);
  }

  BreakerOptions o_;
  std::vector<Call> calls;
  std::uint64_t era = 0;
  std::uint64_t rejected = 0;
  std::uint32_t probes = 0;
  std::uint32_t openings = 0;
  bool probing = false;
  Instant last_probe{};
};

}  // namespace homeostat
