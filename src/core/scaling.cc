#include "homeostat/scaling.hpp"

#include "core/planted.hpp"
#include "core/scaling_form.hpp"
#include "core/scaling_guard.hpp"
#include "core/scaling_limits.hpp"
#include "core/scaling_math.hpp"
#include "core/scaling_metric.hpp"

namespace homeostat {
namespace {

constexpr std::int32_t kNoMetric = -1;

/// The largest of the valid proposals wins.
void combine(ScalingDecision& out) {
  for (std::size_t i = 0; i < out.metrics.size(); ++i) {
    const MetricTrace& metric = out.metrics[i];
    const auto index = static_cast<std::int32_t>(i);
    if (metric.fault != MetricFault::none) {
      if (out.fault == MetricFault::none) out.fault_metric = index;
      if (out.fault == MetricFault::none) out.fault = metric.fault;
    } else if (out.winner == kNoMetric || metric.proposal > out.proposal) {
      out.proposal = metric.proposal;
      out.winner = index;
    }
  }
}

/// What stands between the proposal and the result; each rule can be left out, to say what it did.
class Bounds {
 public:
  Bounds(const ScalingPolicy& policy, const ScalingHistory& history, Instant now, const ScalingDecision& decision)
      : policy_(policy), history_(history), now_(now), current_(decision.current), range_(decision.range) {}

  Stabilized stabilized(std::int32_t proposal) const {
    return policy_.behavior ? stabilize(history_, current_, proposal, policy_.up.window, policy_.down.window, now_)
                            : stabilize_plain(history_, proposal, policy_.plain_window, now_);
  }
  Limited limited(std::int32_t desired, ScalingRule but = ScalingRule::metrics) const {
    CountRange range = range_;
    if (but == ScalingRule::max) range.max = kMostInstances;
    if (but == ScalingRule::min) range.min = 0;
    if (but == ScalingRule::up_limit || but == ScalingRule::down_limit)
      return {std::clamp(desired, range.min, range.max), desired, ScalingRule::metrics};
    return policy_.behavior ? limit_rate(policy_, range, history_, current_, desired, now_)
                            : limit_plain(range, current_, desired);
  }
  /// From the proposal of the metrics to the result, for when a rule before it all is left out.
  std::int32_t result(std::int32_t proposal) const { return limited(stabilized(proposal).result).result; }

 private:
  const ScalingPolicy& policy_;
  const ScalingHistory& history_;
  Instant now_;
  std::int32_t current_;
  CountRange range_;
};

void conclude(ScalingDecision& out, std::int32_t desired, ScalingRule rule, std::int32_t without) {
  out.desired = desired;
  out.rule = rule;
  out.without = without;
}

void bind(const ScalingPolicy& policy, ScalingHistory& history, Instant now, ScalingDecision& out) {
  const Bounds bounds(policy, history, now, out);
  out.stable = bounds.stabilized(out.proposal);
  const Limited limited = bounds.limited(out.stable.result);
  out.limit = limited.limit;
  out.limited = limited.rule;
  if (limited.rule != ScalingRule::metrics) {
    conclude(out, limited.result, limited.rule, bounds.limited(out.stable.result, limited.rule).result);
  } else if (out.stable.result != out.proposal) {
    const ScalingRule rule =
        out.stable.result < out.proposal ? ScalingRule::stabilized_up : ScalingRule::stabilized_down;
    conclude(out, limited.result, rule, bounds.limited(out.proposal).result);
  } else {
    conclude(out, limited.result, ScalingRule::metrics, limited.result);
  }
  remember(history, out.proposal,
           policy.behavior ? std::max(policy.up.window, policy.down.window) : policy.plain_window, now);
}

/// What is remembered for a rule follows its id, whatever its place among the rules.
void match_memories(const ScalingPolicy& policy, ScalingHistory& history, std::int32_t current, Instant now) {
  const auto same = [](const MetricMemory& memory, const MetricRule& rule) { return memory.id == rule.id; };
  if (std::ranges::equal(history.metrics, policy.metrics, same)) return;
  std::vector<MetricMemory> matched;
  for (const MetricRule& rule : policy.metrics) {
    const auto known = std::ranges::find(history.metrics, rule.id, &MetricMemory::id);
    matched.push_back(known == history.metrics.end() ? MetricMemory{rule.id, begin_panic_state(current, now)} : *known);
  }
  history.metrics = std::move(matched);
}

void measure(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
             ScalingDecision& out) {
  match_memories(policy, history, out.current, now);
  out.metrics.resize(policy.metrics.size());
  static constexpr MetricReading kUnread{MetricFault::unread};
  for (std::size_t i = 0; i < out.metrics.size(); ++i) {
    const MetricRule& rule = policy.metrics[i];
    const MetricReading& reading = i < input.readings.size() ? input.readings[i] : kUnread;
    if (is_form(rule.kind)) {
      propose_form(rule, reading, input, history, history.metrics[i], now, out.metrics[i]);
    } else {
      propose(policy, rule, reading, input.instances, input.counts, now, out.metrics[i]);
    }
  }
  combine(out);
  if (planted(Bug::fault_ignored) && out.winner != kNoMetric) out.fault = MetricFault::none;
  // Nothing runs that could measure: that is no failure of the source.
  const bool failed = out.fault != MetricFault::none && out.fault != MetricFault::no_instances;
  history.failures = failed ? std::min(history.failures, kMostInstances - 1) + 1 : 0;
}

void begin(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
           ScalingDecision& out) {
  out.current = input.counts.wanted;
  out.range = range_now(policy, input.local);
  out.range.min = std::max(out.range.min, std::min(input.control.at_least, out.range.max));
  if (planted(Bug::bounds_ignored)) out.range.min = 0;
  out.weighed = false;
  out.fault = MetricFault::none;
  out.fault_metric = kNoMetric;
  out.winner = kNoMetric;
  out.proposal = out.limit = out.current;
  out.stable = {out.current, out.current, out.current};
  out.limited = ScalingRule::metrics;
  if (!history.seeded) history.recommendations.push_back({out.current, now});
  history.seeded = true;
}

/// Binds another proposal than the metrics'. `rule` is to blame unless something later bound, too.
void bind_instead(const ScalingPolicy& policy, ScalingHistory& history, Instant now, std::int32_t proposal,
                  ScalingRule rule, ScalingDecision& out) {
  const std::int32_t without = Bounds(policy, history, now, out).result(out.proposal);
  out.proposal = proposal;
  bind(policy, history, now, out);
  if (out.rule == ScalingRule::metrics) conclude(out, out.desired, rule, without);
}

void weigh(const ScalingPolicy& policy, ScalingHistory& history, Instant now, ScalingDecision& out) {
  const Activity use = activity(policy, history, now, out);
  const bool missing = out.fault != MetricFault::none;
  if (use == Activity::idle && (out.current == 0 || !missing))
    return bind_instead(policy, history, now, 0, ScalingRule::idle, out);
  const bool none = out.winner == kNoMetric;
  if (use == Activity::in_use && (none || out.proposal < 1) && (out.current == 0 || !missing))
    return bind_instead(policy, history, now, 1, ScalingRule::not_idle, out);
  if (use == Activity::unknown && out.proposal < 1 && out.current > 0 && !missing)
    return bind_instead(policy, history, now, 1, ScalingRule::not_idle, out);
  const FallbackRule& fallback = policy.fallback;
  if (missing && fallback.after > 0 && history.failures >= fallback.after) {
    const std::int32_t least = std::max({out.current, fallback.instances, none ? 0 : out.proposal});
    if (none || least > out.proposal) return bind_instead(policy, history, now, least, ScalingRule::fallback, out);
  }
  // A metric that is missing might have asked for more: without it nothing shrinks.
  if (none) return conclude(out, out.current, ScalingRule::invalid_metric, out.current);
  if (missing && out.proposal < out.current) {
    const std::int32_t without = Bounds(policy, history, now, out).result(out.proposal);
    return conclude(out, out.current, ScalingRule::invalid_metric, without);
  }
  bind(policy, history, now, out);
}

}  // namespace

void decide(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
            ScalingDecision& out) {
  begin(policy, history, input, now, out);
  learn_start_time(history, input.instances, now);
  measure(policy, history, input, now, out);
  watch_help(policy, history, now, out);
  // What the rules themselves cannot have put to zero was stopped by hand.
  if (out.current == 0 && policy.range.min != 0) {
    conclude(out, 0, ScalingRule::disabled, out.range.min);
  } else if (out.current > out.range.max) {
    conclude(out, out.range.max, ScalingRule::above_max, out.current);
  } else if (out.current < out.range.min) {
    conclude(out, out.range.min, ScalingRule::below_min, out.current);
  } else {
    out.weighed = true;
    weigh(policy, history, now, out);
  }
  guard(policy, history, input.control, now, out);
  history.decided_at = now;
}

void note_scaled(const ScalingPolicy& policy, ScalingHistory& history, const ScalingDecision& decision, Instant now) {
  const std::int32_t change = planted(Bug::speed_forgotten) ? 0 : decision.desired - decision.current;
  if (change > 0) {
    if (policy.behavior) store_event(history.ups, policy.up, change, now);
    history.up_at = now;
    expect_help(policy, history, decision);
  } else if (change < 0) {
    if (policy.behavior) store_event(history.downs, policy.down, -change, now);
    note_turn(history, now);
    history.down_at = now;
    history.help.waiting = false;
  }
}

}  // namespace homeostat
