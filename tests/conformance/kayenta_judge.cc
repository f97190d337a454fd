#include <algorithm>
#include <cmath>
#include <expected>

#include "homeostat/canary_kayenta.hpp"
#include "homeostat/random.hpp"
#include "kayenta_case.hpp"

namespace conformance {
namespace {

using namespace homeostat::canary::kayenta;

constexpr std::uint64_t kSeed = 1;

bool flag(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->as_bool();
}

/// `which` as a text of one of these names, else the first.
template <class Enum>
bool choose(const json::object& config, std::string_view key, std::initializer_list<std::string_view> names,
            Enum& out) {
  const json::value* value = config.if_contains(key);
  if (value == nullptr) return true;
  const auto* const found = std::find(names.begin(), names.end(), std::string_view(value->as_string()));
  out = static_cast<Enum>(found - names.begin());
  return found != names.end();
}

Thresholds thresholds(const json::object& config, std::string_view key, Thresholds otherwise) {
  const json::value* value = config.if_contains(key);
  if (value == nullptr) return otherwise;
  const std::vector<double> pair = KayentaCase::numbers(*value);
  return {pair.at(0), pair.at(1)};
}

std::expected<MetricRules, std::string> rules_of(const json::object& config) {
  MetricRules rules;
  if (!choose(config, "direction", {"increase", "decrease", "either"}, rules.direction)) {
    return std::unexpected("direction is not known");
  }
  if (!choose(config, "nan_strategy", {"remove", "replace"}, rules.nan_strategy)) {
    return std::unexpected("nan_strategy is not known");
  }
  if (!choose(config, "outlier_strategy", {"keep", "remove"}, rules.outliers)) {
    return std::unexpected("outlier_strategy is not known");
  }
  if (!choose(config, "measure", {"meanRatio", "cles"}, rules.measure)) {
    return std::unexpected("measure is not known");
  }
  rules.critical = flag(config, "critical");
  rules.must_have_data = flag(config, "must_have_data");
  const auto number = [&](std::string_view key, double& out) {
    if (const json::value* value = config.if_contains(key)) out = value->to_number<double>();
  };
  number("tolerance", rules.tolerance);
  number("conf_level", rules.confidence);
  number("outlier_factor", rules.outlier_factor);
  rules.allowed = thresholds(config, "allowed", default_thresholds(rules.measure));
  rules.critical_at = thresholds(config, "critical_thresholds", default_thresholds(rules.measure));
  return rules;
}

std::expected<Label, std::string> label_named(std::string_view name) {
  for (const Label label :
       {Label::pass, Label::high, Label::low, Label::nodata, Label::nodata_fail_metric, Label::error}) {
    if (to_string(label) == name) return label;
  }
  return std::unexpected("classification is not known: " + std::string(name));
}

std::vector<std::string> groups_of(const json::object& metric) {
  std::vector<std::string> groups;
  for (const json::value& group : metric.at("groups").as_array()) groups.emplace_back(group.as_string());
  return groups;
}

ScoreRules score_rules(const json::object& config) {
  ScoreRules rules;
  if (const json::value* weights = config.if_contains("group_weights")) {
    for (const auto& [group, weight] : weights->as_object()) {
      rules.group_weights[std::string(group)] = weight.to_number<double>();
    }
  }
  const json::value* thresholds = config.if_contains("thresholds");
  if (thresholds != nullptr && thresholds->is_array()) {
    rules.pass = thresholds->at(0).to_number<double>();
    rules.marginal = thresholds->at(1).to_number<double>();
  } else if (thresholds != nullptr) {
    rules.pass = thresholds->at("pass").to_number<double>();
    rules.marginal = thresholds->at("marginal").to_number<double>();
  }
  return rules;
}

std::string compare(const Score& got, const json::object& expected) {
  constexpr double kRounding = 0.005;
  if (std::string fault = differs(expected, "summary_score", got.summary, kRounding); !fault.empty()) return fault;
  if (std::string fault = differs(expected, "score_classification", to_string(got.label)); !fault.empty()) return fault;
  const json::value* wanted = expected.if_contains("group_scores_sorted");
  if (wanted == nullptr) return {};
  std::vector<double> groups;
  for (const auto& [name, score] : got.groups) groups.push_back(score);
  std::sort(groups.begin(), groups.end());
  const std::vector<double> scores = KayentaCase::numbers(*wanted);
  const bool same = std::equal(groups.begin(), groups.end(), scores.begin(), scores.end(),
                               [](double a, double b) { return std::abs(a - b) <= kRounding; });
  return same ? "" : "the scores of the groups are others";
}

/// Samples as a scenario describes them: {"uniform": [from, to]}.
std::vector<double> draw(const json::value& what, std::int64_t points, homeostat::Random& random) {
  const std::vector<double> range = KayentaCase::numbers(what.at("uniform"));
  std::vector<double> samples;
  for (std::int64_t i = 0; i < points; ++i) {
    const double share = static_cast<double>(random.next() >> 11) * 0x1p-53;
    samples.push_back(range.at(0) + share * (range.at(1) - range.at(0)));
  }
  return samples;
}

}  // namespace

std::string classify_case(const KayentaCase& one) {
  const auto rules = rules_of(one.config());
  if (!rules) return rules.error();
  const std::vector<double> experiment = one.samples("experiment");
  const std::vector<double> control = one.samples("control");
  Classification got;
  if (one.method() == "mann_whitney") {
    got = classify(experiment, control, *rules, kSeed);
  } else if (one.method() == "mean_inequality") {
    got = classify_by_mean(experiment, control, *rules);
  } else {
    return "method is not known: " + std::string(one.method());
  }
  constexpr double kExact = 1e-9;
  const json::object& expected = one.expected();
  std::string fault = differs(expected, "classification", to_string(got.label));
  if (fault.empty()) fault = differs(expected, "deviation", got.deviation, kExact);
  const json::value* critical = expected.if_contains("critical");
  if (fault.empty() && critical != nullptr && critical->as_bool() != got.critical) fault = "critical differs";
  return fault;
}

std::string score_case(const KayentaCase& one) {
  std::vector<MetricResult> results;
  for (const json::value& value : one.list("metrics")) {
    const json::object& metric = value.as_object();
    const auto label = label_named(metric.at("classification").as_string());
    if (!label) return label.error();
    results.push_back({std::string(metric.at("name").as_string()), *label, flag(metric, "critical"),
                       flag(metric, "muted"), groups_of(metric)});
  }
  return compare(score(results, score_rules(one.config())), one.expected());
}

std::string scenario_case(const KayentaCase& one) {
  homeostat::Random random(kSeed);
  std::vector<MetricResult> results;
  const auto points = one.config().at("points").to_number<std::int64_t>();
  for (const json::value& value : one.list("metrics")) {
    const json::object& metric = value.as_object();
    const auto rules = rules_of(metric);
    if (!rules) return rules.error();
    const std::vector<double> experiment = draw(metric.at("experiment"), points, random);
    const std::vector<double> control = draw(metric.at("control"), points, random);
    const Classification got = classify(experiment, control, *rules, kSeed);
    std::string fault = differs(metric, "expected_classification", to_string(got.label));
    if (!fault.empty()) return std::string(metric.at("name").as_string()) + ": " + fault;
    results.push_back({std::string(metric.at("name").as_string()), got.label, got.critical, flag(metric, "muted"),
                       groups_of(metric)});
  }
  return compare(score(results, score_rules(one.config())), one.expected());
}

}  // namespace conformance
