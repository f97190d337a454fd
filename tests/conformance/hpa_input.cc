#include "hpa_input.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace conformance {

using namespace homeostat;

namespace {

InstancePhase phase_of(std::string_view phase) {
  if (phase == "Pending") return InstancePhase::pending;
  if (phase == "Running") return InstancePhase::running;
  if (phase == "Failed") return InstancePhase::failed;
  return InstancePhase::succeeded;  // also "Unknown": it neither runs nor has it failed
}

Readiness readiness_of(const json::object& pod) {
  const json::value* condition = pod.if_contains("has_ready_condition");
  if (condition != nullptr && *condition == false) return Readiness::absent;
  const json::value* ready = given(pod, "ready");
  if (ready == nullptr) return Readiness::unknown;
  return ready->as_bool() ? Readiness::yes : Readiness::no;
}

ScalingInstance instance_of(const json::object& pod) {
  ScalingInstance instance;
  instance.phase = phase_of(pod.at("phase").as_string());
  instance.leaving = pod.at("deleted").as_bool();
  instance.ready = readiness_of(pod);
  const json::value* started = pod.if_contains("has_start_time");
  if (started == nullptr || *started != false) instance.started = instant_of(pod.at("start_age_s"));
  instance.ready_changed = instant_of(pod.at("ready_transition_age_s"));
  if (const json::value* request = given(pod, "request_milli")) instance.request = request->to_number<std::int64_t>();
  return instance;
}

std::int64_t millionths(const json::object& from, const char* key) {
  return to_millionths(from.at(key).to_number<double>()).value();
}

LimitSelect select_of(std::string_view name) {
  if (name == "Min") return LimitSelect::smallest;
  if (name == "Disabled") return LimitSelect::disabled;
  if (name == "Max") return LimitSelect::largest;
  throw std::invalid_argument("select is not known: " + std::string(name));
}

/// What a resource, of a pod or of a container, is compared with tells the target's unit.
std::optional<MetricKind> kind_of(std::string_view kind, const json::object& metric) {
  if (kind == "object_value" || kind == "external_value") return MetricKind::total;
  if (kind == "object_average" || kind == "external_average") return MetricKind::total_average;
  if (kind != "pods" && !kind.starts_with("resource") && !kind.starts_with("container")) return std::nullopt;
  return metric.contains("target_percent") ? MetricKind::utilization : MetricKind::average;
}

}  // namespace

Instant instant_of(const json::value& age) {
  if (age.is_null()) return Instant{};
  // What is older than anything can be is long ago, too.
  const double nanoseconds =
      std::min(age.to_number<double>() * 1e9, static_cast<double>(kNow.time_since_epoch().count()));
  return kNow - std::chrono::nanoseconds(std::llround(nanoseconds));
}

const json::value* given(const json::object& from, const char* key) {
  const json::value* value = from.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Duration seconds_of(const json::object& from, const char* key) {
  return std::chrono::seconds(from.at(key).to_number<std::int64_t>());
}

std::int32_t count_of(const json::object& from, const char* key) { return from.at(key).to_number<std::int32_t>(); }

HpaInput::HpaInput(const json::array& pods) {
  for (const json::value& pod : pods) {
    names.emplace_back(pod.at("name").as_string());
    instances.push_back(instance_of(pod.as_object()));
  }
}

std::vector<MetricSample> HpaInput::read_samples(const json::object& from) const {
  std::vector<MetricSample> out;
  for (const auto& [name, sample] : from) {
    const auto place = std::find(names.begin(), names.end(), std::string(name));
    MetricSample one;
    if (place != names.end()) one.instance = static_cast<std::uint32_t>(place - names.begin());
    one.value = sample.at("value").to_number<std::int64_t>();
    one.at = instant_of(sample.at("age_s"));
    one.window = seconds_of(sample.as_object(), "window_s");
    out.push_back(one);
  }
  return out;
}

void HpaInput::add_metrics(const json::array& metrics) {
  for (const json::value& metric : metrics) add_metric(metric.as_object());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    readings[i].samples = samples[i];
    readings[i].totals = totals[i];
  }
}

void HpaInput::add_metric(const json::object& metric) {
  const std::string kind(metric.at("kind").as_string());
  const auto known = kind_of(kind, metric);
  if (!known && kind != "invalid") throw std::invalid_argument("metric.kind is not known: " + kind);
  MetricRule rule;
  rule.kind = known.value_or(MetricKind::utilization);
  const json::value* resource = given(metric, "resource");
  rule.cpu = resource != nullptr && *resource == "cpu";
  rule.external = kind.starts_with("external");
  if (known)
    rule.target =
        metric.at(rule.kind == MetricKind::utilization ? "target_percent" : "target_milli").to_number<std::int64_t>();
  kinds.push_back(kind);
  rules.push_back(rule);
  readings.push_back({known ? MetricFault::none : MetricFault::unread, {}, {}});
  const json::value* told = given(metric, "samples");
  samples.push_back(told == nullptr ? std::vector<MetricSample>{} : read_samples(told->as_object()));
  totals.emplace_back();
  if (const json::value* values = given(metric, "values_milli")) {
    for (const json::value& value : values->as_array()) totals.back().push_back(value.to_number<std::int64_t>());
  }
}

DirectionRules rules_of(const json::value* given_rules, DirectionRules rules) {
  if (given_rules == nullptr) return rules;
  const json::object& from = given_rules->as_object();
  if (const json::value* select = given(from, "select")) rules.select = select_of(select->as_string());
  if (given(from, "stabilization_window_s") != nullptr) rules.window = seconds_of(from, "stabilization_window_s");
  if (const json::value* policies = given(from, "policies")) {
    rules.limits.clear();
    for (const json::value& policy : policies->as_array()) {
      const bool percent = policy.at("type") == "Percent";
      if (!percent && policy.at("type") != "Pods") throw std::invalid_argument("policy type is not known");
      rules.limits.push_back({percent ? LimitUnit::percent : LimitUnit::instances,
                              count_of(policy.as_object(), "value"), seconds_of(policy.as_object(), "period_s")});
    }
  }
  return rules;
}

std::vector<ScaleEvent> events_of(const json::value* events) {
  std::vector<ScaleEvent> out;
  if (events == nullptr) return out;
  for (const json::value& event : events->as_array()) {
    const json::value* outdated = event.as_object().if_contains("outdated");
    out.push_back({count_of(event.as_object(), "change"), instant_of(event.at("age_s")),
                   outdated != nullptr && outdated->as_bool()});
  }
  return out;
}

ScalingPolicy policy_of(const json::object& input) {
  ScalingPolicy policy;
  if (given(input, "max_replicas") != nullptr) policy.range.max = count_of(input, "max_replicas");
  if (given(input, "min_replicas") != nullptr) policy.range.min = count_of(input, "min_replicas");
  if (const json::value* tolerance = given(input, "tolerance"))
    policy.tolerance = {millionths(tolerance->as_object(), "up"), millionths(tolerance->as_object(), "down")};
  if (given(input, "cpu_init_period_s") != nullptr) policy.cpu_start_period = seconds_of(input, "cpu_init_period_s");
  if (given(input, "initial_readiness_delay_s") != nullptr)
    policy.first_ready_delay = seconds_of(input, "initial_readiness_delay_s");
  if (given(input, "down_window_s") != nullptr) policy.plain_window = seconds_of(input, "down_window_s");
  const json::value* behavior = given(input, "behavior");
  policy.behavior = behavior != nullptr;
  if (behavior == nullptr) return policy;
  const json::value* up = given(behavior->as_object(), "scale_up");
  const json::value* down = given(behavior->as_object(), "scale_down");
  policy.up = rules_of(up, default_up_rules());
  policy.down = rules_of(down, default_down_rules(policy.plain_window));
  if (up != nullptr && given(up->as_object(), "tolerance") != nullptr)
    policy.tolerance.up = millionths(up->as_object(), "tolerance");
  if (down != nullptr && given(down->as_object(), "tolerance") != nullptr)
    policy.tolerance.down = millionths(down->as_object(), "tolerance");
  return policy;
}

ScalingHistory history_of(const json::object& input) {
  ScalingHistory history;
  history.ups = events_of(given(input, "scale_up_events"));
  history.downs = events_of(given(input, "scale_down_events"));
  const json::value* told = given(input, "recommendations");
  if (told == nullptr || told->is_string()) return history;  // "seed": the first sight of the service
  history.seeded = true;
  for (const json::value& one : told->as_array())
    history.recommendations.push_back({count_of(one.as_object(), "replicas"), instant_of(one.at("age_s"))});
  return history;
}

}  // namespace conformance
