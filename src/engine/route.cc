#include "engine/route.hpp"

#include <algorithm>

#include "homeostat/rollout_types.hpp"

namespace homeostat::engine {
namespace {

void divide(const Route& route, const std::vector<std::int32_t>& places, std::uint32_t share,
            std::vector<RouteGroup>& out) {
  RouteGroup usual;
  RouteGroup trial;
  for (const std::int32_t slot : places) {
    const bool tried = std::ranges::find(route.trial, slot) != route.trial.end();
    (tried ? trial : usual).places.push_back(slot);
  }
  const std::uint64_t part = usual.places.empty() ? 100 : route.part;  // where all are tried, they are all alike
  const std::uint64_t tried = trial.places.size() * part;
  const std::uint64_t all = usual.places.size() * 100 + tried;
  trial.share = all == 0 ? 0 : static_cast<std::uint32_t>(share * tried / all);
  usual.share = usual.places.empty() && !trial.places.empty() ? 0 : share - trial.share;
  out.push_back(std::move(usual));
  out.push_back(std::move(trial));
}

}  // namespace

std::vector<RouteGroup> groups_of(const Route& route) {
  const std::uint32_t fresh = route.share * (1'000'000 / rollout::kAll);
  const auto count = [](const auto& places) { return static_cast<std::uint32_t>(places.size()); };
  const std::uint32_t baseline = fresh / std::max(1U, count(route.fresh)) * count(route.baseline);
  std::vector<RouteGroup> groups;
  divide(route, route.stable, 1'000'000 - fresh - baseline, groups);
  divide(route, route.fresh, fresh, groups);
  divide(route, route.baseline, baseline, groups);
  return groups;
}

}  // namespace homeostat::engine
