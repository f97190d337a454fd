// The decision for people.
#include "core/scaling_math.hpp"
#include "homeostat/scaling.hpp"

namespace homeostat {
namespace {

std::string count(std::int64_t number, std::string_view word) {
  return std::to_string(number) + " " + std::string(word) + (number == 1 ? "" : "s");
}

/// Why it does not go as far, or not where the metrics point to.
std::string reason_of(const ScalingPolicy& policy, const ScalingDecision& decision) {
  const std::string number = std::to_string(decision.limit);
  switch (decision.rule) {
    case ScalingRule::metrics:
      return {};
    case ScalingRule::disabled:
      return "it was stopped: from 0 it is started by hand only";
    case ScalingRule::above_max:
      return "more than the maximum run";
    case ScalingRule::below_min:
      return "fewer than the minimum run";
    case ScalingRule::invalid_metric:
      return "the metric " + policy.metrics[static_cast<std::size_t>(decision.fault_metric)].id + " is missing (" +
             std::string(to_string(decision.fault)) + "); without it nothing shrinks";
    case ScalingRule::stabilized_up:
      return "it was asked for less within the up-window";
    case ScalingRule::stabilized_down:
      return "it was asked for more within the down-window";
    case ScalingRule::up_limit:
      return "not faster up than to " + number + " now";
    case ScalingRule::down_limit:
      return "not faster down than to " + number + " now";
    case ScalingRule::max:
      return "the maximum is " + std::to_string(decision.range.max);
    case ScalingRule::min:
      return "the minimum is " + std::to_string(decision.range.min);
    case ScalingRule::fallback:
      return "a metric could not be read for long: the fallback holds";
    case ScalingRule::idle:
      return "it is not in use";
    case ScalingRule::not_idle:
      return "it is in use, or was until just now";
    case ScalingRule::no_help:
      return "what was added before did not move the metric: the cause is elsewhere";
    case ScalingRule::flap_budget:
      return "it has turned " + count(policy.flap_budget, "time") + " within the hour: it stays up";
    case ScalingRule::repairing:
      return "something of it is being repaired";
    case ScalingRule::frozen:
      return "this direction is frozen by hand";
    case ScalingRule::by_hand:
      return "the number was set by hand";
    case ScalingRule::paused:
      return "scaling is paused by hand";
  }
  return {};
}

std::string reason_of(const MetricTrace& metric) {
  if (metric.fault != MetricFault::none) return "no number: " + std::string(to_string(metric.fault));
  switch (metric.reason) {
    case ProposalReason::within_tolerance:
    case ProposalReason::within_band:
      return "near enough to its target";
    case ProposalReason::would_turn_around:
      return "with the instances that measured nothing it would go the other way";
    case ProposalReason::cooling_down:
      return "it was scaled in this direction just now";
    case ProposalReason::some_unmeasured:
      return "not all that serve were measured";
    case ProposalReason::starting_credited:
      return "those that are starting are enough";
    default:
      return {};
  }
}

}  // namespace

std::vector<RuleAdvice> recommend(const ScalingPolicy& policy, const ScalingDecision& decision) {
  std::vector<RuleAdvice> out;
  for (std::size_t i = 0; i < decision.metrics.size() && i < policy.metrics.size(); ++i) {
    const MetricRule& rule = policy.metrics[i];
    const MetricTrace& metric = decision.metrics[i];
    RuleAdvice advice{rule.id, decision.current};
    const bool own = rule.kind == MetricKind::threshold;
    advice.min = own ? std::max(decision.range.min, rule.threshold.range.min) : decision.range.min;
    advice.max = own ? std::min(decision.range.max, rule.threshold.range.max) : decision.range.max;
    advice.utilisation = metric.utilisation();
    const bool valid = metric.fault == MetricFault::none;
    advice.desired = valid ? std::clamp(metric.proposal, advice.min, std::max(advice.min, advice.max)) : advice.current;
    advice.why_not = reason_of(metric);
    const bool outvoted = static_cast<std::int32_t>(i) != decision.winner && decision.desired > advice.desired;
    if (advice.why_not.empty() && advice.desired != decision.desired)
      advice.why_not = outvoted && decision.winner >= 0
                           ? policy.metrics[static_cast<std::size_t>(decision.winner)].id + " asks for more"
                           : reason_of(policy, decision);
    out.push_back(std::move(advice));
  }
  return out;
}

std::string explain(const ScalingPolicy& policy, const ScalingDecision& decision) {
  std::string text = decision.changes()
                         ? "from " + std::to_string(decision.current) + " to " + count(decision.desired, "instance")
                         : "stays at " + count(decision.current, "instance");
  if (decision.weighed && decision.winner >= 0) {
    const MetricTrace& metric = decision.metrics[static_cast<std::size_t>(decision.winner)];
    text += "; " + policy.metrics[static_cast<std::size_t>(decision.winner)].id + " asks for " +
            std::to_string(metric.proposal);
  }
  if (const std::string why = reason_of(policy, decision); !why.empty()) {
    text += "; " + why;
    if (decision.without != decision.desired) text += " (without this rule: " + std::to_string(decision.without) + ")";
  }
  if (!decision.act) text += "; in shadow: nothing is done";
  return text;
}

}  // namespace homeostat
