// The fold of a service's instances into its status, and the edges of its downtime.
#pragma once

#include "engine/turn.hpp"

namespace homeostat::engine {

/// Records a changed status and the beginning and end of downtime; whoever depends on the service is looked at again.
void update_status(Turn& t, ServiceId id);

/// The release the instance of a slot should run: its own while a deployment is under way, else the service's
/// deployed one, else the configured one.
std::string wanted_version_of(const ServicePlan& plan, const ServiceState& state, Slot slot);

}  // namespace homeostat::engine
