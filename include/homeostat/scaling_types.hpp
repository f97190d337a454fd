// The words of the autoscaler: what it is told about instances and metrics.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat {

/// Numbers of instances; what would be more is this.
inline constexpr std::int32_t kMostInstances = std::numeric_limits<std::int32_t>::max();

enum class InstancePhase : std::uint8_t { pending, running, succeeded, failed };
enum class Readiness : std::uint8_t { absent, no, yes, unknown };

/// How an instance counts for one metric.
enum class InstanceClass : std::uint8_t { ready, unready, missing, ignored };
std::string_view to_string(InstanceClass counted);

/// One instance as the autoscaler sees it.
struct ScalingInstance {
  InstancePhase phase = InstancePhase::running;
  bool leaving = false;  // being stopped or deleted
  Readiness ready = Readiness::yes;
  std::optional<Instant> started{};
  Instant ready_changed{};                   // when `ready` last changed
  std::optional<Instant> first_ready{};      // when it was ready for the first time, as far as it is known
  std::optional<std::int64_t> request = {};  // what it was promised of a resource, in thousandths; utilization needs it
};

/// Why a metric gives no number. A metric that could not be read is never taken for 0.
enum class MetricFault : std::uint8_t {
  none,
  unread,             // the source failed
  absent,             // it answered without this metric
  stale,              // the answer is too old
  not_a_number,       //
  infinite,           //
  negative,           //
  too_large,          //
  no_samples,         // no instance that counts has a sample
  no_instances,       //
  missing_request,    // an instance has no request to compare its use with
  no_known_instance,  // all samples belong to instances that nobody knows
  bad_target,         // the target is not above zero
  unlearned,          // a capacity that is still to be learned
};
std::string_view to_string(MetricFault fault);

/// Of an instance that is not among those given.
inline constexpr std::uint32_t kUnknownInstance = std::numeric_limits<std::uint32_t>::max();

/// What one instance measured. Values are thousandths, so that decimals stay exact.
struct MetricSample {
  std::uint32_t instance = kUnknownInstance;  // index into the instances given
  std::int64_t value = 0;
  Instant at{};       // when it was measured
  Duration window{};  // over how long
};

/// What one source said. Samples belong to instances, totals to the service as a whole; a metric has one of the two.
struct MetricReading {
  MetricFault fault = MetricFault::none;
  std::span<const MetricSample> samples{};  // at most one for each instance; of two the later in the list counts
  std::span<const std::int64_t> totals{};   // thousandths
};

/// A number from outside in thousandths, or why it is refused.
std::expected<std::int64_t, MetricFault> to_thousandths(double value);

/// A share such as 0.1 in millionths, or nothing: not a number, negative, or above 1,000.
std::optional<std::int64_t> to_millionths(double share);

}  // namespace homeostat
