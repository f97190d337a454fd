// The health of one target as seen by one check: streaks, thresholds, start-up grace, flapping.
#pragma once

#include <compare>
#include <cstdint>

#include "homeostat/observation.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// How often a check runs and how many runs make a verdict. Zero durations and counts mean "off" where noted.
struct CheckPolicy {
  Duration interval = std::chrono::seconds(5);
  /// Between the first failure and the verdict, while recovering and while starting.
  Duration fast_interval = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(2);
  std::uint32_t failure_threshold = 3;
  std::uint32_t success_threshold = 2;
  /// Failures do not count for this long after a start; the first success ends it. 0: no grace.
  Duration startup_grace = std::chrono::seconds(60);
  /// A success slower than this is `degraded`. 0: off.
  Duration degraded_above{};
  /// This many failures in one failing run make the status critical. 0: off.
  std::uint32_t critical_after = 0;

  friend auto operator<=>(const CheckPolicy&, const CheckPolicy&) = default;
};

/// What one observation changed; `verdict` and `recovered` are the edges that the remediation acts on.
struct HealthChange {
  Status from = Status::unknown;
  Status to = Status::unknown;
  bool verdict = false;
  bool recovered = false;
  bool confirmed = false;  // the needed run of successes is complete, for the first time since a failure or a start
  bool flapping_changed = false;

  constexpr bool any() const { return from != to || verdict || recovered || confirmed || flapping_changed; }
};

/// One (check, instance) pair. A pure state machine; it is told the time and never reads a clock.
///
/// unknown --success--> passing --failure_threshold failures--> failing --success_threshold successes--> passing.
/// Observations `unknown` neither count nor reset anything, but failure_threshold of them in a row make the status
/// unknown until something is seen again. Flapping: of the last 20 pairs of neighbouring results, 30 % or more
/// differ (until fewer than 25 % do, the hysteresis Nagios and Icinga use); while it lasts, three times as many
/// successes are asked for.
class Health {
 public:
  /// Counts one observation. `at` is when it completed; it must not precede earlier calls.
  HealthChange observe(const CheckPolicy& policy, const Observation& seen, Instant at);

  /// The target is being started or restarted at `at`: streaks begin anew, the grace begins. A verdict stays until
  /// recovery is verified.
  void begin_startup(Instant at);

  /// Nothing is known any more (a gap in time, a changed target). Keeps the flapping history.
  void forget();

  Status status() const;
  bool failing() const { return phase_ == Phase::failing; }
  /// True from a start until the first result that counts.
  bool starting() const { return starting_; }
  bool flapping() const { return flapping_; }
  /// True while so many runs in a row could not look that nothing is known.
  bool blind() const { return blind_; }
  /// True from success_threshold successes in a row (more while flapping) until the next failure or start.
  bool confirmed() const { return confirmed_; }
  /// True while runs should follow each other at fast_interval.
  bool wants_fast(const CheckPolicy& policy) const;
  /// Successes in a row that are needed for a recovery now.
  std::uint32_t needed(const CheckPolicy& policy) const {
    return flapping_ ? policy.success_threshold * 3 : policy.success_threshold;
  }

  std::uint32_t failures() const { return failures_; }
  std::uint32_t successes() const { return successes_; }
  /// Of the current failing run; meaningful while failures() > 0.
  Instant first_failure() const { return first_failure_; }
  /// Of the current run of successes; meaningful while successes() > 0.
  Instant first_success() const { return since_; }
  /// Of the last observation that was not unknown; kLongAgo before the first.
  Instant last_seen() const { return last_seen_; }
  /// Its latency is rounded up to microseconds, and 71 minutes at most.
  Observation last() const {
    return {last_result_, last_reason_, last_code_, std::chrono::microseconds(last_latency_)};
  }

  /// Names every field once, for saving, loading and hashing.
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("first_failure", self.first_failure_);
    visit("since", self.since_);
    visit("last_seen", self.last_seen_);
    visit("last_code", self.last_code_);
    visit("last_latency", self.last_latency_);
    visit("failures", self.failures_);
    visit("successes", self.successes_);
    visit("history", self.history_);
    visit("runs", self.runs_);
    visit("unknowns", self.unknowns_);
    visit("last_result", self.last_result_);
    visit("last_reason", self.last_reason_);
    visit("phase", self.phase_);
    visit("starting", self.starting_);
    visit("flapping", self.flapping_);
    visit("confirmed", self.confirmed_);
    visit("blind", self.blind_);
    visit("critical", self.critical_);
    visit("slow", self.slow_);
  };

 private:
  enum class Phase : std::uint8_t { unknown, passing, failing };

  void count_failure(const CheckPolicy& policy, const Observation& seen, Instant at, HealthChange& change);
  void count_success(const CheckPolicy& policy, Instant at, HealthChange& change);
  void remember(bool good, HealthChange& change);
  void keep_last(const CheckPolicy& policy, const Observation& seen);

  Instant first_failure_ = kLongAgo;
  Instant since_ = kLongAgo;  // while starting: of the start; then: of the first of the successes in a row
  Instant last_seen_ = kLongAgo;
  std::int32_t last_code_ = 0;
  std::uint32_t last_latency_ = 0;  // microseconds
  std::uint32_t failures_ = 0;
  std::uint32_t successes_ = 0;
  std::uint32_t history_ = 0;   // one bit a result, newest lowest
  std::uint16_t unknowns_ = 0;  // in a row
  std::uint8_t runs_ = 0;       // results in history_, at most 21
  Result last_result_ = Result::unknown;
  Reason last_reason_ = Reason::none;
  Phase phase_ = Phase::unknown;
  bool starting_ = false;
  bool flapping_ = false;
  bool confirmed_ = false;
  bool blind_ = false;
  bool critical_ = false;
  bool slow_ = false;  // the last good result was degraded
};

static_assert(sizeof(Health) <= 56, "one of these exists for every check of every instance");

}  // namespace homeostat
