#include "homeostat/canary_ranks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "homeostat/canary_stats.hpp"

namespace homeostat::canary {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double last_place(double x) { return std::isnan(x) ? kInfinity : x; }

std::vector<double> in_order(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::transform(sorted.begin(), sorted.end(), sorted.begin(), last_place);
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  return sorted;
}

struct Ranks {
  double experiment = 0;  // sum of the experiment's mid-ranks
  double ties = 0;        // sum of t^3 - t over groups of t equal values
};

/// Both samples sorted; moving one down by `shift` leaves it sorted, so that one pass is enough.
Ranks rank(std::span<const double> experiment, std::span<const double> control, double shift) {
  Ranks ranks;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < experiment.size() || j < control.size()) {
    const double x = i < experiment.size() ? last_place(experiment[i] - shift) : kInfinity;
    const double value = j < control.size() ? std::min(x, control[j]) : x;
    const std::size_t before = i + j;
    const std::size_t first = i;
    while (i < experiment.size() && last_place(experiment[i] - shift) == value) ++i;
    while (j < control.size() && control[j] == value) ++j;
    const auto tied = static_cast<double>(i + j - before);
    ranks.experiment += static_cast<double>(i - first) * (static_cast<double>(before) + (tied + 1) / 2);
    ranks.ties += tied * tied * tied - tied;
  }
  return ranks;
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/// Brent's method ("Algorithms for Minimization without Derivatives", 1973, chapter 4): inverse quadratic steps where
/// they can be trusted, halving where not. `f` has opposite signs at the ends.
class Brent {
 public:
  Brent(double left, double right, double at_left, double at_right)
      : previous_{left, at_left}, best_{right, at_right}, opposite_{left, at_left} {}

  template <class F>
  std::expected<double, std::string> root(F&& f) {
    constexpr int kMostSteps = 1001;
    if (previous_.y == 0) return previous_.x;
    if (best_.y == 0) return best_.x;
    for (int i = 0; i < kMostSteps; ++i) {
      const double last_step = best_.x - previous_.x;
      if (std::abs(opposite_.y) < std::abs(best_.y)) {
        previous_ = best_;
        best_ = opposite_;
        opposite_ = previous_;
      }
      const double tolerance = 2 * std::numeric_limits<double>::epsilon() * std::abs(best_.x) + kTolerance / 2;
      const double half = (opposite_.x - best_.x) / 2;
      if (std::abs(half) <= tolerance || best_.y == 0) return best_.x;
      double step = next_step(last_step, half, tolerance);
      if (std::abs(step) < tolerance) step = step > 0 ? tolerance : -tolerance;
      previous_ = best_;
      best_.x += step;
      const auto value = f(best_.x);
      if (!value) return std::unexpected(value.error());
      best_.y = *value;
      if ((best_.y > 0 && opposite_.y > 0) || (best_.y < 0 && opposite_.y < 0)) opposite_ = previous_;
    }
    return best_.x;
  }

 private:
  static constexpr double kTolerance = 1e-4;
  struct Point {
    double x;
    double y;
  };

  double next_step(double last_step, double half, double tolerance) const {
    if (std::abs(last_step) < tolerance || std::abs(previous_.y) <= std::abs(best_.y)) return half;
    const double width = opposite_.x - best_.x;
    const double to_previous = best_.y / previous_.y;
    double numerator = 0;
    double denominator = 0;
    if (previous_.x == opposite_.x) {  // two points: a line
      numerator = width * to_previous;
      denominator = 1.0 - to_previous;
    } else {
      const double q = previous_.y / opposite_.y;
      const double to_opposite = best_.y / opposite_.y;
      numerator = to_previous * (width * q * (q - to_opposite) - (best_.x - previous_.x) * (to_opposite - 1.0));
      denominator = (q - 1.0) * (to_opposite - 1.0) * (to_previous - 1.0);
    }
    if (numerator > 0) {
      denominator = -denominator;
    } else {
      numerator = -numerator;
    }
    const bool inside = numerator < 0.75 * width * denominator - std::abs(tolerance * denominator) / 2 &&
                        numerator < std::abs(last_step * denominator / 2);
    return inside ? numerator / denominator : half;
  }

  Point previous_;
  Point best_;
  Point opposite_;
};

/// The shift at which the statistic is `target`.
std::expected<double, std::string> shift_at(const ShiftTest& test, double target, bool clamp) {
  const auto above = [&](double shift) -> std::expected<double, std::string> {
    const auto value = test.statistic(shift);
    if (!value) return value;
    return *value - target;
  };
  const auto left = above(test.least());
  if (!left) return left;
  const auto right = above(test.most());
  if (!right) return right;
  if (clamp && *left <= 0) return test.least();
  if (clamp && *right >= 0) return test.most();
  return Brent(test.least(), test.most(), *left, *right).root(above);
}

}  // namespace

double common_language_effect(std::span<const double> experiment, std::span<const double> control) {
  const auto m = static_cast<double>(experiment.size());
  const auto n = static_cast<double>(control.size());
  const Ranks ranks = rank(in_order(experiment), in_order(control), 0);
  return (2 * ranks.experiment - m * (m + 1)) / (2 * n * m);
}

ShiftTest::ShiftTest(std::span<const double> experiment, std::span<const double> control)
    : experiment_(in_order(experiment)),
      control_(in_order(control)),
      least_(empty() ? 0 : experiment_.front() - control_.back()),
      most_(empty() ? 0 : experiment_.back() - control_.front()) {}

std::expected<double, std::string> ShiftTest::statistic(double shift) const {
  if (empty()) return std::unexpected("there are no samples");
  const auto m = static_cast<double>(experiment_.size());
  const auto n = static_cast<double>(control_.size());
  const Ranks ranks = rank(experiment_, control_, shift);
  const double w = ranks.experiment - m * (m + 1) / 2 - m * n / 2;
  const double sigma = std::sqrt((m * n / 12) * ((m + n + 1) - ranks.ties / ((m + n) * (m + n - 1))));
  if (sigma == 0) return std::unexpected("all values are tied, so that no interval can be computed");
  return (w - sign(w) * 0.5) / sigma;
}

double ShiftTest::p_value() const {
  const auto z = statistic(0);
  return z ? 2 * normal_cdf(-std::abs(*z)) : 1;
}

std::expected<ShiftInterval, std::string> shift_interval(std::span<const double> experiment,
                                                         std::span<const double> control, double confidence) {
  const ShiftTest test(experiment, control);
  const double z = normal_quantile((1.0 - confidence) / 2);
  const auto lower = shift_at(test, -z, true);
  const auto upper = shift_at(test, z, true);
  const auto estimate = shift_at(test, 0, false);
  if (!lower) return std::unexpected(lower.error());
  if (!upper) return std::unexpected(upper.error());
  if (!estimate) return std::unexpected(estimate.error());
  return ShiftInterval{*lower, *upper, *estimate};
}

}  // namespace homeostat::canary
