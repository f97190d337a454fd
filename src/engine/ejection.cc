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

const rollout::State* rollout_of(const State& s, ServiceId id) {
  const auto& known = s.index.facts[id]->rollout;
  return s.plan.services[id].rollout && known && !rollout::ended(*known) ? &*known : nullptr;
}

bool on_new_version(const State& s, ServiceId id, Slot slot) {
  const rollout::State* known = rollout_of(s, id);
  return known != nullptr && wanted_version_of(s.plan.services[id], *s.index.facts[id], slot) == known->to;
}

const LiveBreaker* breaker_before(const State& s, ServiceId id, const std::string& version) {
  const auto behind = requests_to(s.plan, s.plan.services[id], version);
  const auto live = behind ? s.breakers.find(behind->name) : s.breakers.end();
  return live == s.breakers.end() ? nullptr : &live->second;
}
bool is_closed(const LiveBreaker* breaker) {
  return breaker == nullptr || breaker->machine.state() == BreakerState::closed;
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
  std::uint32_t ejected = 0;  // of them
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

bool names(const std::vector<Slot>& slots, Slot slot) { return std::ranges::find(slots, slot) != slots.end(); }

// The old version takes over what the new one cannot answer, never the other way round.
bool others_take_over(const State& s, ServiceId id, const std::vector<Slot>& slots, const std::vector<Slot>& places) {
  const bool fresh = std::ranges::all_of(slots, [&](Slot slot) { return on_new_version(s, id, slot); });
  return std::ranges::any_of(
      places, [&](Slot other) { return !names(slots, other) && (!on_new_version(s, id, other) || fresh); });
}

// Who has been taken out stays out: that others are down makes it no better.
bool is_out(const State& s, ServiceId id, Slot slot) {
  const auto& route = s.index.facts[id]->route;
  return route && !names(route->stable, slot) && !names(route->fresh, slot);
}

/// Why these places keep their requests although they fail them.
std::string reason_to_keep(const State& s, ServiceId id, const std::vector<Slot>& slots, const Served& served) {
  const ServicePlan& plan = s.plan.services[id];
  if (s.plan.shadow || plan.mode != Mode::act) {
    return "in mode " + std::string(s.plan.shadow ? "shadow" : name_of(plan.mode)) + " it is only said";
  }
  const std::uint32_t allowed = s.plan.ejections.at(plan.name).max_ejected.of(served.all);
  if (planted(Bug::ejects_all)) return {};
  const auto more = std::ranges::count_if(slots, [&](Slot slot) { return names(served.places, slot); });
  const bool out = std::ranges::all_of(slots, [&](Slot slot) { return is_out(s, id, slot); });
  if (served.ejected + more > allowed || (served.away + more > allowed && !out)) {
    return std::to_string(served.away) + " of " + std::to_string(served.all) + " get no requests already, and " +
           std::to_string(allowed) + " may";
  }
  return others_take_over(s, id, slots, served.places) ? "" : "no other could take its requests";
}

/// Who still gets requests when all of them are out that may be.
Served decide(const State& s, ServiceId id, std::vector<Ejection>& ejections) {
  Served served = served_of(s, id);
  for (Ejection& one : ejections) {
    one.kept = reason_to_keep(s, id, {one.slot}, served);
    if (!one.kept.empty()) continue;
    const auto gone = static_cast<std::uint32_t>(std::erase(served.places, one.slot));
    served.away += gone;
    served.ejected += gone;
  }
  return served;
}

// While a gate is closed (a dependency is down, time has jumped) what is counted says nothing about a place.
bool gates_hold(Turn& t, ServiceId id) {
  Ask ask;
  ask.service = id;
  ask.direct = ask.bring_up = true;
  return check_gates(t, ask).has_value();
}

Ejection ejection(Slot slot, const OpenBreaker& open, const BreakerMachine& machine) {
  return {slot, open.since, machine.state() == BreakerState::half_open,
          std::to_string(open.failed) + " of " + std::to_string(open.calls) + " requests failed"};
}

/// Those that get no requests already come first, then the longest that fail them.
std::vector<Ejection> failing(const State& s, ServiceId id) {
  std::vector<Ejection> all;
  each_open(s, id, [&](Slot slot, const OpenBreaker& open, const BreakerMachine& machine) {
    all.push_back(ejection(slot, open, machine));
  });
  std::ranges::sort(all, {},
                    [&](const Ejection& one) { return std::tuple(!is_out(s, id, one.slot), one.since, one.slot); });
  return all;
}

// What its places have answered together: each alone may get too few requests to tell.
void count_versions(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& grown) {
  const rollout::State* known = rollout_of(t.s, id);
  if (known == nullptr) return;
  for (const std::string& version : {known->from, known->to}) {
    PlaceTraffic sum;
    for (const PlaceTraffic& one : grown) {
      const InstanceState* instance = t.instance(id, one.slot);
      if (instance == nullptr || instance->version != version) continue;
      sum.requests += one.requests;
      sum.errors += one.errors;
    }
    breaker_saw(t, *requests_to(t.s.plan, t.plan(id), version), sum.requests, sum.errors);
  }
}

// A version's breaker lives as long as its rollout: afterwards there is no other to take over.
void progress_versions(Turn& t, ServiceId id) {
  const auto any = requests_to(t.s.plan, t.plan(id), std::string_view());
  if (!any) return;
  const rollout::State* known = rollout_of(t.s, id);
  std::vector<std::string> versions;
  for (auto it = t.s.breakers.lower_bound(any->name); it != t.s.breakers.end() && it->first.starts_with(any->name);
       ++it)
    versions.push_back(it->first.substr(any->name.size()));
  for (const std::string& version : versions) {
    const Dependency behind = *requests_to(t.s.plan, t.plan(id), version);
    const BreakerMachine& machine = t.s.breakers.at(behind.name).machine;
    const bool closed = machine.state() == BreakerState::closed;
    const bool over = known == nullptr || (version != known->from && version != known->to);
    if (over && closed)
      t.s.breakers.erase(behind.name);
    else if (over || (!closed && machine.opened_at() < known->began))
      forget_breaker(t, behind);
    else if (machine.state(t.now) == BreakerState::probe_due)
      breaker_probes(t, behind);
    else if (machine.state() == BreakerState::open)
      t.wake_at(machine.open_until());
  }
}

}  // namespace

std::vector<Ejection> ejections_of(const State& s, ServiceId id) {
  std::vector<Ejection> ejections = failing(s, id);
  if (!ejections.empty()) decide(s, id, ejections);
  return ejections;
}

std::optional<Ejection> ejection_of(const State& s, ServiceId id, Slot slot) {
  const auto all = ejections_of(s, id);
  const auto found = std::ranges::find(all, slot, &Ejection::slot);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

std::optional<Ejection> version_ejection(const State& s, ServiceId id) {
  const rollout::State* known = rollout_of(s, id);
  if (known == nullptr || s.durable.breakers.empty() || !s.plan.ejections.contains(s.plan.services[id].name)) return {};
  const LiveBreaker* own = breaker_before(s, id, known->to);
  if (is_closed(own) || !is_closed(breaker_before(s, id, known->from))) return {};
  const auto open = s.durable.breakers.find(requests_to(s.plan, s.plan.services[id], known->to)->name);
  if (open == s.durable.breakers.end()) return {};
  Ejection out = ejection(kWhole, open->second, own->machine);
  std::vector<Ejection> alone = failing(s, id);
  const Served served = decide(s, id, alone);
  std::vector<Slot> places;
  for (const Place& place : s.services[id].places) {
    if (place.slot >= 0 && wanted_in(s, id, place.slot) && on_new_version(s, id, place.slot))
      places.push_back(place.slot);
  }
  out.kept = reason_to_keep(s, id, places, served);
  return out;
}

void count_failures(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& now) {
  if (!t.s.plan.ejections.contains(t.plan(id).name) || gates_hold(t, id)) return;
  const LiveTraffic& live = *t.live(id).traffic;
  std::vector<PlaceTraffic> grown;
  for (const PlaceTraffic& one : now) {
    const auto before = std::ranges::find(live.places, one.slot, &PlaceTraffic::slot);
    // It has begun to count anew.
    if (before == live.places.end() || one.requests < before->requests || one.errors < before->errors) continue;
    grown.push_back({one.slot, one.up, one.weighted, one.requests - before->requests, one.errors - before->errors});
    breaker_saw(t, *requests_to(t.s.plan, t.plan(id), one.slot), grown.back().requests, grown.back().errors);
  }
  count_versions(t, id, grown);
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
  progress_versions(t, id);
}

}  // namespace homeostat::engine
