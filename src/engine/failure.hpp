// What fails, and how: the name a kind of failure goes by where repairs are told apart by it.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// "http: timed_out", "process: exited 3"; the check alone when nobody saw how; empty: nothing fails there.
std::string failure_of(Turn& t, ServiceId id, Slot slot);

}  // namespace homeostat::engine
