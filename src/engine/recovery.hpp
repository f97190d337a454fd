// After a start: what the journal says against what is found running.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

void found(Turn& t, const Found& in);
/// Everything has been found: settles open intents by their incarnations, begins to look and to act.
void recovered(Turn& t);

/// A life of ours died in the middle of its action, whose runtime is still at work: what it comes to is not known yet.
bool is_unsettled(const State& s, const Place& place);
/// It is known now, by what is found, or because the runtime has come to rest.
void found_unsettled(Turn& t, Found in);
void settle_late(Turn& t, ServiceId id, Place& place);

}  // namespace homeostat::engine
