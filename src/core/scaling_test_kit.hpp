// For tests: a service with instances and one metric that is told by instance.
#pragma once

#include <vector>

#include "homeostat/scaling.hpp"

namespace homeostat {

struct Scaled {
  ScalingPolicy policy{};
  ScalingHistory history{};
  std::vector<ScalingInstance> instances{};
  std::vector<MetricSample> samples{};
  std::vector<MetricReading> readings{};
  ScaleCounts counts{};
  ScalingControl control{};
  std::vector<LocalMinutes> local{};
  Instant now{std::chrono::hours(100)};
  ScalingDecision out{};

  /// The first metric reads `samples`.
  void decide() {
    if (!readings.empty()) readings[0].samples = samples;
    homeostat::decide(policy, history, {readings, instances, counts, control, local}, now, out);
  }
};

/// `count` instances that are ready and measure 100 each.
inline Scaled average_service(std::int32_t count, std::int64_t target) {
  Scaled service;
  service.policy.range = {1, 100};
  service.policy.metrics = {{"load", MetricKind::average, target}};
  service.counts = {count, count};
  for (std::int32_t i = 0; i < count; ++i) {
    service.instances.push_back({});
    service.samples.push_back({static_cast<std::uint32_t>(i), 100'000, service.now, {}});
  }
  service.readings.push_back({});
  return service;
}

}  // namespace homeostat
