// Before a rollout begins: what the judge will be able to see, and how long it will take.
#pragma once

#include <optional>

#include "homeostat/canary_types.hpp"

namespace homeostat::canary {

/// What is known of a metric before the canary runs, as a rule from the baseline's past.
struct Traffic {
  double canary_per_minute = 0;  // samples or requests
  double baseline_per_minute = 0;
  double spread = 0.5;  // of a latency: standard deviation of the natural logarithm; of a value: as a share of its mean
  double rate = 0.01;   // of errors or events
};

struct Forecast {
  /// The smallest harm, as a share of the baseline, that is proven within the horizon with even odds or better.
  /// Nothing when even the largest is not.
  std::optional<double> least_harm;
  /// When a version that does no harm passes, with even odds. Nothing: not within a month.
  std::optional<Duration> passes_after;
};

/// `stages` and the weights of all metrics divide alpha, as in the judge itself: `share` is the metric's part of it.
Forecast forecast(const Metric& metric, const Options& options, double share, const Traffic& traffic, Duration horizon);

}  // namespace homeostat::canary
