#include <array>
#include <charconv>
#include <cmath>

#include "homeostat/canary_kayenta.hpp"

namespace homeostat::canary::kayenta {
namespace {

struct Counts {
  double passed = 0;
  double judged = 0;
};

/// To two decimals as a person would round what is printed: 33.335 becomes 33.34 although its binary value is lower.
double rounded(double value) {
  std::array<char, 400> text{};
  const auto printed = std::to_chars(text.begin(), text.end(), std::abs(value), std::chars_format::fixed);
  const std::string_view digits(text.data(), static_cast<std::size_t>(printed.ptr - text.data()));
  const std::size_t point = digits.find('.');
  if (printed.ec != std::errc() || point == std::string_view::npos || digits.size() <= point + 3) return value;
  const bool up = digits[point + 3] >= '5';
  std::string hundredths(digits.substr(0, point));
  hundredths += digits.substr(point + 1, 2);
  double whole = 0;
  std::from_chars(hundredths.data(), hundredths.data() + hundredths.size(), whole);
  return std::copysign((whole + (up ? 1 : 0)) / 100, value);
}

std::map<std::string, Counts> count(std::span<const MetricResult> results) {
  std::map<std::string, Counts> groups;
  for (const MetricResult& result : results) {
    if (result.muted) continue;
    for (const std::string& group : result.groups) {
      Counts& counts = groups[group];
      if (result.label == Label::nodata || result.label == Label::error) continue;
      counts.judged += 1;
      if (result.label == Label::pass) counts.passed += 1;
    }
  }
  return groups;
}

/// The share of the summary that a group without a weight of its own has, in percent.
double left_over(const std::map<std::string, Counts>& groups, const std::map<std::string, double>& weights) {
  double given = 0;
  double without = 0;
  for (const auto& [name, weight] : weights) given += weight;
  for (const auto& [name, counts] : groups) without += weights.contains(name) ? 0 : 1;
  return without > 0 ? (100 - given) / without : 0;
}

/// Why the scores do not matter, or nothing.
std::string spoilt(std::span<const MetricResult> results) {
  double all = 0;
  double nodata = 0;
  for (const MetricResult& result : results) {
    if (result.muted) continue;
    if (result.critical && result.label != Label::pass) {
      return "the critical metric " + result.name + " is " + std::string(to_string(result.label));
    }
    all += 1;
    nodata += result.label == Label::nodata ? 1 : 0;
  }
  return all > 0 && nodata / all * 100 >= 50 ? "half of the metrics or more have no data" : "";
}

ScoreLabel judge(double score, const ScoreRules& rules) {
  if (score >= rules.pass) return ScoreLabel::pass;
  return score >= rules.marginal ? ScoreLabel::marginal : ScoreLabel::fail;
}

}  // namespace

Score score(std::span<const MetricResult> results, const ScoreRules& rules) {
  Score score;
  const std::map<std::string, Counts> groups = count(results);
  const double left = left_over(groups, rules.group_weights);
  double summary = 0;
  for (const auto& [name, counts] : groups) {
    const bool empty = counts.judged == 0;
    score.groups[name] = empty ? 0 : counts.passed / counts.judged * 100;
    const auto given = rules.group_weights.find(name);
    const double weight = given == rules.group_weights.end() ? left : given->second;
    summary += (empty ? 100 : score.groups[name]) * (weight / 100);
  }
  score.reason = spoilt(results);
  score.summary = score.reason.empty() ? rounded(summary) : 0;
  score.label = judge(score.summary, rules);
  return score;
}

std::string_view to_string(Label label) {
  switch (label) {
    case Label::pass:
      return "Pass";
    case Label::high:
      return "High";
    case Label::low:
      return "Low";
    case Label::nodata:
      return "Nodata";
    case Label::nodata_fail_metric:
      return "NodataFailMetric";
    case Label::error:
      return "Error";
  }
  return "";
}

std::string_view to_string(ScoreLabel label) {
  switch (label) {
    case ScoreLabel::pass:
      return "Pass";
    case ScoreLabel::marginal:
      return "Marginal";
    case ScoreLabel::fail:
      return "Fail";
  }
  return "";
}

}  // namespace homeostat::canary::kayenta
