#include <fmt/format.h>

#include "cli/canary_eval.hpp"

namespace homeostat::cli {
namespace {

Color color_of_verdict(std::string_view verdict) {
  if (verdict == "pass" || verdict == "Pass") return Color::green;
  if (verdict == "fail" || verdict == "High" || verdict == "Low" || verdict == "Error") return Color::red;
  return Color::yellow;
}

/// A number of the answer; "-" where there is none.
std::string number(const json::object& object, std::string_view key, std::string_view format) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return "-";
  return fmt::format(fmt::runtime(format), value->to_number<double>());
}

Table::Cell verdict_cell(const json::object& metric, std::string_view key) {
  const std::string verdict = text_at(metric, key);
  return {verdict, color_of_verdict(verdict)};
}

Table native_table(const json::array& metrics) {
  Table table({"METRIC", "VERDICT", "CHANGE", "BETWEEN", "AND", "CANARY", "BASELINE", "SAMPLES"});
  for (const json::value& value : metrics) {
    const json::object& metric = value.as_object();
    const json::object& canary = metric.at("canary").as_object();
    const json::object& baseline = metric.at("baseline").as_object();
    table.add({{text_at(metric, "name")},
               verdict_cell(metric, "verdict"),
               {number(metric, "change_pct", "{:+.1f} %")},
               {number(metric, "lower_pct", "{:+.1f} %")},
               {number(metric, "upper_pct", "{:+.1f} %")},
               {number(canary, "average", "{:.4g}")},
               {number(baseline, "average", "{:.4g}")},
               {fmt::format("{} / {}", number_at(canary, "samples"), number_at(baseline, "samples"))}});
  }
  return table;
}

Table kayenta_table(const json::array& metrics) {
  Table table({"METRIC", "CLASSIFICATION", "CRITICAL", "RATIO", "WHY"});
  for (const json::value& value : metrics) {
    const json::object& metric = value.as_object();
    table.add({{text_at(metric, "name")},
               verdict_cell(metric, "classification"),
               {flag_at(metric, "critical") ? "yes" : "no"},
               {number(metric, "ratio", "{:.3g}")},
               {text_at(metric, "why")}});
  }
  return table;
}

Table simple_table(const json::array& metrics) {
  Table table({"METRIC", "VERDICT", "CANARY", "BASELINE", "IMPROVEMENT", "WHY"});
  for (const json::value& value : metrics) {
    const json::object& metric = value.as_object();
    table.add({{text_at(metric, "name")},
               verdict_cell(metric, "verdict"),
               {number(metric, "canary_avg", "{:.4g}")},
               {number(metric, "baseline_avg", "{:.4g}")},
               {number(metric, "improvement_pct", "{:+.1f} %")},
               {text_at(metric, "why")}});
  }
  return table;
}

}  // namespace

std::string show_canary(const json::object& answer, bool color) {
  const std::string verdict = text_at(answer, "verdict");
  std::string text = paint(verdict, color_of_verdict(verdict), color) + ": " + text_at(answer, "why") + "\n";
  if (const json::object* first = object_at(answer, "first")) {
    const double after = first->at("after_s").to_number<double>();
    if (after > 0) text += fmt::format("first said after {:g} s: {}\n", after, text_at(*first, "verdict"));
  }
  const std::string mode = text_at(answer, "mode");
  const json::array& metrics = list_at(answer, "metrics");
  const Table table = mode == "native"    ? native_table(metrics)
                      : mode == "kayenta" ? kayenta_table(metrics)
                                          : simple_table(metrics);
  return text + "\n" + table.text(color);
}

}  // namespace homeostat::cli
