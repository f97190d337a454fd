// Instances that others start and stop beside us: what their runtime tells of them unasked.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// After recovery: another run than ours, or a stop by somebody else.
void found_later(Turn& t, const Found& in);
void runtime_held(Turn& t, const RuntimeHeld& in);
/// Somebody beside us had it started or stopped: that is what should be from now on.
void told_by_others(Turn& t, const Found& in);

}  // namespace homeostat::engine
