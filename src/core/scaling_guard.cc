#include "core/scaling_guard.hpp"

#include "core/scaling_math.hpp"

namespace homeostat {
namespace {

constexpr Duration kFlapWindow = std::chrono::hours(1);
constexpr std::int64_t kWeight = 4;  // of what is known against one new measurement

/// What presses for more instances: measured / target in millionths, or what waits.
std::optional<std::int64_t> pressure_of(const MetricTrace& metric) {
  if (metric.fault != MetricFault::none || !metric.measured) return std::nullopt;
  if (metric.ahead) return metric.measured;
  if (metric.target <= 0) return std::nullopt;
  return saturate(Wide{*metric.measured} * kMillion / metric.target);
}

/// What will press if nothing is added.
std::optional<std::int64_t> pressure_ahead(const MetricTrace& metric) {
  return metric.fault == MetricFault::none && metric.ahead ? metric.ahead : pressure_of(metric);
}

std::int64_t serving(const ScalingDecision& out, std::size_t metric) { return out.metrics[metric].ready; }

void hold(ScalingDecision& out, ScalingRule rule, std::int32_t at) {
  if (out.desired == at) return;
  out.without = out.desired;
  out.desired = at;
  out.rule = rule;
}

bool flapped_too_often(const ScalingPolicy& policy, const ScalingHistory& history, Instant now) {
  if (policy.flap_budget <= 0 || history.up_at == kLongAgo || history.down_at > history.up_at) return false;
  const auto recent =
      std::count_if(history.turns.begin(), history.turns.end(), [&](Instant turn) { return now - turn < kFlapWindow; });
  return recent >= policy.flap_budget;
}

}  // namespace

CountRange range_now(const ScalingPolicy& policy, std::span<const LocalMinutes> local) {
  std::optional<std::int32_t> min;
  std::optional<std::int32_t> max;
  for (std::size_t i = 0; i < policy.schedules.size() && i < local.size(); ++i) {
    const ScalingSchedule& schedule = policy.schedules[i];
    if (!active(schedule, local[i])) continue;
    if (schedule.min) min = std::max(min.value_or(*schedule.min), *schedule.min);
    if (schedule.max) max = std::max(max.value_or(*schedule.max), *schedule.max);
  }
  CountRange range{min.value_or(policy.range.min), max.value_or(policy.range.max)};
  range.max = std::max(range.max, range.min);
  return range;
}

void learn_start_time(ScalingHistory& history, std::span<const ScalingInstance> instances, Instant now) {
  for (const ScalingInstance& instance : instances) {
    if (!instance.started || !instance.first_ready || *instance.first_ready > now) continue;
    if (*instance.first_ready <= *instance.started || *instance.first_ready <= history.decided_at) continue;
    const Duration took = *instance.first_ready - *instance.started;
    history.start_time =
        history.start_time == Duration{} ? took : (history.start_time * (kWeight - 1) + took) / kWeight;
  }
}

Activity activity(const ScalingPolicy& policy, ScalingHistory& history, Instant now, const ScalingDecision& out) {
  const auto index = static_cast<std::size_t>(policy.activation.metric);
  if (policy.activation.metric < 0 || index >= out.metrics.size()) return Activity::off;
  if (history.active_at == kLongAgo) history.active_at = now;  // the first sight
  const MetricTrace& metric = out.metrics[index];
  if (metric.fault != MetricFault::none || !metric.measured) return Activity::unknown;
  if (*metric.measured > policy.activation.above) {
    history.active_at = now;
    return Activity::in_use;
  }
  return now - history.active_at < policy.activation.idle_for && out.current > 0 ? Activity::unknown : Activity::idle;
}

void expect_help(const ScalingPolicy& policy, ScalingHistory& history, const ScalingDecision& decision) {
  if (policy.help.tries <= 0 || decision.winner < 0 || history.help.waiting) return;
  const auto winner = static_cast<std::size_t>(decision.winner);
  const auto ahead = pressure_ahead(decision.metrics[winner]);
  if (!ahead) return;
  history.help.waiting = true;
  history.help.metric = policy.metrics[winner].id;
  history.help.wanted = decision.desired;
  history.help.before = *ahead;
  history.help.ready_at = kNever;
}

void watch_help(const ScalingPolicy& policy, ScalingHistory& history, Instant now, const ScalingDecision& out) {
  HelpMemory& help = history.help;
  if (!help.waiting) return;
  for (std::size_t i = 0; i < out.metrics.size(); ++i) {
    if (policy.metrics[i].id != help.metric) continue;
    if (help.ready_at == kNever && serving(out, i) >= help.wanted) help.ready_at = now;
    if (help.ready_at == kNever || now - help.ready_at < policy.help.settle) return;
    const auto pressure = pressure_of(out.metrics[i]);
    if (!pressure) return;
    help.waiting = false;
    const bool helped = Wide{*pressure} * kMillion <= Wide{help.before} * (kMillion - policy.help.improvement);
    help.failed = helped ? 0 : help.failed + 1;
    if (help.failed < policy.help.tries) return;
    help.failed = 0;
    help.hold_until = later(now, policy.help.hold);
    return;
  }
  help.waiting = false;  // the metric is gone
}

void guard(const ScalingPolicy& policy, const ScalingHistory& history, const ScalingControl& control, Instant now,
           ScalingDecision& out) {
  out.hand_over = history.help.hold_until > now;
  const std::int32_t current = out.current;
  const bool in_bounds = current >= out.range.min && current <= out.range.max;
  if (in_bounds && out.desired > current && out.hand_over) hold(out, ScalingRule::no_help, current);
  if (in_bounds && out.desired < current && flapped_too_often(policy, history, now))
    hold(out, ScalingRule::flap_budget, current);
  if (out.desired < current && control.repairing) hold(out, ScalingRule::repairing, current);
  if (out.desired > current && control.freeze_up) hold(out, ScalingRule::frozen, current);
  if (out.desired < current && control.freeze_down) hold(out, ScalingRule::frozen, current);
  if (control.by_hand) hold(out, ScalingRule::by_hand, std::clamp(*control.by_hand, out.range.min, out.range.max));
  if (control.paused) hold(out, ScalingRule::paused, current);
  out.act = !policy.shadow;
}

void note_turn(ScalingHistory& history, Instant now) {
  std::erase_if(history.turns, [&](Instant turn) { return now - turn >= kFlapWindow; });
  if (history.up_at <= history.down_at) return;
  if (history.turns.size() >= kMostRemembered) history.turns.erase(history.turns.begin());
  history.turns.push_back(now);
}

}  // namespace homeostat
