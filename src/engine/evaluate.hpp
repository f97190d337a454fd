// Evaluating a service after something about it has changed: desired state, actions, incidents, status, repairs.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

void evaluate(Turn& t, ServiceId id);

/// Closes the service's incident without a recovery (stopped by an operator, withdrawn by a reload).
void close_incident(Turn& t, ServiceId id, Ending how);

}  // namespace homeostat::engine
