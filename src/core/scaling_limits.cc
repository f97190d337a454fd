#include "core/scaling_limits.hpp"

#include "core/scaling_math.hpp"

namespace homeostat {
namespace {

constexpr std::int32_t kPlainFactor = 2;
constexpr std::int32_t kPlainLeast = 4;

bool younger(Instant at, Duration window, Instant now) { return now - at < window; }
bool older(Instant at, Duration window, Instant now) { return now - at > window; }

/// Puts `entry` where `free` points, or at the end; when everything is full, in the place of the oldest.
template <class Entry>
void put(std::vector<Entry>& entries, Entry* free, const Entry& entry) {
  if (free == nullptr && entries.size() >= kMostRemembered) {
    const auto oldest =
        std::min_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
    free = &*oldest;
  }
  if (free != nullptr) {
    *free = entry;
  } else {
    entries.push_back(entry);
  }
}

/// How many there were at the start of the period, as if only the rules had changed their number.
Wide period_start(const ScalingHistory& history, Duration period, std::int32_t current, Instant now) {
  return Wide{current} - change_within(history.ups, period, now) + change_within(history.downs, period, now);
}

}  // namespace

Stabilized stabilize(const ScalingHistory& history, std::int32_t current, std::int32_t proposal, Duration up_window,
                     Duration down_window, Instant now) {
  Stabilized out{proposal, proposal, current};
  for (const Recommendation& one : history.recommendations) {
    if (younger(one.at, up_window, now)) out.low = std::min(out.low, one.instances);
    if (younger(one.at, down_window, now)) out.high = std::max(out.high, one.instances);
  }
  if (out.result < out.low) out.result = out.low;
  if (out.result > out.high) out.result = out.high;
  return out;
}

Stabilized stabilize_plain(const ScalingHistory& history, std::int32_t proposal, Duration window, Instant now) {
  Stabilized out{proposal, proposal, proposal};
  for (const Recommendation& one : history.recommendations) {
    if (!older(one.at, window, now)) out.high = std::max(out.high, one.instances);
  }
  out.result = out.high;
  return out;
}

void remember(ScalingHistory& history, std::int32_t proposal, Duration window, Instant now) {
  Recommendation* free = nullptr;
  for (Recommendation& one : history.recommendations) {
    if (older(one.at, window, now)) free = &one;
  }
  put(history.recommendations, free, {proposal, now});
}

std::int64_t change_within(std::span<const ScaleEvent> events, Duration period, Instant now) {
  std::int64_t change = 0;
  for (const ScaleEvent& event : events) {
    if (younger(event.at, period, now)) change += event.change;
  }
  return change;
}

void store_event(std::vector<ScaleEvent>& events, const DirectionRules& rules, std::int32_t change, Instant now) {
  Duration longest{};
  for (const RateLimit& limit : rules.limits) longest = std::max(longest, limit.period);
  ScaleEvent* free = nullptr;
  for (ScaleEvent& event : events) {
    if (older(event.at, longest, now)) event.outdated = true;
    if (event.outdated) free = &event;
  }
  put(events, free, {change, now, false});
}

std::int32_t up_limit(const ScalingHistory& history, const DirectionRules& rules, std::int32_t current, Instant now) {
  if (rules.select == LimitSelect::disabled) return current;
  const bool largest = rules.select == LimitSelect::largest;
  std::int32_t result = largest ? std::numeric_limits<std::int32_t>::min() : kMostInstances;
  for (const RateLimit& limit : rules.limits) {
    const Wide start = period_start(history, limit.period, current, now);
    // Rounded up: one percent of three instances would never move.
    const std::int32_t allowed = to_count(
        limit.unit == LimitUnit::instances ? start + limit.value : ceil_div(start * (100 + Wide{limit.value}), 100));
    result = largest ? std::max(result, allowed) : std::min(result, allowed);
  }
  return result;
}

std::int32_t down_limit(const ScalingHistory& history, const DirectionRules& rules, std::int32_t current, Instant now) {
  if (rules.select == LimitSelect::disabled) return current;
  const bool largest = rules.select == LimitSelect::largest;
  std::int32_t result = largest ? kMostInstances : std::numeric_limits<std::int32_t>::min();
  for (const RateLimit& limit : rules.limits) {
    const Wide start = period_start(history, limit.period, current, now);
    const std::int32_t allowed =
        to_count(limit.unit == LimitUnit::instances ? start - limit.value : start * (100 - Wide{limit.value}) / 100);
    result = largest ? std::min(result, allowed) : std::max(result, allowed);
  }
  return result;
}

Limited limit_rate(const ScalingPolicy& policy, CountRange range, const ScalingHistory& history, std::int32_t current,
                   std::int32_t desired, Instant now) {
  if (desired > current) {
    const std::int32_t fast = std::max(up_limit(history, policy.up, current, now), current);
    const std::int32_t most = std::min(range.max, fast);
    if (desired > most) return {most, most, range.max > fast ? ScalingRule::up_limit : ScalingRule::max};
    return {desired, most, ScalingRule::metrics};
  }
  if (desired < current) {
    const std::int32_t fast = std::min(down_limit(history, policy.down, current, now), current);
    const std::int32_t least = std::max(range.min, fast);
    if (desired < least) return {least, least, range.min < fast ? ScalingRule::down_limit : ScalingRule::min};
    return {desired, least, ScalingRule::metrics};
  }
  return {desired, desired, ScalingRule::metrics};
}

Limited limit_plain(CountRange range, std::int32_t current, std::int32_t desired) {
  const std::int32_t fast = to_count(std::max(Wide{current} * kPlainFactor, Wide{kPlainLeast}));
  const std::int32_t most = std::min(range.max, fast);
  if (desired < range.min) return {range.min, range.min, ScalingRule::min};
  if (desired > most) return {most, most, range.max > fast ? ScalingRule::up_limit : ScalingRule::max};
  return {desired, desired < current ? range.min : most, ScalingRule::metrics};
}

}  // namespace homeostat
