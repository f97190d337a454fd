// The plan laid out for speed: what the engine would otherwise have to search for at every step.
#pragma once

#include <optional>
#include <string_view>

#include "engine/state.hpp"

namespace homeostat::engine {

/// Fills State::index for the plan, the durable state and the table of targets as they are now.
void index_plan(State& s);

std::optional<ServiceId> service_named(const State& s, std::string_view name);

}  // namespace homeostat::engine
