#include "kpa.hpp"

#include <algorithm>
#include <cmath>

#include "compare.hpp"
#include "homeostat/scaling_panic.hpp"
#include "vectors.hpp"

namespace conformance {
namespace {

using namespace homeostat;

/// Decimals as the traces write them, exactly.
std::int64_t millionths(const json::value& value) { return std::llround(value.to_number<double>() * 1e6); }

Instant instant(const json::value& seconds) {
  return Instant(std::chrono::hours(1)) + Duration(std::llround(seconds.to_number<double>() * 1e9));
}

Duration span(const json::value& seconds) { return Duration(std::llround(seconds.to_number<double>() * 1e9)); }

struct Spec {
  PanicPolicy policy;
  std::int64_t target = 0;

  /// The fault, or nothing.
  std::string take(const json::object& from) {
    for (const auto& [key, value] : from) {
      if (key == "target") {
        target = millionths(value);
      } else if (key == "panic_threshold") {
        policy.threshold = millionths(value);
      } else if (key == "max_scale_up_rate") {
        policy.up_rate = millionths(value);
      } else if (key == "max_scale_down_rate") {
        policy.down_rate = millionths(value);
      } else if (key == "stable_window_s") {
        policy.stable_window = span(value);
      } else if (key == "scale_down_delay_s") {
        policy.down_delay = span(value);
      } else if (key == "activation_scale") {
        policy.activation = value.to_number<std::int32_t>();
      } else if (key == "reachable") {
        policy.reachable = value.as_bool();
      } else {
        return "spec." + std::string(key) + " is not known";
      }
    }
    return {};
  }
};

std::string run_trace(const json::object& vector) {
  Spec spec;
  if (std::string fault = spec.take(vector.at("spec").as_object()); !fault.empty()) return fault;
  PanicState state;
  if (const json::value* since = vector.if_contains("panic_since_s"); since != nullptr && !since->is_null()) {
    state.panicking = true;
    state.since = instant(*since);
  }
  if (const json::value* most = vector.if_contains("max_panic")) state.most = most->to_number<std::int32_t>();
  std::size_t number = 0;
  for (const json::value& step : vector.at("steps").as_array()) {
    ++number;
    const json::object& told = step.as_object();
    if (const json::value* set = told.if_contains("set")) {
      if (std::string fault = spec.take(set->as_object()); !fault.empty()) return fault;
    }
    if (spec.target <= 0) return "spec.target is not above 0";
    const PanicDecision decision =
        decide_panic(spec.policy, state, {millionths(told.at("stable")), millionths(told.at("panic")), spec.target},
                     told.at("ready").to_number<std::int32_t>(), instant(told.at("t_s")));
    const json::object got{{"expect", decision.wanted}};
    const std::string fault = differs({{"expect", told.at("expect")}}, got);
    if (!fault.empty()) return "step " + std::to_string(number) + ": " + fault;
  }
  return {};
}

}  // namespace

bool recognises_kpa(const json::object& file) {
  const json::value* vectors = file.if_contains("vectors");
  if (vectors == nullptr || !vectors->is_array()) return false;
  return std::any_of(vectors->as_array().begin(), vectors->as_array().end(), [](const json::value& vector) {
    return vector.is_object() && vector.as_object().contains("spec") && vector.as_object().contains("steps");
  });
}

std::vector<Case> run_kpa(const json::object& file) { return run_vectors(file, run_trace); }

}  // namespace conformance
