// What `eval scaling` reads: a policy, instances, metrics, and what happened before, as one JSON object.
#pragma once

#include <boost/json.hpp>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "homeostat/scaling.hpp"

namespace homeostat::cli {

namespace json = boost::json;

inline constexpr std::size_t kMostScalingBytes = std::size_t{4} << 20;

/// Times are told as ages before one moment, `now`.
struct ScalingQuestion {
  static constexpr Instant kNow{std::chrono::hours(24 * 365 * 100)};

  ScalingPolicy policy;
  ScalingHistory history;
  std::vector<std::string> names;  // of the instances
  std::vector<ScalingInstance> instances;
  std::vector<std::vector<MetricSample>> samples;
  std::vector<std::vector<std::int64_t>> totals;
  std::vector<MetricFault> faults;
  ScaleCounts counts;
  ScalingControl control;
  std::vector<LocalMinutes> local;  // of each schedule: what the clock on the wall shows
};

std::expected<ScalingQuestion, Error> read_scaling_json(std::string_view text);

/// The decision with every number that led to it.
json::object decide_scaling(ScalingQuestion& question);
std::string show_scaling(const json::object& answer, bool color);

}  // namespace homeostat::cli
