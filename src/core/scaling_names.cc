#include <array>
#include <cmath>

#include "core/pick.hpp"
#include "homeostat/scaling.hpp"

namespace homeostat {

std::string_view to_string(InstanceClass counted) {
  static constexpr std::array<std::string_view, 4> kNames{"ready", "unready", "missing", "ignored"};
  return pick(kNames, counted);
}

std::string_view to_string(MetricFault fault) {
  static constexpr std::array<std::string_view, 14> kNames{
      "none",      "unread",     "absent",       "stale",           "not_a_number",      "infinite",   "negative",
      "too_large", "no_samples", "no_instances", "missing_request", "no_known_instance", "bad_target", "unlearned"};
  return pick(kNames, fault);
}

std::string_view to_string(MetricKind kind) {
  static constexpr std::array<std::string_view, 7> kNames{"utilization", "average", "total", "total_average",
                                                          "threshold",   "drain",   "panic"};
  return pick(kNames, kind);
}

std::string_view to_string(ProposalReason reason) {
  static constexpr std::array<std::string_view, 12> kNames{
      "none",         "scaled",     "within_tolerance", "would_turn_around", "from_zero", "within_band",
      "cooling_down", "rule_bound", "some_unmeasured",  "starting_credited", "drains",    "panics"};
  return pick(kNames, reason);
}

std::string_view to_string(ScalingRule rule) {
  static constexpr std::array<std::string_view, 20> kNames{
      "metrics",  "disabled",    "above_max", "below_min", "invalid_metric", "stabilized_up", "stabilized_down",
      "up_limit", "down_limit",  "max",       "min",       "fallback",       "idle",          "not_idle",
      "no_help",  "flap_budget", "repairing", "frozen",    "by_hand",        "paused"};
  return pick(kNames, rule);
}

}  // namespace homeostat
