#include "homeostat/scaling_policy.hpp"

#include <cmath>

#include "core/scaling_math.hpp"
#include "homeostat/scaling.hpp"

namespace homeostat {
namespace {

constexpr double kMostThousandths = 9.0e15;  // above 2^53 a double no longer tells one number from the next

}  // namespace

std::expected<std::int64_t, MetricFault> to_thousandths(double value) {
  if (std::isnan(value)) return std::unexpected(MetricFault::not_a_number);
  if (std::isinf(value)) return std::unexpected(MetricFault::infinite);
  if (value < 0) return std::unexpected(MetricFault::negative);
  if (value * 1000 > kMostThousandths) return std::unexpected(MetricFault::too_large);
  return std::llround(value * 1000);
}

std::optional<std::int64_t> to_millionths(double share) {
  if (!(share >= 0 && share <= 1000)) return std::nullopt;
  return std::llround(share * 1'000'000);
}

std::optional<std::int64_t> MetricTrace::utilisation() const {
  if (!measured || target <= 0) return std::nullopt;
  return saturate(Wide{*measured} * 1000 / target);
}

DirectionRules default_up_rules() {
  using std::chrono::seconds;
  return {LimitSelect::largest, {}, {{LimitUnit::instances, 4, seconds(15)}, {LimitUnit::percent, 100, seconds(15)}}};
}

DirectionRules default_down_rules(Duration window) {
  return {LimitSelect::largest, window, {{LimitUnit::percent, 100, std::chrono::seconds(15)}}};
}

}  // namespace homeostat
