// The gates of a rollout's stage that somebody outside decides: commands of the user's, and the time of day.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// What the stage's gates say now; asks them where it is time.
void ask_gates(Turn& t, ServiceId id, rollout::State& state);
void gate_answered(Turn& t, const GateAnswered& in);

}  // namespace homeostat::engine
