#include "engine/ejection.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/planted.hpp"
#include "engine/breakers.hpp"
#include "engine/status.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::engine {
namespace {

std::optional<Slot> slot_in(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  Slot slot = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), slot);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional(slot) : std::nullopt;
}

// Those of one service lie side by side.
template <class Visit>
void each_open(const State& s, ServiceId id, Visit&& visit) {
  const ServicePlan& plan = s.plan.services[id];
  if (s.durable.breakers.empty() || !s.plan.ejections.contains(plan.name)) return;
  const std::string all = requests_to(s.plan, plan, kWhole)->name;
  const std::string prefix = all.substr(0, all.rfind('/') + 1);
  for (auto it = s.durable.breakers.lower_bound(prefix); it != s.durable.breakers.end(); ++it) {
    if (!it->first.starts_with(prefix)) return;
    const auto live = s.breakers.find(it->first);
    const auto slot = slot_in(it->first);
    if (slot && *slot < static_cast<Slot>(plan.instances) && live != s.breakers.end())
      visit(*slot, it->second, live->second.machine);
  }
}

bool on_new_version(const State& s, ServiceId id, Slot slot) {
  const ServiceState& known = *s.index.facts[id];
  if (!known.rollout || rollout::ended(*known.rollout)) return false;
  return wanted_version_of(s.plan.services[id], known, slot) == known.rollout->to;
}

/// It answers requests, as far as its checks and the proxy can tell.
bool serves(const State& s, ServiceId id, Slot slot) {
  const InstanceState* known = instance_of(s, id, slot);
  if (known == nullptr || known->state != RunState::running || view_of(s, id, slot).failing) return false;
  const auto& live = s.services[id].traffic;
  return live && std::ranges::any_of(live->places, [slot](const PlaceTraffic& p) { return p.slot == slot && p.up; });
}

/// Who gets requests, and who does not although it should run.
struct Served {
  std::vector<Slot> places;
  std::uint32_t away = 0;
  std::uint32_t all = 0;
};

Served served_of(const State& s, ServiceId id) {
  Served served;
  for (const Place& place : s.services[id].places) {
    if (place.slot < 0 || !wanted_in(s, id, place.slot)) continue;
    ++served.all;
    serves(s, id, place.slot) ? served.places.push_back(place.slot) : void(++served.away);
  }
  return served;
}

// The old version takes over what the new one cannot answer, never the other way round.
bool others_take_over(const State& s, ServiceId id, Slot slot, const std::vector<Slot>& places) {
  const bool fresh = on_new_version(s, id, slot);
  return std::ranges::any_of(places,
                             [&](Slot other) { return other != slot && (!on_new_version(s, id, other) || fresh); });
}

// Who has been taken out stays out: that others are down makes it no better.
bool is_out(const State& s, ServiceId id, Slot slot) {
  const auto& route = s.index.facts[id]->route;
  return route && std::ranges::find(route->stable, slot) == route->stable.end() &&
         std::ranges::find(route->fresh, slot) == route->fresh.end();
}

std::string reason_to_keep(const State& s, ServiceId id, Slot slot, const Served& served) {
  const ServicePlan& plan = s.plan.services[id];
  if (s.plan.shadow || plan.mode != Mode::act) {
    return "in mode " + std::string(s.plan.shadow ? "shadow" : name_of(plan.mode)) + " it is only said";
  }
  const std::uint32_t allowed = s.plan.ejections.at(plan.name).max_ejected.of(served.all);
  if (planted(Bug::ejects_all)) return {};
  const std::uint32_t more = std::ranges::find(served.places, slot) == served.places.end() ? 0 : 1;
  if (served.away + more > allowed && !is_out(s, id, slot)) {
    return std::to_string(served.away) + " of " + std::to_string(served.all) + " get no requests already, and " +
           std::to_string(allowed) + " may";
  }
  return others_take_over(s, id, slot, served.places) ? "" : "no other could take its requests";
}

void decide(const State& s, ServiceId id, std::vector<Ejection>& ejections) {
  Served served = served_of(s, id);
  for (Ejection& one : ejections) {
    one.kept = reason_to_keep(s, id, one.slot, served);
    if (one.kept.empty()) served.away += static_cast<std::uint32_t>(std::erase(served.places, one.slot));
  }
}

// While a gate is closed (a dependency is down, time has jumped) what is counted says nothing about a place.
bool gates_hold(Turn& t, ServiceId id) {
  Ask ask;
  ask.service = id;
  ask.direct = ask.bring_up = true;
  return check_gates(t, ask).has_value();
}

}  // namespace

std::vector<Ejection> ejections_of(const State& s, ServiceId id) {
  std::vector<Ejection> ejections;
  each_open(s, id, [&](Slot slot, const OpenBreaker& open, const BreakerMachine& machine) {
    const std::string evidence = std::to_string(open.failed) + " of " + std::to_string(open.calls) + " requests failed";
    ejections.push_back({slot, open.since, machine.state() == BreakerState::half_open, evidence});
  });
  if (ejections.empty()) return ejections;
  std::ranges::sort(ejections, {},
                    [&](const Ejection& one) { return std::tuple(!is_out(s, id, one.slot), one.since, one.slot); });
  decide(s, id, ejections);
  return ejections;
}

std::optional<Ejection> ejection_of(const State& s, ServiceId id, Slot slot) {
  const auto all = ejections_of(s, id);
  const auto found = std::ranges::find(all, slot, &Ejection::slot);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

std::string version_ejected(Turn& t, ServiceId id, const rollout::State& state) {
  const std::vector<Ejection> ejections = ejections_of(t.s, id);
  if (ejections.empty()) return {};
  bool any = false;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot)) continue;
    const bool fresh = wanted_version_of(t.plan(id), t.durable(id), place.slot) == state.to;
    const bool open = std::ranges::find(ejections, place.slot, &Ejection::slot) != ejections.end();
    if (fresh != open) return {};
    any = any || fresh;
  }
  return any ? "the proxy sees it fail: " + ejections.front().evidence : std::string();
}

void count_failures(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& now) {
  if (!t.s.plan.ejections.contains(t.plan(id).name) || gates_hold(t, id)) return;
  const LiveTraffic& live = *t.live(id).traffic;
  for (const PlaceTraffic& one : now) {
    const auto before = std::ranges::find(live.places, one.slot, &PlaceTraffic::slot);
    // It has begun to count anew.
    if (before == live.places.end() || one.requests < before->requests || one.errors < before->errors) continue;
    breaker_saw(t, *requests_to(t.s.plan, t.plan(id), one.slot), one.requests - before->requests,
                one.errors - before->errors);
  }
}

void progress_ejections(Turn& t, ServiceId id) {
  std::vector<Slot> due;
  std::vector<Slot> gone;  // where nothing shall run, nobody could prove anything
  each_open(t.s, id, [&](Slot slot, const OpenBreaker&, const BreakerMachine& machine) {
    if (!t.wanted(id, slot)) return gone.push_back(slot);
    if (machine.state() != BreakerState::open) return;
    const InstanceState* known = t.instance(id, slot);
    const bool anew = known != nullptr && known->state == RunState::running && known->since > machine.opened_at();
    if (anew || machine.state(t.now) == BreakerState::probe_due)
      due.push_back(slot);
    else
      t.wake_at(machine.open_until());
  });
  for (const Slot slot : due) breaker_probes(t, *requests_to(t.s.plan, t.plan(id), slot));
  for (const Slot slot : gone) forget_breaker(t, *requests_to(t.s.plan, t.plan(id), slot));
}

}  // namespace homeostat::engine
