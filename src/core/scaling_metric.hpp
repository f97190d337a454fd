// One metric: how each instance counts for it, and how many instances it proposes.
#pragma once

#include "homeostat/scaling.hpp"

namespace homeostat {

/// `sample` is null when the instance has none.
InstanceClass classify(const ScalingPolicy& policy, bool cpu, const ScalingInstance& instance,
                       const MetricSample* sample, Instant now);

/// Empties `out`, but keeps its memory.
void begin_trace(const MetricRule& rule, MetricTrace& out);

/// Fills `out` anew.
void propose(const ScalingPolicy& policy, const MetricRule& rule, const MetricReading& reading,
             std::span<const ScalingInstance> instances, ScaleCounts counts, Instant now, MetricTrace& out);

}  // namespace homeostat
