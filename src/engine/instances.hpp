// What runs at each place, as the runtime tells.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// The instance of a place runs, or has ended, as `state` says.
void set_instance(Turn& t, ServiceId id, Slot slot, RunState state, const Incarnation& incarnation,
                  const std::string& version, std::uint16_t port, const std::string& detail);

/// What the runtime reports at the end of an action is what runs now, whatever became of the action.
void adopt_report(Turn& t, ServiceId id, Place& place, const Intent& intent, const ActionDone& in);

/// True while the runtime starts or stops the instance of this place: it reports what it leaves.
bool runtime_at_it(Turn& t, const Place& place);

void exited(Turn& t, const Exited& in);

}  // namespace homeostat::engine
