// The autoscaler's part of the engine: when to measure, what is known of the instances, and the places that are needed.
// How many there shall be is the core's decision (homeostat/scaling.hpp).
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// Brings the places that are needed into line with the plan: after a start and after a reload.
void fit_counts(Turn& t);

/// Measures when it is time, and decides when a source is silent for too long; part of a service's evaluation.
void progress_scaling(Turn& t, ServiceId id);

void measured(Turn& t, const Measured& in);

/// So many by hand: as long as it is said, or until taken back (count < 0).
void scale_by_hand(Turn& t, ServiceId id, const Operator& in);

/// Not more, not fewer, or neither: as long as it is said, or until taken back (direction none).
void freeze_scaling(Turn& t, ServiceId id, const Operator& in);

}  // namespace homeostat::engine
