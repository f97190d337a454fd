#include "homeostat/canary_kayenta.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "homeostat/canary_ranks.hpp"
#include "homeostat/canary_stats.hpp"
#include "homeostat/random.hpp"

namespace homeostat::canary::kayenta {
namespace {

constexpr double kNoise = 1e-5;

std::vector<double> cleaned(std::span<const double> samples, const MetricRules& rules) {
  std::vector<double> kept = rules.nan_strategy == NanStrategy::remove ? without_nan(samples) : nan_replaced(samples);
  if (rules.outliers == OutlierStrategy::keep) return kept;
  return without(kept, iqr_outliers(kept, rules.outlier_factor, true));
}

bool constant(std::span<const double> samples) {
  return std::all_of(samples.begin(), samples.end(), [&](double x) { return x == samples.front(); });
}

bool same_values(std::vector<double> a, std::vector<double> b) {
  if (a.size() != b.size()) return false;
  for (std::vector<double>* side : {&a, &b}) {
    if (!std::is_sorted(side->begin(), side->end())) std::sort(side->begin(), side->end());
  }
  return a == b;
}

double uniform(Random& random) { return static_cast<double>((random.next() >> 11) + 1) * 0x1p-53; }

void add_noise(std::vector<double>& samples, Random& random) {
  const double scale = samples.front() * kNoise;
  for (double& x : samples) {
    const double radius = std::sqrt(-2 * std::log(uniform(random)));
    const double angle = 2 * std::numbers::pi * uniform(random);
    x += scale * radius * std::cos(angle);
  }
}

/// What is said of a metric that lacks samples on a side.
Classification missing(const MetricRules& rules) {
  if (rules.nan_strategy == NanStrategy::replace) return {};
  if (rules.must_have_data && !rules.critical) {
    return {Label::nodata_fail_metric, false, 1, "there are no samples, and the metric must have some"};
  }
  return {Label::nodata, rules.critical, 1, "there are no samples"};
}

/// An effect that cannot be computed holds nothing up.
bool reaches(double effect, double threshold) { return std::isnan(effect) || effect >= threshold; }
bool falls_to(double effect, double threshold) { return std::isnan(effect) || effect <= threshold; }

Classification compare(const std::vector<double>& experiment, const std::vector<double>& control,
                       const MetricRules& rules) {
  const auto shift = shift_interval(experiment, control, rules.confidence);
  if (!shift) return {Label::error, false, 1, shift.error()};
  const double ratio = mean_ratio(experiment, control);
  const double effect = rules.measure == Measure::cles ? common_language_effect(experiment, control) : ratio;
  const double bound = rules.tolerance * std::abs(shift->estimate);
  if (rules.direction != Direction::decrease && shift->lower > bound && reaches(effect, rules.allowed.increase)) {
    return {Label::high, rules.critical && reaches(effect, rules.critical_at.increase), ratio, "higher"};
  }
  if (rules.direction != Direction::increase && shift->upper < -bound && falls_to(effect, rules.allowed.decrease)) {
    return {Label::low, rules.critical && falls_to(effect, rules.critical_at.decrease), ratio, "lower"};
  }
  return {Label::pass, false, ratio, {}};
}

}  // namespace

double mean_ratio(std::span<const double> experiment, std::span<const double> control) {
  const double above = mean(experiment);
  const double below = mean(control);
  return above == 0 || below == 0 ? std::numeric_limits<double>::quiet_NaN() : above / below;
}

double cohens_d(std::span<const double> experiment, std::span<const double> control) {
  const auto m = static_cast<double>(experiment.size());
  const auto n = static_cast<double>(control.size());
  const double a = standard_deviation(experiment);
  const double b = standard_deviation(control);
  const double pooled = std::sqrt(((m - 1) * a * a + (n - 1) * b * b) / (m + n - 2));
  return std::abs(mean(experiment) - mean(control)) / pooled;
}

std::vector<double> without_nan(std::span<const double> samples) {
  std::vector<double> kept(samples.begin(), samples.end());
  std::erase_if(kept, [](double x) { return std::isnan(x); });
  return kept;
}

std::vector<double> nan_replaced(std::span<const double> samples, double value) {
  std::vector<double> kept(samples.begin(), samples.end());
  std::replace_if(kept.begin(), kept.end(), [](double x) { return std::isnan(x); }, value);
  return kept;
}

std::vector<bool> iqr_outliers(std::span<const double> samples, double factor, bool reduce_sensitivity) {
  const double low = percentile(samples, 25);
  const double high = percentile(samples, 75);
  double floor = low - factor * (high - low);
  double ceiling = high + factor * (high - low);
  if (reduce_sensitivity) {
    floor = std::min(floor, percentile(samples, 1));
    ceiling = std::max(ceiling, percentile(samples, 99));
  }
  std::vector<bool> outliers;
  outliers.reserve(samples.size());
  for (const double x : samples) outliers.push_back(x > ceiling || x < floor);
  return outliers;
}

std::vector<bool> ksigma_outliers(std::span<const double> samples, double factor) {
  const double centre = mean(samples);
  const double sigma = population_deviation(samples);
  std::vector<bool> outliers;
  outliers.reserve(samples.size());
  for (const double x : samples) outliers.push_back(std::abs(x - centre) > sigma * factor);
  return outliers;
}

std::vector<double> without(std::span<const double> samples, const std::vector<bool>& outliers) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!outliers[i]) kept.push_back(samples[i]);
  }
  return kept;
}

Classification classify(std::span<const double> experiment, std::span<const double> control, const MetricRules& rules,
                        std::uint64_t seed) {
  std::vector<double> x = cleaned(experiment, rules);
  std::vector<double> y = cleaned(control, rules);
  if (x.empty() || y.empty()) return missing(rules);
  if (same_values(x, y)) return {Label::pass, false, 1, "both sides are identical"};
  if (constant(x) && constant(y)) {
    if (x.front() == y.front()) return {};
    Random random(seed);
    add_noise(x, random);
    add_noise(y, random);
  }
  return compare(x, y, rules);
}

Classification classify_by_mean(std::span<const double> experiment, std::span<const double> control,
                                const MetricRules& rules) {
  const std::vector<double> x = cleaned(experiment, rules);
  const std::vector<double> y = cleaned(control, rules);
  if (x.empty() || y.empty()) return missing(rules);
  const double above = mean(x);
  const double below = mean(y);
  if (rules.direction != Direction::decrease && above > below) {
    return {Label::high, rules.critical, above / below, "the mean is higher"};
  }
  if (rules.direction != Direction::increase && above < below) {
    return {Label::low, rules.critical, above / below, "the mean is lower"};
  }
  return {};
}

}  // namespace homeostat::canary::kayenta
