#include "hpa.hpp"

#include <algorithm>
#include <stdexcept>

#include "compare.hpp"
#include "core/scaling_limits.hpp"
#include "core/scaling_metric.hpp"
#include "hpa_input.hpp"
#include "vectors.hpp"

namespace conformance {
namespace {

using namespace homeostat;

std::string_view reason_of(ScalingRule rule) {
  switch (rule) {
    case ScalingRule::up_limit:
      return "ScaleUpLimit";
    case ScalingRule::down_limit:
      return "ScaleDownLimit";
    case ScalingRule::max:
      return "TooManyReplicas";
    case ScalingRule::min:
      return "TooFewReplicas";
    default:
      return "DesiredWithinRange";
  }
}

std::string_view error_of(MetricFault fault) {
  switch (fault) {
    case MetricFault::no_samples:
    case MetricFault::absent:
      return "no_metrics";
    case MetricFault::no_instances:
      return "no_pods";
    case MetricFault::no_known_instance:
      return "no_known_pod_matched";
    case MetricFault::unread:
      return "invalid_metric";
    default:
      return to_string(fault);
  }
}

json::object recommend(const json::object& input) {
  ScalingPolicy policy = policy_of(input);
  HpaInput told(input.at("pods").as_array());
  told.add_metrics({input.at("metric")});
  const std::int32_t current = count_of(input, "current_replicas");
  const json::value* status = given(input, "status_replicas");
  const std::int32_t running = status == nullptr ? current : status->to_number<std::int32_t>();
  MetricTrace trace;
  propose(policy, told.rules[0], told.readings[0], told.instances, {current, running}, kNow, trace);
  if (trace.fault != MetricFault::none) return {{"error", error_of(trace.fault)}};
  json::object got{{"replicas", trace.proposal}};
  const bool utilization = told.rules[0].kind == MetricKind::utilization;
  if (trace.measured) got[utilization ? "utilization_percent" : "usage_milli"] = *trace.measured;
  if (trace.measured && !utilization) got["average_value_milli"] = *trace.measured;
  if (trace.average) got["average_value_milli"] = *trace.average;
  return got;
}

json::object group_pods(const json::object& input) {
  const ScalingPolicy policy = policy_of(input);
  const HpaInput told(input.at("pods").as_array());
  const auto samples = told.read_samples(input.at("samples").as_object());
  const json::value* resource = given(input, "resource");
  const bool cpu = resource != nullptr && *resource == "cpu";
  std::int64_t ready = 0;
  json::array unready;
  json::array missing;
  json::array ignored;
  for (std::size_t i = 0; i < told.instances.size(); ++i) {
    const auto own = std::find_if(samples.begin(), samples.end(), [&](const auto& s) { return s.instance == i; });
    const MetricSample* sample = own == samples.end() ? nullptr : &*own;
    const InstanceClass counted = classify(policy, cpu, told.instances[i], sample, kNow);
    if (counted == InstanceClass::ready) ++ready;
    if (counted == InstanceClass::unready) unready.emplace_back(told.names[i]);
    if (counted == InstanceClass::missing) missing.emplace_back(told.names[i]);
    if (counted == InstanceClass::ignored) ignored.emplace_back(told.names[i]);
  }
  return {{"ready_count", ready}, {"unready", unready}, {"missing", missing}, {"ignored", ignored}};
}

json::object rate_limit(const json::object& input) {
  ScalingPolicy policy = policy_of(input);
  policy.up = rules_of(given(input, "scale_up"), default_up_rules());
  policy.down = rules_of(given(input, "scale_down"), default_down_rules());
  const Limited limited = limit_rate(policy, policy.range, history_of(input), count_of(input, "current_replicas"),
                                     count_of(input, "desired_replicas"), kNow);
  return {{"replicas", limited.result}, {"reason", reason_of(limited.rule)}};
}

json::object limit(const json::object& input) {
  const DirectionRules rules = rules_of(&input.at("rules"), {});
  const std::int32_t current = count_of(input, "current_replicas");
  const ScalingHistory history = history_of(input);
  const bool up = input.at("direction") == "up";
  return {{"limit", up ? up_limit(history, rules, current, kNow) : down_limit(history, rules, current, kNow)}};
}

json::object legacy_limit(const json::object& input) {
  const Limited limited =
      limit_plain(policy_of(input).range, count_of(input, "current_replicas"), count_of(input, "desired_replicas"));
  return {{"replicas", limited.result}, {"reason", reason_of(limited.rule)}};
}

json::object stabilize_both(const json::object& input) {
  ScalingHistory history = history_of(input);
  const Duration up = seconds_of(input, "up_window_s");
  const Duration down = seconds_of(input, "down_window_s");
  const std::int32_t desired = count_of(input, "desired_replicas");
  const Stabilized stable = stabilize(history, count_of(input, "current_replicas"), desired, up, down, kNow);
  remember(history, desired, std::max(up, down), kNow);
  json::array after;
  for (const Recommendation& one : history.recommendations) after.emplace_back(one.instances);
  return {{"replicas", stable.result}, {"history", after}};
}

json::object legacy_stabilize(const json::object& input) {
  ScalingHistory history = history_of(input);
  const Duration window = seconds_of(input, "down_window_s");
  const std::int32_t desired = count_of(input, "desired_replicas");
  const Stabilized stable = stabilize_plain(history, desired, window, kNow);
  remember(history, desired, window, kNow);
  return {{"replicas", stable.result}, {"log_length", history.recommendations.size()}};
}

json::object store_events(const json::object& input) {
  std::vector<ScaleEvent> events = events_of(&input.at("events"));
  const std::int64_t before = change_within(events, seconds_of(input, "sum_period_s"), kNow);
  ScalingHistory history;
  history.ups = std::move(events);
  ScalingPolicy policy;
  policy.behavior = given(input, "rules") != nullptr;
  policy.up = rules_of(given(input, "rules"), {});
  ScalingDecision decision;
  decision.desired = count_of(input, "new_change");
  note_scaled(policy, history, decision, kNow);
  json::array after;
  for (const ScaleEvent& event : history.ups)
    after.push_back(json::object{{"change", event.change}, {"outdated", event.outdated}});
  return {{"change_in_period", before}, {"events", after}};
}

/// The conditions that Kubernetes shows for a decision: {status, reason}.
struct Condition {
  bool status = false;
  std::string reason;
};

std::string failed_of(const std::string& kind) {
  if (kind.starts_with("resource")) return "FailedGetResourceMetric";
  if (kind.starts_with("container")) return "FailedGetContainerResourceMetric";
  if (kind.starts_with("pods")) return "FailedGetPodsMetric";
  if (kind.starts_with("object")) return "FailedGetObjectMetric";
  if (kind.starts_with("external")) return "FailedGetExternalMetric";
  return "InvalidMetricSourceType";
}

std::map<std::string, Condition> conditions_of(const ScalingDecision& decision, const HpaInput& told) {
  std::map<std::string, Condition> out;
  const bool refused = decision.rule == ScalingRule::invalid_metric;
  std::string able = "SucceededGetScale";
  if (decision.weighed && !refused) {
    const bool up = decision.stable.result < decision.proposal;
    able = decision.stable.result == decision.proposal ? "ReadyForNewScale"
           : up                                        ? "ScaleUpStabilized"
                                                       : "ScaleDownStabilized";
    out["ScalingLimited"] = {decision.limited != ScalingRule::metrics, std::string(reason_of(decision.limited))};
    out["ScalingActive"] = {true, "ValidMetricFound"};
  }
  if (refused) out["ScalingActive"] = {false, failed_of(told.kinds[static_cast<std::size_t>(decision.fault_metric)])};
  if (decision.rule == ScalingRule::disabled) out["ScalingActive"] = {false, "ScalingDisabled"};
  out["AbleToScale"] = {true, decision.changes() ? "SucceededRescale" : able};
  return out;
}

std::string compare_conditions(const json::object& expect, const std::map<std::string, Condition>& got) {
  for (const auto& [type, wanted] : expect) {
    const auto found = got.find(std::string(type));
    if (found == got.end()) return "condition " + std::string(type) + " is not there";
    const Condition& condition = found->second;
    const bool same = wanted.is_bool() ? condition.status == wanted.as_bool() : condition.reason == wanted.as_string();
    if (!same) return "condition " + std::string(type) + " is " + condition.reason;
  }
  return {};
}

std::string reconcile(const json::object& input, const json::object& expect) {
  ScalingPolicy policy = policy_of(input);
  HpaInput told(input.at("pods").as_array());
  told.add_metrics(input.at("metrics").as_array());
  policy.metrics = told.rules;
  ScalingHistory history = history_of(input);
  ScalingDecision decision;
  const ScaleCounts counts{count_of(input, "spec_replicas"), count_of(input, "status_replicas")};
  decide(policy, history, {told.readings, told.instances, counts, {}, {}}, kNow, decision);
  json::object numbers = expect;
  numbers.erase("conditions");
  std::string fault = differs(numbers, {{"replicas", decision.desired}});
  if (fault.empty() && expect.contains("conditions"))
    fault = compare_conditions(expect.at("conditions").as_object(), conditions_of(decision, told));
  return fault;
}

using Stage = json::object (*)(const json::object&);

Stage stage_named(std::string_view name) {
  static const std::map<std::string_view, Stage> kStages{{"recommend", recommend},
                                                         {"group_pods", group_pods},
                                                         {"rate_limit", rate_limit},
                                                         {"limit", limit},
                                                         {"legacy_limit", legacy_limit},
                                                         {"stabilize", stabilize_both},
                                                         {"legacy_stabilize", legacy_stabilize},
                                                         {"events", store_events}};
  const auto found = kStages.find(name);
  return found == kStages.end() ? nullptr : found->second;
}

/// What is expected, with what exact arithmetic gives in place of what floating point gives.
json::object expected(const json::object& vector) {
  json::object expect = vector.at("expect").as_object();
  if (const json::value* exact = given(vector, "expect_exact")) {
    for (const auto& [key, value] : exact->as_object()) expect[key] = value;
  }
  return expect;
}

/// The pods of a group stand in no order.
void sort_names(json::object& groups) {
  for (auto& [name, pods] : groups) {
    if (!pods.is_array()) continue;
    std::sort(pods.as_array().begin(), pods.as_array().end(),
              [](const json::value& a, const json::value& b) { return a.as_string() < b.as_string(); });
  }
}

std::string run_vector(const json::object& vector) {
  const json::object& input = vector.at("input").as_object();
  json::object expect = expected(vector);
  if (vector.at("stage") == "reconcile") return reconcile(input, expect);
  const Stage stage = stage_named(vector.at("stage").as_string());
  if (stage == nullptr) return "stage is not known";
  json::object got = stage(input);
  if (stage == group_pods) {
    sort_names(expect);
    sort_names(got);
  }
  return differs(expect, got);
}

}  // namespace

bool recognises_hpa(const json::object& file) {
  const json::value* vectors = file.if_contains("vectors");
  if (vectors == nullptr || !vectors->is_array()) return false;
  return std::any_of(vectors->as_array().begin(), vectors->as_array().end(), [](const json::value& vector) {
    return vector.is_object() && vector.as_object().contains("stage") && vector.as_object().contains("input");
  });
}

std::vector<Case> run_hpa(const json::object& file) { return run_vectors(file, run_vector); }

}  // namespace conformance
