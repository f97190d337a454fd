// Decides what `eval scaling` has read, and says it as JSON and as a table.
#include <fmt/format.h>

#include "cli/scaling_input.hpp"
#include "cli/table.hpp"
#include "homeostat/scaling_check.hpp"

namespace homeostat::cli {
namespace {

json::value decimal(std::int64_t thousandths) {
  if (thousandths % 1000 == 0) return thousandths / 1000;
  return static_cast<double>(thousandths) / 1000;
}

json::object metric_of(const ScalingQuestion& question, std::size_t index, const MetricTrace& trace,
                       const RuleAdvice& advice) {
  const MetricRule& rule = question.policy.metrics[index];
  const bool percent = rule.kind == MetricKind::utilization;
  const auto told = [&](std::int64_t number) { return percent ? json::value(number) : decimal(number); };
  json::object out{{"id", rule.id}, {"kind", to_string(rule.kind)}};
  if (trace.fault == MetricFault::none) {
    out["proposal"] = trace.proposal;
    out["reason"] = to_string(trace.reason);
  } else {
    out["fault"] = to_string(trace.fault);
  }
  if (trace.measured) out["measured"] = told(*trace.measured);
  if (trace.target > 0) out["target"] = told(trace.target);
  if (advice.utilisation) out["utilisation"] = decimal(*advice.utilisation);
  if (trace.ahead) out["ahead"] = decimal(*trace.ahead);
  out["desired"] = advice.desired;
  out["min"] = advice.min;
  out["max"] = advice.max;
  if (!advice.why_not.empty()) out["why_not"] = advice.why_not;
  if (!trace.classes.empty()) {
    json::object classes;
    for (std::size_t i = 0; i < trace.classes.size(); ++i) classes[question.names[i]] = to_string(trace.classes[i]);
    out["instances"] = std::move(classes);
  }
  return out;
}

}  // namespace

json::object decide_scaling(ScalingQuestion& question) {
  std::vector<MetricReading> readings;
  for (std::size_t i = 0; i < question.faults.size(); ++i)
    readings.push_back({question.faults[i], question.samples[i], question.totals[i]});
  ScalingDecision decision;
  decide(question.policy, question.history,
         {readings, question.instances, question.counts, question.control, question.local}, ScalingQuestion::kNow,
         decision);
  const std::vector<RuleAdvice> advice = recommend(question.policy, decision);
  json::array metrics;
  for (std::size_t i = 0; i < decision.metrics.size(); ++i)
    metrics.push_back(metric_of(question, i, decision.metrics[i], advice[i]));
  return {
      {"current", decision.current},
      {"desired", decision.desired},
      {"why", explain(question.policy, decision)},
      {"rule", to_string(decision.rule)},
      {"without", decision.without},
      {"act", decision.act},
      {"min", decision.range.min},
      {"max", decision.range.max},
      {"proposal", decision.proposal},
      {"windows", {{"low", decision.stable.low}, {"high", decision.stable.high}, {"result", decision.stable.result}}},
      {"limit", decision.limit},
      {"warnings", json::value_from(warnings(question.policy))},
      {"metrics", metrics}};
}

std::string show_scaling(const json::object& answer, bool color) {
  Table table({"METRIC", "MEASURED", "TARGET", "UTILISATION", "DESIRED", "MIN", "MAX", "WHY NOT"});
  const auto number = [](const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value == nullptr ? std::string("-") : fmt::format("{:.6g}", value->to_number<double>());
  };
  for (const json::value& value : answer.at("metrics").as_array()) {
    const json::object& metric = value.as_object();
    table.add({{text_at(metric, "id")},
               {number(metric, "measured")},
               {number(metric, "target")},
               {number(metric, "utilisation")},
               {number(metric, "desired")},
               {number(metric, "min")},
               {number(metric, "max")},
               {text_at(metric, "why_not"), Color::dim}});
  }
  std::string out = text_at(answer, "why") + "\n\n" + table.text(color);
  for (const json::value& warning : answer.at("warnings").as_array())
    out += paint("warning: ", Color::yellow, color) + std::string(warning.as_string()) + "\n";
  return out;
}

}  // namespace homeostat::cli
