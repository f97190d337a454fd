// What a case of the HPA vectors tells, as the autoscaler takes it.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "homeostat/scaling.hpp"

namespace conformance {

namespace json = boost::json;

/// Ages count back from here; a null age is "long ago".
inline constexpr homeostat::Instant kNow{std::chrono::hours(24 * 365 * 150)};

homeostat::Instant instant_of(const json::value& age);
homeostat::Duration seconds_of(const json::object& from, const char* key);
std::int32_t count_of(const json::object& from, const char* key);
/// Null when it is not there or is null.
const json::value* given(const json::object& from, const char* key);

/// Instances and metrics of a case; the readings point into it.
struct HpaInput {
  std::vector<std::string> names;
  std::vector<homeostat::ScalingInstance> instances;
  std::vector<std::vector<homeostat::MetricSample>> samples;
  std::vector<std::vector<std::int64_t>> totals;
  std::vector<homeostat::MetricReading> readings;
  std::vector<homeostat::MetricRule> rules;
  std::vector<std::string> kinds;

  explicit HpaInput(const json::array& pods);
  HpaInput(const HpaInput&) = delete;
  HpaInput& operator=(const HpaInput&) = delete;
  ~HpaInput() = default;

  void add_metrics(const json::array& metrics);
  std::vector<homeostat::MetricSample> read_samples(const json::object& samples) const;

 private:
  void add_metric(const json::object& metric);
};

homeostat::DirectionRules rules_of(const json::value* given_rules, homeostat::DirectionRules defaults);
std::vector<homeostat::ScaleEvent> events_of(const json::value* events);
/// Everything but the metrics.
homeostat::ScalingPolicy policy_of(const json::object& input);
homeostat::ScalingHistory history_of(const json::object& input);

}  // namespace conformance
