#include "homeostat/scaling.hpp"

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

void measure(const ScalingPolicy& policy, const ScalingInput& input, Instant now, ScalingDecision& out) {
  out.measured = true;
  out.metrics.resize(policy.metrics.size());
  static constexpr MetricReading kUnread{MetricFault::unread};
  for (std::size_t i = 0; i < out.metrics.size(); ++i) {
    const MetricReading& reading = i < input.readings.size() ? input.readings[i] : kUnread;
    propose(policy, policy.metrics[i], reading, input.instances, input.counts, now, out.metrics[i]);
  }
  combine(out);
}

void begin(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
           ScalingDecision& out) {
  out.current = input.counts.wanted;
  out.range = policy.range;
  out.measured = false;
  out.fault = MetricFault::none;
  out.fault_metric = kNoMetric;
  out.winner = kNoMetric;
  out.proposal = out.limit = out.current;
  out.stable = {out.current, out.current, out.current};
  out.limited = ScalingRule::metrics;
  out.metrics.clear();
  if (!history.seeded) history.recommendations.push_back({out.current, now});
  history.seeded = true;
}

}  // namespace

void decide(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
            ScalingDecision& out) {
  begin(policy, history, input, now, out);
  if (out.current == 0 && out.range.min != 0) return conclude(out, 0, ScalingRule::disabled, out.range.min);
  if (out.current > out.range.max) return conclude(out, out.range.max, ScalingRule::above_max, out.current);
  if (out.current < out.range.min) return conclude(out, out.range.min, ScalingRule::below_min, out.current);
  measure(policy, input, now, out);
  // A metric that is missing might have asked for more: without it nothing shrinks.
  if (out.winner == kNoMetric) return conclude(out, out.current, ScalingRule::invalid_metric, out.current);
  if (out.fault != MetricFault::none && out.proposal < out.current) {
    const std::int32_t without = Bounds(policy, history, now, out).result(out.proposal);
    return conclude(out, out.current, ScalingRule::invalid_metric, without);
  }
  bind(policy, history, now, out);
}

void note_scaled(const ScalingPolicy& policy, ScalingHistory& history, std::int32_t from, std::int32_t to,
                 Instant now) {
  if (to == from || !policy.behavior) return;
  if (to > from) store_event(history.ups, policy.up, to - from, now);
  if (to < from) store_event(history.downs, policy.down, from - to, now);
}

}  // namespace homeostat
