// Engine time: what every machine of the library is told instead of reading a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace homeostat {

/// Every span of time in the library, in nanoseconds.
using Duration = std::chrono::nanoseconds;

/// A clock without `now()`: the program that embeds the library tells the time, so that a test can tell any time.
struct EngineClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<EngineClock, Duration>;
  static constexpr bool is_steady = true;
};

/// A point in engine time. It never goes backwards; its zero means nothing by itself.
using Instant = EngineClock::time_point;

/// Later than every instant that occurs; stands for "no deadline".
inline constexpr Instant kNever = Instant::max();
/// Earlier than every instant that occurs; stands for "not yet".
inline constexpr Instant kLongAgo = Instant::min();

/// `at + span`, or kNever where that would overflow or `at` already is kNever; kLongAgo stays so. `span` must not be
/// negative.
constexpr Instant later(Instant at, Duration span) {
  if (at == kLongAgo) return kLongAgo;
  return at > kNever - span ? kNever : at + span;
}

/// `to - from`, or the longest span (292 years) where that would overflow; zero when `to` is not after `from`.
constexpr Duration span_between(Instant from, Instant to) {
  if (to <= from) return Duration{};
  const bool overflows = from < Instant{} && to > from + Duration::max();
  return overflows ? Duration::max() : to - from;
}

}  // namespace homeostat
