// What stands between the metrics' proposal and the result: windows, rate limits, bounds.
#pragma once

#include "homeostat/scaling.hpp"

namespace homeostat {

/// Windows in both directions: it goes up only to what all recommendations of the up-window asked for, and down only
/// to the highest of the down-window.
Stabilized stabilize(const ScalingHistory& history, std::int32_t current, std::int32_t proposal, Duration up_window,
                     Duration down_window, Instant now);
/// A window downwards only: the highest recommendation of the window.
Stabilized stabilize_plain(const ScalingHistory& history, std::int32_t proposal, Duration window, Instant now);

/// Stores what the metrics asked for, in the last place whose entry is older than `window`.
void remember(ScalingHistory& history, std::int32_t proposal, Duration window, Instant now);

/// The sum of the changes of the last `period`.
std::int64_t change_within(std::span<const ScaleEvent> events, Duration period, Instant now);
/// Stores a change, in the last place whose entry is older than the longest period of the limits.
void store_event(std::vector<ScaleEvent>& events, const DirectionRules& rules, std::int32_t change, Instant now);

/// How far the limits let it go up or down by now.
std::int32_t up_limit(const ScalingHistory& history, const DirectionRules& rules, std::int32_t current, Instant now);
std::int32_t down_limit(const ScalingHistory& history, const DirectionRules& rules, std::int32_t current, Instant now);

struct Limited {
  std::int32_t result = 0;
  std::int32_t limit = 0;
  ScalingRule rule = ScalingRule::metrics;
};

/// Rate limits, then min and max. A limit holds at the current number; it never turns a change around.
Limited limit_rate(const ScalingPolicy& policy, CountRange range, const ScalingHistory& history, std::int32_t current,
                   std::int32_t desired, Instant now);
/// Twice as many or four, min and max.
Limited limit_plain(CountRange range, std::int32_t current, std::int32_t desired);

}  // namespace homeostat
