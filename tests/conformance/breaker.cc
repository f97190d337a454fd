#include "breaker.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "breaker_models.hpp"

namespace conformance {
namespace {

using namespace homeostat;

constexpr double kRounding = 0.00051;  // rates stand in the traces with three decimals

std::optional<BreakerState> state_named(std::string_view name) {
  static constexpr std::array kStates{BreakerState::closed,      BreakerState::open,     BreakerState::half_open,
                                      BreakerState::forced_open, BreakerState::disabled, BreakerState::metrics_only};
  for (const BreakerState state : kStates) {
    if (to_string(state) == name) return state;
  }
  return std::nullopt;
}

std::optional<CallOutcome> outcome_named(std::string_view name) {
  if (name == "success") return CallOutcome::success;
  if (name == "failure") return CallOutcome::failure;
  if (name == "ignored") return CallOutcome::ignored;
  return std::nullopt;
}

/// Replays one trace. What a step answers stands in `got` under the names of its `expect`.
class Replay {
 public:
  explicit Replay(BreakerModel& model) : model_(model) {}

  /// What is different, or nothing.
  std::string step(const json::object& step) {
    json::object got;
    if (std::string fault = act(step, got); !fault.empty()) return fault;
    const json::object& expect = step.at("expect").as_object();
    for (const auto& [key, wanted] : expect) {
      if (key == "state") got["state"] = to_string(model_.state(now_));
      if (key == "counts") got["counts"] = model_.counts(now_);
      if (std::string fault = compare(std::string(key), wanted, got); !fault.empty()) return fault;
    }
    return {};
  }

 private:
  std::string act(const json::object& step, json::object& got) {
    const std::string_view op = step.at("op").as_string();
    if (op == "observe") return {};
    if (op == "advance") {
      now_ += std::chrono::milliseconds(step.at("ms").to_number<std::int64_t>());
      model_.advance(now_);
    } else if (op == "acquire") {
      got["permitted"] = model_.acquire(step.at("id").as_string(), now_);
    } else if (op == "call") {
      got["permitted"] = model_.acquire("", now_);
      return got.at("permitted").as_bool() ? finish("", step) : std::string();
    } else if (op == "finish") {
      return finish(step.at("id").as_string(), step);
    } else if (op == "release") {
      model_.finish(step.at("id").as_string(), CallOutcome::ignored, {}, now_);
    } else if (op == "force") {
      const auto to = state_named(step.at("to").as_string());
      if (!to) return "the state to force is not known";
      got["accepted"] = model_.force(*to, now_);
    } else {
      return "op is not known: " + std::string(op);
    }
    return {};
  }

  std::string finish(std::string_view id, const json::object& step) {
    const auto outcome = outcome_named(step.at("outcome").as_string());
    if (!outcome) return "outcome is not known";
    model_.finish(id, *outcome, std::chrono::milliseconds(step.at("duration_ms").to_number<std::int64_t>()), now_);
    return {};
  }

  static std::string compare(const std::string& key, const json::value& wanted, const json::object& got) {
    const json::value* found = got.if_contains(key);
    if (found == nullptr) return "expected " + key + ", which this step does not tell";
    if (wanted.is_object() && found->is_object()) {
      for (const auto& [inner, value] : wanted.as_object()) {
        if (std::string fault = compare(std::string(inner), value, found->as_object()); !fault.empty()) return fault;
      }
      return {};
    }
    const bool same = wanted.is_number() && found->is_number()
                          ? std::abs(wanted.to_number<double>() - found->to_number<double>()) <= kRounding
                          : wanted == *found;
    return same ? std::string() : key + " is " + json::serialize(*found) + ", not " + json::serialize(wanted);
  }

  BreakerModel& model_;
  Instant now_{};
};

std::string replay(const json::object& trace, std::string_view model_name) {
  auto model = make_breaker_model(model_name, trace.at("config").as_object());
  if (!model) return model.error();
  Replay replay(**model);
  std::size_t number = 0;
  for (const json::value& step : trace.at("steps").as_array()) {
    ++number;
    const std::string fault = replay.step(step.as_object());
    if (fault.empty()) continue;
    return "step " + std::to_string(number) + " (" + std::string(step.at("op").as_string()) + "): " + fault;
  }
  return {};
}

Case run_trace(const json::object& trace) {
  Case result;
  result.name = std::string(trace.at("model").as_string()) + ": " + std::string(trace.at("name").as_string());
  result.fault = replay(trace, trace.at("model").as_string());
  if (trace.at("name").as_string().starts_with("QUIRK")) {
    const std::string ours = replay(trace, "native");
    result.note = ours.empty() ? "our own rules answer the same" : "our own rules: " + ours;
  }
  return result;
}

}  // namespace

bool recognises_breaker(const json::object& file) {
  const json::value* traces = file.if_contains("traces");
  if (traces == nullptr || !traces->is_array()) return false;
  return std::any_of(traces->as_array().begin(), traces->as_array().end(), [](const json::value& trace) {
    return trace.is_object() && trace.as_object().contains("model") && trace.as_object().contains("steps");
  });
}

std::vector<Case> run_breaker(const json::object& file) {
  std::vector<Case> cases;
  for (const json::value& trace : file.at("traces").as_array()) {
    try {
      cases.push_back(run_trace(trace.as_object()));
    } catch (const std::exception& wrong) {  // how the JSON library says that something is not there
      cases.push_back({"trace " + std::to_string(cases.size() + 1), wrong.what(), {}});
    }
  }
  return cases;
}

}  // namespace conformance
