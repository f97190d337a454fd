// Plain statistics of samples that the canary's judges share.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace homeostat::canary {

/// The standard normal distribution.
double normal_cdf(double z);
/// Its inverse; infinite at 0 and 1, not a number outside.
double normal_quantile(double p);

/// 0 without samples, as are the others.
double mean(std::span<const double> samples);
/// The sample's own (n - 1); 0 for one sample.
double standard_deviation(std::span<const double> samples);
/// The samples taken as all there are.
double population_deviation(std::span<const double> samples);
/// `percent` in (0, 100], interpolated between order statistics (Hyndman and Fan's type 7, R's default).
/// Not a number without samples.
double percentile(std::span<const double> samples, double percent);

struct Summary {
  double min = 0;
  double max = 0;
  double mean = 0;
  double median = 0;
  double std = 0;
  std::size_t count = 0;
};
Summary summarise(std::span<const double> samples);

}  // namespace homeostat::canary
