// What `eval canary` reads: samples of both sides, as JSON or as columns of numbers.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "homeostat/canary.hpp"
#include "homeostat/canary_kayenta.hpp"
#include "homeostat/canary_simple.hpp"

namespace homeostat::cli {

enum class CanaryMode : std::uint8_t { native, kayenta, simple };

/// One sample, or one reading of a counter: `value` of `traffic`.
struct CanarySample {
  double at = 0;  // seconds; the same for all where no times were given
  double value = 0;
  double traffic = 0;
};

struct CanaryInputMetric {
  canary::Metric metric{};
  canary::kayenta::MetricRules kayenta{};
  canary::SimpleRules simple{};
  std::vector<std::string> groups{"all"};
  bool muted = false;
  std::vector<CanarySample> canary{};
  std::vector<CanarySample> baseline{};
};

struct CanaryInput {
  CanaryMode mode = CanaryMode::native;
  canary::Options options{};
  canary::kayenta::ScoreRules score{};
  std::vector<CanaryInputMetric> metrics{};
};

/// What the command line says of columns, which cannot say it themselves.
struct CanaryColumns {
  CanaryMode mode = CanaryMode::native;
  std::optional<canary::Kind> kind{};    // latency where all samples are positive, else value
  std::optional<canary::Worse> worse{};  // higher; of Kayenta either
};

inline constexpr std::size_t kMostCanaryBytes = 32U << 20U;
inline constexpr double kMostCanarySeconds = 1e9;  // before or after zero

std::optional<CanaryMode> canary_mode(std::string_view word);
std::optional<canary::Kind> canary_kind(std::string_view word);
std::optional<canary::Worse> canary_worse(std::string_view word);
/// Which change does harm where nothing is said.
canary::Worse usual_worse(CanaryMode mode);
canary::kayenta::Direction kayenta_direction(canary::Worse worse);

/// An error names the member: "metrics[1].kind is not known".
std::expected<CanaryInput, Error> read_canary_json(std::string_view text);
/// Lines of `canary,baseline` or `time,canary,baseline`; the first may name them, a cell may be empty.
std::expected<CanaryInput, Error> read_canary_csv(std::string_view text, const CanaryColumns& columns);

/// Latency where everything is positive, else value.
canary::Kind likely_kind(const CanaryInputMetric& metric);

}  // namespace homeostat::cli
