// Going over to another configuration without losing what is known.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

void reload_plan(Turn& t, Plan plan);

}  // namespace homeostat::engine
