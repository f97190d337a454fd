// What several services share by name (`locks`): only one of them at a time is worked on, so that what is done for one
// and for another never meets.
#pragma once

#include <optional>

#include "engine/actions.hpp"

namespace homeostat::engine {

/// Another service is worked on with something that this one shares.
std::optional<Hold> resource_gate(Turn& t, ServiceId id);

/// It is work that excludes others.
bool needs_resources(const Intent& intent);

/// It is worked on from now on.
void take_resources(Turn& t, ServiceId id);

/// Those that are not worked on any more let go; who waits for them is asked again.
void free_resources(Turn& t);

}  // namespace homeostat::engine
