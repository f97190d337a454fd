// From a route to what each of its places gets.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record_rollout.hpp"

namespace homeostat::engine {

/// Places that get equal parts.
struct RouteGroup {
  std::vector<std::int32_t> places;
  std::uint32_t share = 0;  // of all of them together, in millionths of the requests
};

/// The old version's places, those of them on trial, and the same of the new version's and of the baseline. All shares
/// together are a million.
std::vector<RouteGroup> groups_of(const Route& route);

}  // namespace homeostat::engine
