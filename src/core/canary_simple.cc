#include "homeostat/canary_simple.hpp"

#include <cmath>
#include <utility>

#include "core/canary_report.hpp"
#include "homeostat/canary_stats.hpp"

namespace homeostat::canary {
namespace {

/// How much better the canary is, as a share of the baseline.
double improvement(const SimpleReport& report, Worse worse) {
  const double change = (report.canary_avg - report.baseline_avg) / std::abs(report.baseline_avg);
  switch (worse) {
    case Worse::higher:
      return -change;
    case Worse::lower:
      return change;
    case Worse::either:
      return -std::abs(change);
  }
  return 0;
}

void within(const Range& range, SimpleReport& report) {
  const bool inside = report.canary_avg >= range.min && report.canary_avg <= range.max;
  report.verdict = inside ? Verdict::pass : Verdict::fail;
  report.why = inside ? "the canary's mean is within its bounds" : "the canary's mean is outside its bounds";
}

}  // namespace

SimpleReport compare_means(std::span<const double> canary, std::span<const double> baseline, const SimpleRules& rules) {
  SimpleReport report;
  report.canary_avg = mean(canary);
  report.baseline_avg = mean(baseline);
  const auto undecided = [&](std::string why) {
    report.why = std::move(why);
    return report;
  };
  if (canary.empty() || (baseline.empty() && !rules.range)) return undecided("a side has no samples");
  if (!std::isfinite(report.canary_avg) || !std::isfinite(report.baseline_avg)) {
    return undecided("a sample is not a number");
  }
  const double better = report.baseline_avg == 0 ? 0 : improvement(report, rules.worse);
  report.improvement_pct = 100 * better;
  if (rules.range) {
    within(*rules.range, report);
    return report;
  }
  if (report.baseline_avg == 0) return undecided("the baseline's mean is 0, so that nothing is a share of it");
  report.verdict = better < -rules.tolerance ? Verdict::fail : Verdict::pass;
  report.why = "the canary is " + percent(std::abs(better)) + (better < 0 ? " worse, " : " better, ") +
               percent(rules.tolerance) + " worse is tolerated";
  return report;
}

}  // namespace homeostat::canary
