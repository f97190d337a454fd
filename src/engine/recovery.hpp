// After a start: what the journal says against what is found running.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

void found(Turn& t, const Found& in);
/// Everything has been found: settles open intents by their incarnations, begins to look and to act.
void recovered(Turn& t);

}  // namespace homeostat::engine
