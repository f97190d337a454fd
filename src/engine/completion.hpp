// Services that are meant to end: a run that has ended well is done, and stays so until somebody starts it again.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// True when this end is the one that was hoped for; it has been written down.
bool completed(Turn& t, const Exited& in);

/// Nobody saw how a run ended that may have done its work: it is not repeated, and somebody is called.
void ended_unseen(Turn& t, ServiceId id, Slot slot);

}  // namespace homeostat::engine
