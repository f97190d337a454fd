// How well a service was kept: how fast failures were found and repaired, how long it ran, which repairs helped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat {

/// A half-open span [from, to). `to` == kNever: it has not ended.
struct Interval {
  Instant from{};
  Instant to = kNever;
  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

/// One incident of a service. Every incident counts as one failure, also when the service went on serving.
struct IncidentFacts {
  Instant first_failure{};             // of the run of failures that led to the verdict
  Instant verdict{};                   // when it was detected
  std::optional<Instant> recovered{};  // first success of the verified recovery; absent: still open
};

/// One try of one repair.
struct AttemptFacts {
  std::string strategy{};
  Instant began{};
  bool verified = false;      // the service's own checks proved the recovery; an exit code alone never does
  Duration time_to_repair{};  // from `began` to the first success of that recovery; meaningless unless verified
  std::string against{};      // what kind of failure it was meant for, in words of the program's own
  bool shadow = false;        // decided only, to see what would have been done
};

/// Everything known about one service; facts outside the window are ignored, intervals may overlap and be unsorted.
struct AvailabilityFacts {
  std::vector<IncidentFacts> incidents{};
  std::vector<Interval> down{};         // unhealthy or critical, from first failure to first success
  std::vector<Interval> unknown{};      // nobody could look
  std::vector<Interval> maintenance{};  // announced
  std::vector<AttemptFacts> attempts{};
};

/// What one strategy achieved in the window.
struct StrategyFigures {
  std::string strategy{};
  std::string against{};
  std::uint64_t attempts = 0;
  std::uint64_t verified = 0;
  std::uint64_t shadow = 0;  // decided and not done: no part of the others
  /// verified / attempts, 0 to 1; of no attempts 0.
  double rate = 0;
  /// Median of the verified attempts' time_to_repair (of an even number: the mean of the middle two). Absent: none
  /// was verified.
  std::optional<Duration> median_time_to_repair{};
};

/// The figures of one service over the window [from, to). An absent value means "none seen in the window": a mean of
/// nothing is never reported as zero, infinity or NaN.
///
/// Each event counts in the window it falls into: a failure by its first failure, a detection by its verdict, a repair
/// by its recovery. The durations between them are never cut at the window's edges; up and down time are.
struct Availability {
  Instant from{};
  Instant to{};

  /// Parts of the window; they add up to `to - from`. Where intervals overlap, maintenance hides unknown and unknown
  /// hides down; the rest is up. Only up and down time enter the figures below.
  Duration up{};
  Duration down{};
  Duration unknown{};
  Duration maintenance{};

  std::uint64_t failures = 0;  // incidents whose first failure lies in the window
  std::uint64_t detected = 0;  // incidents whose verdict lies in the window
  std::uint64_t repaired = 0;  // incidents whose recovery lies in the window
  std::uint64_t open = 0;      // incidents that began before the window's end and had not recovered by then

  /// Mean time to detect = sum(verdict - first failure) / detected. Nanoseconds, rounded down.
  /// Fault detection time: MIL-HDBK-338B (1998), section 3; not standardised as a mean, so it is defined here.
  std::optional<Duration> mttd{};
  /// Mean time to restoration = sum(recovered - first failure) / repaired: detection, repair and verification
  /// included. Nanoseconds, rounded down. IEC 60050-192:2015, 192-07-23.
  std::optional<Duration> mttr{};
  /// Mean operating time between failures = up / failures (the point estimate: total operating time over the number
  /// of failures). Nanoseconds, rounded down. IEC 60050-192:2015, 192-05-13; MIL-HDBK-338B (1998), section 3.
  std::optional<Duration> mtbf{};
  /// Availability A = MTBF / (MTBF + MTTR), 0 to 1: the steady-state value of these two means. MIL-HDBK-338B (1998),
  /// inherent availability. Absent without a failure or a repair in the window.
  std::optional<double> availability{};
  /// The directly measured share = up / (up + down), 0 to 1. It differs from A when failures did not take the service
  /// down or reach over an edge of the window. Absent when the whole window is unknown or maintenance.
  std::optional<double> uptime{};

  std::vector<StrategyFigures> strategies{};  // sorted by name; attempts count by when they began
};

/// The figures of one service over [from, to). An empty or reversed window gives no figures; of one that is longer than
/// the longest span (292 years), the end counts.
Availability measure_availability(const AvailabilityFacts& facts, Instant from, Instant to);

/// When a service of `total` instances went down: the first failure that left fewer than `min_healthy` instances, that
/// is the (total - min_healthy + 1)-th of the sorted first failures of the instances that are down. Absent: it is not
/// down. More than `total` is never asked for; with min_healthy 0 the service is never down.
std::optional<Instant> down_since(std::span<const Instant> first_failures, std::uint32_t total,
                                  std::uint32_t min_healthy);

/// When a service came up: the min_healthy-th of the sorted times since when its healthy instances are up. Absent: too
/// few are. With min_healthy 0 it has been up always (kLongAgo).
std::optional<Instant> up_since(std::span<const Instant> up_since, std::uint32_t min_healthy);

}  // namespace homeostat
