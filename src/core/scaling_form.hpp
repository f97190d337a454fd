// The metrics beyond those of the HorizontalPodAutoscaler: thresholds, queues, two windows.
#pragma once

#include "homeostat/scaling.hpp"

namespace homeostat {

constexpr bool is_form(MetricKind kind) {
  return kind == MetricKind::threshold || kind == MetricKind::drain || kind == MetricKind::panic;
}

/// Fills `out` anew. `memory` is the metric's own.
void propose_form(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                  const ScalingHistory& history, MetricMemory& memory, Instant now, MetricTrace& out);

}  // namespace homeostat
