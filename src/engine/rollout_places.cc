#include "engine/rollout_places.hpp"

#include <algorithm>
#include <tuple>

#include "engine/doubt.hpp"
#include "engine/status.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

enum class Part : std::uint8_t { stable, fresh, baseline };

Part part_of(Turn& t, ServiceId id, Slot slot, const rollout::State& state) {
  if (t.durable(id).baseline.contains(slot)) return Part::baseline;
  return runs_new(t, id, slot, state) ? Part::fresh : Part::stable;
}

std::vector<Slot> slots_of(Turn& t, ServiceId id, const rollout::State& state, Part part) {
  std::vector<Slot> slots;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot)) continue;
    if (part_of(t, id, place.slot, state) == part) slots.push_back(place.slot);
  }
  return slots;
}

bool runs_version(Turn& t, ServiceId id, Slot slot, const std::string& version) {
  const InstanceState* known = t.instance(id, slot);
  return known != nullptr && known->state == RunState::running && known->version == version;
}

// Those that go first come last.
void order_by_worth(Turn& t, ServiceId id, std::vector<Slot>& slots) {
  std::vector<std::tuple<bool, Instant, Slot>> order;
  for (const Slot slot : slots) {
    const InstanceState* known = t.instance(id, slot);
    order.emplace_back(!is_ready(t, id, t.place(id, slot)), known == nullptr ? kNever : known->since, slot);
  }
  std::ranges::sort(order);
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = std::get<Slot>(order[i]);
}

// A place whose instance is still there need not be started; where another version still runs, that ends first.
std::vector<Slot> places_to_run(Turn& t, ServiceId id, const std::string& version) {
  std::vector<Slot> running, free;
  const auto places = static_cast<Slot>(t.plan(id).instances);
  for (Slot slot = 0; slot < places; ++slot) {
    const InstanceState* known = t.instance(id, slot);
    const RunState is = known == nullptr ? RunState::absent : known->state;
    if (t.place(id, slot).action) continue;  // nobody knows yet what it leaves
    if (t.durable(id).stopped_slots.contains(slot)) continue;
    if (is == RunState::running && known->version == version) running.push_back(slot);
    if (is == RunState::absent || is == RunState::stopped) free.push_back(slot);
  }
  running.insert(running.end(), free.begin(), free.end());
  return running;
}

// Whom the proxy does not see is of no use to it.
bool serves(Turn& t, ServiceId id, const Place& place) {
  return is_ready(t, id, place) && (!is_routed(t, id) || takes_requests(t, id, place.slot));
}

// As long as nobody can see: what ran as it should before, and has not failed for itself, may serve.
bool may_serve(Turn& t, ServiceId id, const Place& place) {
  const InstanceState* known = t.instance(id, place.slot);
  if (known == nullptr || known->state != RunState::running || place.action) return false;
  if (known->version != wanted_version_of(t.plan(id), t.durable(id), place.slot)) return false;
  if (!ran_before(t.s, *known)) return false;
  return !view_of(t, id, place.slot).direct && (!is_routed(t, id) || takes_requests(t, id, place.slot));
}

bool counts(Turn& t, ServiceId id, const Place& place, const rollout::State& state) {
  return serves(t, id, place) || (trusts_unseen(t, id, state) && may_serve(t, id, place));
}

// What has a wish of its own is waited for: a start under way, a place that has not been seen since.
bool settled(Turn& t, ServiceId id, const Place& place, const rollout::State& state) {
  const InstanceState* known = t.instance(id, place.slot);
  if (known == nullptr || known->state == RunState::absent || known->state == RunState::stopped) return false;
  if (counts(t, id, place, state) || is_ready(t, id, place)) return true;
  const bool its_own = known->version == wanted_version_of(t.plan(id), t.durable(id), place.slot);
  return its_own && view_of(t, id, place.slot).failing;
}

}  // namespace

bool trusts_unseen(Turn& t, ServiceId id, const rollout::State& state) {
  const bool back = !rollout::rising(state) || !state.harm.empty();
  return unsure(t.s) && (back || t.live(id).goes_unseen);
}

bool runs_new(Turn& t, ServiceId id, Slot slot, const rollout::State& state) {
  return wanted_version_of(t.plan(id), t.durable(id), slot) == state.to;
}

bool is_ready(Turn& t, ServiceId id, const Place& place) {
  const InstanceState* known = t.instance(id, place.slot);
  const View view = view_of(t, id, place.slot);
  if (known == nullptr || known->state != RunState::running || place.action) return false;
  if (known->version != wanted_version_of(t.plan(id), t.durable(id), place.slot)) return false;
  if (!view.up() || !view.confirmed) return false;
  return std::ranges::all_of(place.targets, [&](TargetId target) {
    if (t.plan(id).checks[t.s.targets[target].check].role != Role::ready) return true;
    const Status status = t.s.targets[target].health.status();
    return status == Status::healthy || status == Status::degraded;
  });
}

RolloutPlaces rollout_places(Turn& t, ServiceId id) {
  const ServiceState& known = t.durable(id);
  RolloutPlaces places;
  places.spare.insert(known.spare.begin(), known.spare.end());
  for (const auto& [slot, version] : known.versions) places.versions[slot] = version;
  places.baseline.insert(known.baseline.begin(), known.baseline.end());
  return places;
}

RolloutPlaces assign_places(Turn& t, ServiceId id, const rollout::State& state, const rollout::Split& to) {
  RolloutPlaces places = rollout_places(t, id);
  struct Side {
    Part part;
    std::uint32_t count;
    const std::string& version;
  };
  const Side sides[] = {{Part::fresh, to.fresh, state.to},
                        {Part::stable, to.stable, state.from},
                        {Part::baseline, to.baseline, state.from}};
  std::uint32_t missing[std::size(sides)] = {};
  for (std::size_t i = 0; i < std::size(sides); ++i) {
    std::vector<Slot> slots = slots_of(t, id, state, sides[i].part);
    missing[i] = sides[i].count - std::min<std::uint32_t>(sides[i].count, static_cast<std::uint32_t>(slots.size()));
    order_by_worth(t, id, slots);
    for (; slots.size() > sides[i].count; slots.pop_back()) {
      places.spare.insert(slots.back());
      places.versions.erase(slots.back());
      places.baseline.erase(slots.back());
    }
  }
  for (std::size_t i = 0; i < std::size(sides); ++i) {
    for (const Slot slot : places_to_run(t, id, sides[i].version)) {
      if (missing[i] == 0) break;
      if (places.spare.erase(slot) == 0) continue;
      places.versions[slot] = sides[i].version;
      if (sides[i].part == Part::baseline) places.baseline.insert(slot);
      --missing[i];
    }
  }
  return places;
}

std::uint32_t running_of(Turn& t, ServiceId id, const std::string& version) {
  const auto& places = t.live(id).places;
  const auto runs = [&](const Place& place) { return place.slot >= 0 && runs_version(t, id, place.slot, version); };
  return static_cast<std::uint32_t>(std::ranges::count_if(places, runs));
}

std::uint32_t needed_of(Turn& t, ServiceId id) {
  const ServicePlan& plan = t.plan(id);
  if (plan.scaling) {
    if (!t.durable(id).rollout) return t.count(id);
    // What people have stopped is needed again when they start it.
    const auto& live = t.live(id).scaling;
    const std::int32_t wanted = live && plan.mode == Mode::act ? live->desired : 0;
    return std::max(t.durable(id).rollout->needed, static_cast<std::uint32_t>(std::max(0, wanted)));
  }
  const rollout::Policy& policy = plan.rollout->policy;
  const bool doubled = policy.strategy == rollout::Strategy::blue_green;
  return plan.instances - std::min(plan.instances, doubled ? plan.instances / 2 : policy.surge + policy.baseline);
}

std::uint32_t room_of(Turn& t, ServiceId id) {
  const std::uint32_t places = t.plan(id).instances;
  const auto gone = [&](Slot slot) { return slot >= 0 && slot < static_cast<Slot>(places); };
  return places - static_cast<std::uint32_t>(std::ranges::count_if(t.durable(id).stopped_slots, gone));
}

rollout::Seen look_at(Turn& t, ServiceId id, const rollout::State& state) {
  rollout::Seen seen;
  seen.needed = needed_of(t, id);
  seen.room = room_of(t, id);
  const auto count = [&](Part part) { return static_cast<std::uint32_t>(slots_of(t, id, state, part).size()); };
  seen.stable = count(Part::stable);
  seen.fresh = count(Part::fresh);
  seen.baseline = count(Part::baseline);
  seen.dark = unsure(t.s);
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot) || !counts(t, id, place, state)) continue;
    const Part part = part_of(t, id, place.slot, state);
    if (part != Part::baseline) ++(part == Part::fresh ? seen.ready_fresh : seen.ready_stable);
  }
  return seen;
}

bool is_so(Turn& t, ServiceId id, const rollout::State& state) {
  const rollout::Split& to = state.step->to;
  const auto has = [&](Part part, std::uint32_t count) { return slots_of(t, id, state, part).size() == count; };
  if (!has(Part::stable, to.stable) || !has(Part::fresh, to.fresh) || !has(Part::baseline, to.baseline)) return false;
  const bool nobody = to.stable + to.fresh == 0;  // whom the proxy could lead a request to
  if (is_routed(t, id) && !nobody && !route_holds(t, id)) return false;
  return std::ranges::all_of(t.live(id).places, [&](const Place& place) {
    if (place.slot < 0) return true;
    const InstanceState* known = t.instance(id, place.slot);
    // A start under way may still bring it up.
    if (!t.wanted(id, place.slot)) return !place.action && (known == nullptr || known->state != RunState::running);
    const bool fresh = runs_new(t, id, place.slot, state);
    if (fresh && !rollout::rising(state)) return true;  // it will go, however it is
    return fresh ? counts(t, id, place, state) : settled(t, id, place, state);
  });
}

}  // namespace homeostat::engine
