#include "core/canary_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace homeostat::canary {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEffect = 0.05;      // the share of the baseline that a mean is watched most closely for
constexpr double kLeastEffect = 0.1;  // in standard deviations of one sample, where the baseline is about zero

Verdict verdict_of(bool harmful, bool harmless) {
  if (harmful) return Verdict::fail;
  return harmless ? Verdict::pass : Verdict::undecided;
}

/// A share of the baseline on the scale on which a metric is compared.
double on_scale(const Metric& metric, const Estimate& estimate, double share) {
  return metric.kind == Kind::latency ? std::log1p(share) : share * std::abs(estimate.baseline);
}

double as_share(const Metric& metric, const Estimate& estimate, double difference) {
  if (metric.kind == Kind::latency) return std::expm1(difference);
  if (estimate.baseline == 0) return difference == 0 ? 0 : std::copysign(kInfinity, difference);
  return difference / std::abs(estimate.baseline);
}

/// A tolerance that is a share of the baseline moves with it: the comparison is with a little more than the baseline.
Estimate against_share(const Metric& metric, const Estimate& estimate, double share) {
  Estimate wider = estimate;
  if (metric.kind != Kind::latency) wider.variance *= (1 + std::abs(share)) * (1 + std::abs(share));
  return wider;
}

std::string number(double value) {
  std::array<char, 32> text{};
  const auto printed = std::to_chars(text.begin(), text.end(), value, std::chars_format::general, 4);
  return {text.begin(), printed.ptr};
}

/// "3.1 % higher", "2.4 times as high".
std::string compared(double share) {
  if (!std::isfinite(share)) return "higher than none";
  if (share >= 1) return number(1 + share) + " times as high";
  return percent(std::abs(share)) + (share < 0 ? " lower" : " higher");
}

std::string tolerated(const Metric& metric) {
  std::string text = percent(metric.promote_below);
  if (metric.kind == Kind::errors && metric.promote_points > 0) {
    text += " of them or " + percent(metric.promote_points) + " of all";
  }
  return text;
}

std::string counted(const MetricReport& report) {
  return " (" + number(report.canary.average) + " against " + number(report.baseline.average) + " in " +
         std::to_string(report.canary.samples) + " against " + std::to_string(report.baseline.samples) + " samples)";
}

}  // namespace

std::string percent(double share) {
  if (!std::isfinite(share)) return share > 0 ? "any amount" : "-100 %";
  std::array<char, 64> text{};
  const double shown = share * 100;
  const int digits = std::abs(shown) < 1 ? 2 : std::abs(shown) < 100 ? 1 : 0;
  const auto printed = std::to_chars(text.begin(), text.end(), shown, std::chars_format::fixed, digits);
  return std::string(text.begin(), printed.ptr) + " %";
}

void weigh(const Metric& metric, const Estimate& estimate, double alpha, double beta, MetricReport& report) {
  const bool two_sided = metric.worse == Worse::either;
  const double reference = metric.kind == Kind::latency ? 1 : std::abs(estimate.baseline);
  const double scale = std::max(kEffect * reference, kLeastEffect * estimate.spread);
  const double margin = on_scale(metric, estimate, metric.promote_below);
  const double proven = radius(estimate, scale, two_sided ? alpha / 2 : alpha);
  const double excluded = radius(against_share(metric, estimate, metric.promote_below), margin, beta);
  const double d = estimate.difference;
  const auto share = [&](double x) { return as_share(metric, estimate, x); };

  const Estimate limit = against_share(metric, estimate, metric.fail_above);
  const double beyond = radius(limit, scale, two_sided ? alpha / 2 : alpha);
  const bool high = metric.worse != Worse::lower && d - beyond > on_scale(metric, estimate, metric.fail_above);
  const bool low = metric.worse != Worse::higher && d + beyond < on_scale(metric, estimate, -metric.fail_above);
  const bool not_high = metric.worse == Worse::lower || d + excluded < margin;
  const bool not_low =
      metric.worse == Worse::higher || d - excluded > on_scale(metric, estimate, -metric.promote_below);
  report.verdict = verdict_of(high || low, not_high && not_low);
  report.change = share(d);
  report.lower = share(d - (metric.worse == Worse::lower ? excluded : proven));
  report.upper = share(d + (metric.worse == Worse::higher ? excluded : proven));
}

void weigh(const Metric& metric, const CountEvidence& evidence, double alpha, double beta, MetricReport& report) {
  const bool two_sided = metric.worse == Worse::either;
  const double base = evidence.estimate(0).baseline;
  const double points = metric.kind == Kind::errors ? metric.promote_points : 0;
  const double margin = std::max(metric.promote_below * base, points);
  const auto excludes = [&](double sign) {
    const Estimate estimate = evidence.estimate(sign * margin);
    return sign * estimate.difference + radius(estimate, margin, beta) < margin;
  };
  const bool not_high = metric.worse == Worse::lower || excludes(1);
  const bool not_low = metric.worse == Worse::higher || excludes(-1);
  report.verdict = verdict_of(evidence.harmful(alpha), not_high && not_low);
  report.change = evidence.ratio() - 1;
  report.lower = evidence.lower(two_sided ? alpha / 2 : alpha) - 1;
  report.upper = evidence.upper(two_sided ? alpha / 2 : alpha) - 1;
}

std::string explain(const Metric& metric, const MetricReport& report) {
  const std::string& name = metric.name;
  if (report.broken && report.verdict != Verdict::fail) {
    return name + ": cannot be judged, for it could not be measured, or nothing comes any more";
  }
  const std::string seen = name + ": " + compared(report.change);
  const bool down = metric.worse == Worse::lower || (metric.worse == Worse::either && report.change < 0);
  switch (report.verdict) {
    case Verdict::not_enough_data:
      return name + ": " + std::to_string(report.canary.samples) + " and " + std::to_string(report.baseline.samples) +
             " samples; it takes " + std::to_string(kLeastSamples) + " a side to say anything";
    case Verdict::fail:
      return seen + ", certainly by more than " +
             percent(std::max(metric.fail_above, down ? -report.upper : report.lower)) + counted(report);
    case Verdict::pass:
      return seen + "; harm of " + tolerated(metric) + " or more is excluded" + counted(report);
    case Verdict::undecided:
      return seen + ", the truth lies between " + percent(report.lower) + " and " + percent(report.upper) +
             ": neither harm nor its absence is proven" + counted(report);
  }
  return {};
}

}  // namespace homeostat::canary
