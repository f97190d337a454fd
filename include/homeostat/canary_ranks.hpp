// Rank statistics of two samples: how far one lies above the other, whatever their distribution.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

namespace homeostat::canary {

/// Probability that an experiment sample is higher than a control sample, ties counted half (Vargha and Delaney 2000).
double common_language_effect(std::span<const double> experiment, std::span<const double> control);

/// The two-sided Mann-Whitney test of experiment against control: mid-ranks, normal approximation, corrected for ties
/// and continuity. What is not a number ranks highest. Both samples must not be empty.
class ShiftTest {
 public:
  ShiftTest(std::span<const double> experiment, std::span<const double> control);

  /// The standardised statistic when the experiment is moved down by `shift`. An error where all values are tied,
  /// or a side has none.
  std::expected<double, std::string> statistic(double shift) const;
  /// The shifts between which it changes sign.
  double least() const { return least_; }
  double most() const { return most_; }
  /// Two-sided p-value of no shift; 1 where there is no statistic.
  double p_value() const;

 private:
  bool empty() const { return experiment_.empty() || control_.empty(); }

  std::vector<double> experiment_;  // sorted
  std::vector<double> control_;     // sorted
  double least_;
  double most_;
};

/// Bounds of the shift at a confidence level, and the Hodges-Lehmann estimate of it.
struct ShiftInterval {
  double lower = 0;
  double upper = 0;
  double estimate = 0;
};

/// As R's wilcox.test(exact = FALSE) finds it: Brent's root of the statistic to an absolute tolerance of 1e-4, so that
/// the bounds depend on the unit of the samples. The continuity correction stays on for the estimate, as in Kayenta.
std::expected<ShiftInterval, std::string> shift_interval(std::span<const double> experiment,
                                                         std::span<const double> control, double confidence);

}  // namespace homeostat::canary
