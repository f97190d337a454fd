#include "homeostat/canary_stats.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace homeostat::canary {
namespace {

template <std::size_t N>
double polynomial(const std::array<double, N>& coefficients, double x) {
  double value = 0;
  for (const double c : coefficients) value = value * x + c;
  return value;
}

/// Acklam's rational approximation, good to 1e-9; the caller refines it.
double rough_quantile(double p) {
  static constexpr std::array kA{-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                 1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr std::array kB{-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                                 6.680131188771972e+01,  -1.328068155288572e+01, 1.0};
  static constexpr std::array kC{-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                 -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr std::array kD{7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                 3.754408661907416e+00, 1.0};
  constexpr double kTail = 0.02425;
  if (p < kTail || p > 1 - kTail) {
    const double q = std::sqrt(-2 * std::log(p < kTail ? p : 1 - p));
    const double z = polynomial(kC, q) / polynomial(kD, q);
    return p < kTail ? z : -z;
  }
  const double q = p - 0.5;
  return polynomial(kA, q * q) * q / polynomial(kB, q * q);
}

/// From the mean, with what rounding has lost.
double squared_distances(std::span<const double> samples) {
  const double centre = mean(samples);
  double squares = 0;
  double rest = 0;
  for (const double x : samples) {
    squares += (x - centre) * (x - centre);
    rest += x - centre;
  }
  return squares - rest * rest / static_cast<double>(samples.size());
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0 || p == 1) return (p == 0 ? -1 : 1) * std::numeric_limits<double>::infinity();
  const double z = rough_quantile(p);
  // One step of Halley's method, on the side where the difference is not lost in rounding.
  const double error = p < 0.5 ? normal_cdf(z) - p : (1 - p) - normal_cdf(-z);
  const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(z * z / 2);
  return z - step / (1 + z * step / 2);
}

double mean(std::span<const double> samples) {
  if (samples.empty()) return 0;
  const auto n = static_cast<double>(samples.size());
  double sum = 0;
  for (const double x : samples) sum += x;
  const double rough = sum / n;
  double rest = 0;  // what rounding has lost
  for (const double x : samples) rest += x - rough;
  return rough + rest / n;
}

double standard_deviation(std::span<const double> samples) {
  if (samples.size() < 2) return 0;
  return std::sqrt(squared_distances(samples) / (static_cast<double>(samples.size()) - 1));
}

double population_deviation(std::span<const double> samples) {
  if (samples.empty()) return 0;
  return std::sqrt(squared_distances(samples) / static_cast<double>(samples.size()));
}

double percentile(std::span<const double> samples, double percent) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::erase_if(sorted, [](double x) { return std::isnan(x); });
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(sorted.begin(), sorted.end());
  const double place = static_cast<double>(sorted.size() - 1) * std::clamp(percent / 100, 0.0, 1.0);
  const auto below = static_cast<std::size_t>(std::floor(place));
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - std::floor(place)) * (sorted[below + 1] - sorted[below]);
}

Summary summarise(std::span<const double> samples) {
  Summary summary;
  if (samples.empty()) return summary;
  summary.min = *std::min_element(samples.begin(), samples.end());
  summary.max = *std::max_element(samples.begin(), samples.end());
  summary.mean = mean(samples);
  summary.median = percentile(samples, 50);
  summary.std = standard_deviation(samples);
  summary.count = samples.size();
  return summary;
}

}  // namespace homeostat::canary
