#include "homeostat/health.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "core/planted.hpp"

namespace homeostat {
namespace {

constexpr std::uint8_t kHistory = 21;  // 20 pairs of neighbours
constexpr int kFlapStart = 6;          // 30 % of 20
constexpr int kFlapEnd = 5;            // below 25 % of 20

template <class T>
void increment(T& counter) {
  if (counter < std::numeric_limits<T>::max()) ++counter;
}

bool ended(const Observation& seen) { return seen.reason == Reason::exited || seen.reason == Reason::signalled; }

}  // namespace

HealthChange Health::observe(const CheckPolicy& policy, const Observation& seen, Instant at) {
  HealthChange change;
  change.from = status();
  keep_last(policy, seen);
  if (!seen.good() && !seen.bad()) {
    increment(unknowns_);
    if (unknowns_ >= std::min<std::uint32_t>(policy.failure_threshold, UINT16_MAX)) blind_ = true;
    change.to = status();
    return change;
  }
  unknowns_ = 0;
  blind_ = false;
  last_seen_ = at;
  if (seen.bad()) {
    count_failure(policy, seen, at, change);
  } else {
    count_success(policy, at, change);
  }
  change.to = status();
  return change;
}

void Health::keep_last(const CheckPolicy& policy, const Observation& seen) {
  const bool slow = seen.good() && policy.degraded_above > Duration{} && seen.latency > policy.degraded_above;
  last_result_ = slow ? Result::degraded : seen.result;
  last_reason_ = seen.reason;
  last_code_ = seen.code;
  const auto latency = std::chrono::ceil<std::chrono::microseconds>(seen.latency).count();
  last_latency_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(latency, 0, UINT32_MAX));
}

void Health::count_failure(const CheckPolicy& policy, const Observation& seen, Instant at, HealthChange& change) {
  successes_ = 0;
  confirmed_ = false;
  const bool in_grace = starting_ && at < later(since_, policy.startup_grace);
  if (in_grace && !ended(seen)) return;
  starting_ = false;
  remember(false, change);
  if (failures_ == 0) first_failure_ = at;
  increment(failures_);
  const bool enough = failures_ >= policy.failure_threshold || ended(seen) || planted(Bug::verdict_at_once);
  if (phase_ != Phase::failing && enough) {
    phase_ = Phase::failing;
    change.verdict = true;
  }
  if (policy.critical_after > 0 && failures_ >= policy.critical_after) critical_ = true;
}

void Health::count_success(const CheckPolicy& policy, Instant at, HealthChange& change) {
  starting_ = false;
  slow_ = last_result_ == Result::degraded;
  remember(true, change);
  if (successes_ == 0) since_ = at;
  increment(successes_);
  if (phase_ != Phase::failing) {
    phase_ = Phase::passing;
    failures_ = 0;
  }
  if (successes_ < needed(policy)) return;
  change.confirmed = !confirmed_;
  confirmed_ = true;
  if (phase_ == Phase::failing) {
    phase_ = Phase::passing;
    failures_ = 0;
    critical_ = false;
    change.recovered = true;
  }
}

void Health::remember(bool good, HealthChange& change) {
  history_ = (history_ << 1) | (good ? 1U : 0U);
  if (runs_ < kHistory) ++runs_;
  const std::uint32_t pairs = (1U << (runs_ - 1)) - 1;
  const int flips = std::popcount((history_ ^ (history_ >> 1)) & pairs);
  const bool now = flapping_ ? flips >= kFlapEnd : flips >= kFlapStart;
  change.flapping_changed = now != flapping_;
  flapping_ = now;
}

void Health::begin_startup(Instant at) {
  starting_ = true;
  since_ = at;
  successes_ = 0;
  confirmed_ = false;
  unknowns_ = 0;
  blind_ = false;
  if (phase_ == Phase::failing) return;
  failures_ = 0;
  phase_ = Phase::unknown;
}

void Health::forget() {
  const auto history = history_;
  const auto runs = runs_;
  const bool flapping = flapping_;
  *this = Health{};
  history_ = history;
  runs_ = runs;
  flapping_ = flapping;
}

Status Health::status() const {
  if (blind_ || phase_ == Phase::unknown) return Status::unknown;
  if (phase_ == Phase::failing) {
    if (successes_ > 0) return Status::degraded;
    return critical_ ? Status::critical : Status::unhealthy;
  }
  return slow_ ? Status::degraded : Status::healthy;
}

bool Health::wants_fast(const CheckPolicy& policy) const {
  if (starting_) return true;
  if (phase_ == Phase::failing) return successes_ > 0;
  if (failures_ > 0) return true;
  return phase_ == Phase::passing && !confirmed_ && successes_ < needed(policy);
}

}  // namespace homeostat
