// Looking: which check runs when, and what its answers do to the health of its target.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// Makes the table of targets and places for the plan; nothing is looked at yet.
void build_targets(State& s);

/// A deadline of the wheel that belongs to a target has come.
void target_due(Turn& t, TargetId id);
void observed(Turn& t, const Observed& in);

/// Starts a run now, off the grid (an operator's wish, a sample, a prerequisite). One in flight is waited for.
void look_now(Turn& t, TargetId id);

/// The instance of a place has been started: its checks begin anew, with grace, at once and fast.
void begin_startup(Turn& t, ServiceId id, Place& place);
/// Its checks go on by the grid, nothing is known yet (a start of ours, a gap in time).
void begin_looking(Turn& t, Place& place);
/// Nothing runs there: its checks rest.
void stop_looking(Turn& t, Place& place);
/// It was stopped on purpose: how it was before says nothing about its next start.
void forget_health(Turn& t, Place& place);
/// What was seen of it before now is void; a start of which nothing has been seen yet keeps its grace.
void forget_seen(Target& target, Instant now);
/// The process of a place was seen to end: tells the check that watches it.
void process_ended(Turn& t, ServiceId id, Place& place, const Observation& seen);

}  // namespace homeostat::engine
