// Evaluating a service after something about it has changed: desired state, actions, incidents, status, repairs.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

void evaluate(Turn& t, ServiceId id);

/// What was seen last where a place fails, in words.
std::string reason_of(Turn& t, ServiceId id, const Place& place, const View& view);

/// Closes the service's incident without a recovery (stopped by an operator, withdrawn by a reload).
void close_incident(Turn& t, ServiceId id, Ending how);

}  // namespace homeostat::engine
