// What operators ask for.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

void operator_command(Turn& t, const Operator& in);

/// Ends pauses whose time has come.
void pauses_due(Turn& t);

}  // namespace homeostat::engine
