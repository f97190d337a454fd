// Repair: a failing place walks its ladder.
#pragma once

#include <optional>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// Takes the next step for a place that fails: waits, skips rungs that do not apply, asks the gates, begins a try.
void repair(Turn& t, ServiceId id, Place& place);

/// The try under way did not lead to a verified recovery.
void ladder_try_failed(Turn& t, ServiceId id, Place& place);
/// An action that its ladder began has ended.
void ladder_try_ended(Turn& t, ServiceId id, Place& place, const Intent& intent, bool ok);

/// Records which gate holds a place, once a change; nothing: none does any more.
void record_hold(Turn& t, ServiceId id, Slot slot, std::uint64_t incident, const std::optional<Hold>& hold);

}  // namespace homeostat::engine
