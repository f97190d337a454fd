#include "engine/resources.hpp"

#include <algorithm>

#include "core/planted.hpp"
#include "engine/rollout.hpp"

namespace homeostat::engine {
namespace {

bool shares(const ServicePlan& plan, const std::string& lock) {
  return std::ranges::find(plan.locks, lock) != plan.locks.end();
}

bool worked_on(Turn& t, ServiceId id) {
  if (t.durable(id).operation || moves_on(t, id)) return true;
  return std::ranges::any_of(t.live(id).places,
                             [&](const Place& place) { return place.action && !awaits_approval(t.s, place); });
}

void wake_waiting(Turn& t, const std::string& lock) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (shares(t.plan(id), lock)) t.mark(id);
  }
}

}  // namespace

std::optional<Hold> resource_gate(Turn& t, ServiceId id) {
  if (planted(Bug::resource_ignored)) return {};
  for (const std::string& lock : t.plan(id).locks) {
    const auto held = t.s.durable.resources.find(lock);
    if (held == t.s.durable.resources.end() || held->second == t.plan(id).name) continue;
    return Hold{"resource", held->second + " is worked on, and shares " + lock};
  }
  return {};
}

bool needs_resources(const Intent& intent) {
  if (intent.op == Op::route || (intent.origin == Origin::desired && intent.op == Op::start)) return false;
  return intent.op != Op::stop || intent.by.empty();
}

void take_resources(Turn& t, ServiceId id) {
  if (resource_gate(t, id)) return;
  for (const std::string& lock : t.plan(id).locks) {
    const auto held = t.s.durable.resources.find(lock);
    if (held != t.s.durable.resources.end() && held->second == t.plan(id).name) continue;
    t.record(ResourceMoved{lock, t.plan(id).name});
  }
}

void free_resources(Turn& t) {
  const auto held = t.s.durable.resources;
  for (const auto& [lock, holder] : held) {
    const auto id = t.find(holder);
    if (!t.s.recovered || (id && shares(t.plan(*id), lock) && worked_on(t, *id))) continue;
    t.record(ResourceMoved{lock, ""});
    wake_waiting(t, lock);
  }
}

}  // namespace homeostat::engine
