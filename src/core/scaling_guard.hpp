// What may hold a change back besides windows and limits, and what else is learned from one decision to the next.
#pragma once

#include "homeostat/scaling.hpp"

namespace homeostat {

/// The bounds of this hour.
CountRange range_now(const ScalingPolicy& policy, std::span<const LocalMinutes> local);

/// How long instances take from their start until they serve.
void learn_start_time(ScalingHistory& history, std::span<const ScalingInstance> instances, Instant now);

enum class Activity : std::uint8_t { off, unknown, in_use, idle };
/// Whether the service is in use, by the activation metric; it has to be idle for a while to be called so.
Activity activity(const ScalingPolicy& policy, ScalingHistory& history, Instant now, const ScalingDecision& out);

/// Compares what the instances that were added last did to the metric they were added for.
void watch_help(const ScalingPolicy& policy, ScalingHistory& history, Instant now, const ScalingDecision& out);
/// They are being added now.
void expect_help(const ScalingPolicy& policy, ScalingHistory& history, const ScalingDecision& decision);

/// Takes the change back where something forbids it.
void guard(const ScalingPolicy& policy, const ScalingHistory& history, const ScalingControl& control, Instant now,
           ScalingDecision& out);

/// Notes that it turned from up to down.
void note_turn(ScalingHistory& history, Instant now);

}  // namespace homeostat
