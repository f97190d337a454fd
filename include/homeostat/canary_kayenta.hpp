// The judge of Netflix's Kayenta, reproduced for teams that come from it, its corners included: no least number of
// samples, verdicts that depend on the unit, errors that pass. docs/canary.md says where our own judge differs.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace homeostat::canary::kayenta {

enum class Direction : std::uint8_t { increase, decrease, either };
enum class NanStrategy : std::uint8_t { remove, replace };
enum class OutlierStrategy : std::uint8_t { keep, remove };
enum class Measure : std::uint8_t { mean_ratio, cles };
enum class Label : std::uint8_t { pass, high, low, nodata, nodata_fail_metric, error };
enum class ScoreLabel : std::uint8_t { pass, marginal, fail };

// In Kayenta's own spelling: "NodataFailMetric", "Marginal".
std::string_view to_string(Label label);
std::string_view to_string(ScoreLabel label);

/// What counts as a change: the effect at or below `decrease`, at or above `increase`.
struct Thresholds {
  double decrease = 1;
  double increase = 1;
};
/// What Kayenta takes when nothing is said: 1 for the ratio of means, 0.5 for the common language effect.
constexpr Thresholds default_thresholds(Measure measure) {
  return measure == Measure::cles ? Thresholds{0.5, 0.5} : Thresholds{1, 1};
}

struct MetricRules {
  Direction direction = Direction::either;
  NanStrategy nan_strategy = NanStrategy::remove;
  OutlierStrategy outliers = OutlierStrategy::keep;
  double outlier_factor = 3;
  bool critical = false;
  bool must_have_data = false;
  double tolerance = 0.25;
  double confidence = 0.98;
  Measure measure = Measure::mean_ratio;
  Thresholds allowed{};
  Thresholds critical_at{};
};

struct Classification {
  Label label = Label::pass;
  bool critical = false;  // this classification fails the whole canary
  double deviation = 1;   // ratio of the means; not a number where one of them is 0
  std::string reason;
};

/// Experiment over control; not a number where a mean is 0.
double mean_ratio(std::span<const double> experiment, std::span<const double> control);
/// Difference of the means in pooled standard deviations.
double cohens_d(std::span<const double> experiment, std::span<const double> control);

std::vector<double> without_nan(std::span<const double> samples);
std::vector<double> nan_replaced(std::span<const double> samples, double value = 0);
/// Outside the quartiles by more than `factor` times their distance; `reduce_sensitivity` spares what lies within the
/// 1st and 99th percentile.
std::vector<bool> iqr_outliers(std::span<const double> samples, double factor, bool reduce_sensitivity);
/// Further from the mean than `factor` (population) standard deviations.
std::vector<bool> ksigma_outliers(std::span<const double> samples, double factor);
std::vector<double> without(std::span<const double> samples, const std::vector<bool>& outliers);

/// Cleans both sides as the rules say, then compares. Two constant sides get noise of 1e-5 of their value, as there;
/// here it is seeded.
Classification classify(std::span<const double> experiment, std::span<const double> control, const MetricRules& rules,
                        std::uint64_t seed = 0);
/// High or Low by the means alone.
Classification classify_by_mean(std::span<const double> experiment, std::span<const double> control,
                                const MetricRules& rules);

struct MetricResult {
  std::string name;
  Label label = Label::pass;
  bool critical = false;
  bool muted = false;
  std::vector<std::string> groups;
};

struct ScoreRules {
  std::map<std::string, double> group_weights;  // percent; what is left over is shared by the groups without one
  double pass = 75;
  double marginal = 50;
};

struct Score {
  double summary = 0;
  ScoreLabel label = ScoreLabel::fail;
  std::map<std::string, double> groups;
  std::string reason;
};

Score score(std::span<const MetricResult> results, const ScoreRules& rules);

}  // namespace homeostat::canary::kayenta
