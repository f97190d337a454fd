// What operators ask for.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// What should run: the service, or one place of it.
void set_wanted(Turn& t, ServiceId id, Slot slot, bool running, const std::string& by);
void operator_command(Turn& t, const Operator& in);

/// Ends pauses whose time has come.
void pauses_due(Turn& t);

}  // namespace homeostat::engine
