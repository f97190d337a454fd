#include "engine/evaluate.hpp"

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/calls.hpp"
#include "engine/diagnose.hpp"
#include "engine/engine.hpp"
#include "engine/instances.hpp"
#include "engine/ladder.hpp"
#include "engine/operations.hpp"
#include "engine/repair.hpp"
#include "engine/resources.hpp"
#include "engine/rollout.hpp"
#include "engine/scaling.hpp"
#include "engine/status.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

IncidentState* open_incident(Turn& t, ServiceId id) {
  const std::uint64_t number = t.durable(id).incident;
  if (number == 0) return nullptr;
  const auto found = t.s.durable.incidents.find(number);
  const bool known = t.check(found != t.s.durable.incidents.end(), "an open incident that nobody opened");
  return known ? &found->second : nullptr;
}

bool in_incident(Turn& t, ServiceId id, Slot slot) {
  const IncidentState* incident = open_incident(t, id);
  if (incident == nullptr) return false;
  const auto failing = incident->failing.find(slot);
  return failing != incident->failing.end() && !failing->second.first_success;
}

void open(Turn& t, ServiceId id, Place& place, const View& view) {
  const ServiceState& state = t.durable(id);
  IncidentFailing r;
  r.service = t.plan(id).name;
  r.slot = place.slot;
  r.check = view.check == kNone ? std::string("process") : t.plan(id).checks[view.check].name;
  r.first_failure = view.first_failure;
  r.direct = view.direct;
  r.reason = reason_of(t, id, place, view);
  if (state.incident != 0) {
    r.incident = state.incident;
  } else if (state.last_incident != 0 && t.now < later(state.last_closed_at, t.plan(id).reopen_within)) {
    r.incident = state.last_incident;
    r.reopened = true;
  } else {
    r.incident = t.s.durable.incidents_made + 1;
  }
  t.record(r);
  take_ladder(t, id, place);
}

void recover(Turn& t, ServiceId id, Place& place, const View& view) {
  const std::uint64_t incident = t.durable(id).incident;
  place.up_since = view.first_success;
  t.record(IncidentRecovering{incident, t.plan(id).name, place.slot, view.first_success});
  end_ladder(t, id, place.slot, ladder_of(t, id, place.slot));
}

// Closes the incident when the last of its places is well. A place that is not meant to run any more cannot fail.
void settle_incident(Turn& t, ServiceId id) {
  const IncidentState* incident = open_incident(t, id);
  if (incident == nullptr) return;
  const std::uint64_t number = incident->id;
  std::vector<Slot> left;
  for (const auto& [slot, one] : incident->failing) {
    if (!one.first_success && (!t.has_place(id, slot) || !t.wanted(id, slot))) left.push_back(slot);
  }
  for (const Slot slot : left) t.record(IncidentRecovering{number, t.plan(id).name, slot, t.now});
  Instant recovered_at = kLongAgo;
  bool acted = incident->actions > 0;  // or a person had something done
  for (const auto& [slot, one] : incident->failing) {
    if (!one.first_success) return;
    recovered_at = std::max(recovered_at, *one.first_success);
    acted = acted || (t.has_place(id, slot) && t.place(id, slot).last_effect > one.first_failure);
  }
  const Ending repaired = acted ? Ending::recovered : Ending::by_itself;
  t.record(IncidentClosed{number, t.plan(id).name, left.empty() ? repaired : Ending::stopped, recovered_at});
  forget_diagnosis(t, id);
}

// Nobody could tell what became of its last action; that it is well says enough, if it was seen since.
void release_lock(Turn& t, ServiceId id, const Place& place, const View& view) {
  if (!view.up() || !view.confirmed || !t.durable(id).locks.contains(place.slot)) return;
  const bool fresh = std::all_of(place.targets.begin(), place.targets.end(), [&](TargetId target) {
    const bool alive = t.plan(id).checks[t.s.targets[target].check].role == Role::alive;
    return !alive || t.s.targets[target].health.last_seen() > place.last_effect;
  });
  if (!fresh) return t.wake_at(later(t.now, std::chrono::seconds(1)));
  t.record(LockChanged{t.plan(id).name, place.slot, false, "seen well again"});
}

void update_incident(Turn& t, ServiceId id, Place& place) {
  if (!t.wanted(id, place.slot)) {
    place.up_since = kLongAgo;
    return;
  }
  const View view = view_of(t, id, place.slot);
  const bool inside = in_incident(t, id, place.slot);
  if (view.failing) place.up_since = kLongAgo;
  if (view.failing && !inside && !place.action) {
    if (!rollout_judges(t, id, place.slot)) open(t, id, place, view);
    return;
  }
  const bool well = !view.failing && !view.unknown && view.confirmed;
  const bool in_vain = inside && well && undone(t, place) != nullptr;
  if (in_vain && !planted(Bug::recovery_unnoticed)) take_back(t, id, place, "recovered by itself");
  if (inside && well && !place.action) recover(t, id, place, view);
  release_lock(t, id, place, view);
  if (view.confirmed && place.up_since == kLongAgo) place.up_since = view.first_success;
}

// Gates are asked first: an intent that they then refuse would be written again at once, and again.
void take_down(Turn& t, Wish wish, std::string evidence) {
  wish.op = Op::stop;
  wish.strategy = "stop";
  wish.evidence = std::move(evidence);
  const auto hold = check_gates(t, ask_for(t, wish));
  record_hold(t, wish.service, wish.slot, 0, hold);
  if (hold) return t.wake_at(std::min(hold->retry, later(t.now, std::chrono::seconds(1))));
  begin_action(t, std::move(wish));
}

// The process runtime is told what should run; everything after the first start is the ladder's.
void align(Turn& t, ServiceId id, Place& place) {
  if (!t.plan(id).runtime.managed || place.slot < 0 || place.action || !t.s.recovered) return;
  const InstanceState* instance = t.instance(id, place.slot);
  const RunState state = instance == nullptr ? RunState::absent : instance->state;
  Wish wish;
  wish.service = id;
  wish.slot = place.slot;
  wish.origin = Origin::desired;
  if (t.s.stopping) {
    if (state == RunState::running && t.plan(id).runtime.stop_on_shutdown) take_down(t, wish, "Homeostat is ending");
    return;
  }
  const bool wanted = t.wanted(id, place.slot) || planted(Bug::stop_ignored);
  if (wanted && (state == RunState::absent || state == RunState::stopped)) {
    if (operation_waits_for(t, id, place.slot) || start_waits(t, id, place.slot)) return;
    wish.op = Op::start;
    wish.strategy = "start";
    wish.version = wanted_version_of(t.plan(id), t.durable(id), place.slot);
    wish.evidence = "should run";
    const auto hold = check_gates(t, ask_for(t, wish));
    record_hold(t, id, place.slot, 0, hold);
    if (hold) return t.wake_at(std::min(hold->retry, later(t.now, std::chrono::seconds(1))));
    return begin_action(t, wish);
  }
  if (wanted) return;
  // What waits for another service may be needed as soon as that is well: the autoscaler takes nothing of it away.
  const bool spare = t.durable(id).spare.contains(place.slot);
  if (state == RunState::running && spare && is_excused(t, id)) return t.wake_at(later(t.now, std::chrono::seconds(5)));
  if (state == RunState::running && stop_waits(t, id, place.slot)) return;
  const auto shared = spare ? resource_gate(t, id) : std::optional<Hold>();
  if (state == RunState::running && shared) return record_hold(t, id, place.slot, 0, shared);
  if (state == RunState::running) return take_down(t, wish, "should not run");
  record_hold(t, id, place.slot, 0, std::nullopt);
  if (state != RunState::dead && state != RunState::completed) return;
  // What has died and is not wanted any more is simply stopped.
  set_instance(t, id, place.slot, RunState::stopped, {}, instance->version, 0, t.durable(id).detail_of(place.slot));
}

// The user's command is told the number of instances whenever it differs from what it was last told; what has failed,
// or had to wait, not before a minute has passed.
void align_count(Turn& t, ServiceId id, Place& whole) {
  constexpr Duration kAgain = std::chrono::minutes(1);
  const ServicePlan& plan = t.plan(id);
  if (!plan.runtime.scale || whole.action || !t.s.recovered || t.s.stopping || !t.wanted(id, kWhole)) return;
  LiveService& live = t.live(id);
  const std::uint32_t made = t.durable(id).scaled;
  if (made == t.count(id) || made == live.scale_told) live.scale_not_before = kLongAgo;
  if (made == t.count(id)) return;
  if (t.now < live.scale_not_before) return t.wake_at(live.scale_not_before);
  live.scale_not_before = later(t.now, kAgain);
  Wish wish;
  wish.service = id;
  wish.op = Op::scale;
  wish.origin = Origin::desired;
  wish.strategy = "scale";
  wish.count = t.count(id);
  wish.idempotent = plan.runtime.scale_again;
  wish.evidence = "should be " + std::to_string(t.count(id)) + " instances";
  const auto hold = check_gates(t, ask_for(t, wish));
  if (hold) return t.wake_at(std::min(hold->retry, live.scale_not_before));
  live.scale_told = wish.count;
  begin_action(t, wish);
}

// A release is stable when every instance has been well on it for long enough.
void update_stable(Turn& t, ServiceId id) {
  LiveService& live = t.live(id);
  if (!t.plan(id).runtime.releases || !t.plan(id).runtime.managed) return;
  std::string version;
  for (const Place& place : live.places) {
    if (place.slot < 0 || !t.wanted(id, place.slot)) continue;
    const InstanceState* instance = t.instance(id, place.slot);
    const View view = view_of(t, id, place.slot);
    const bool well = instance != nullptr && view.up() && view.confirmed && !place.action;
    if (!well || (!version.empty() && version != instance->version)) {
      live.stable_from = kNever;
      return;
    }
    version = instance->version;
  }
  const ServiceState& state = t.durable(id);
  const bool known = !state.stable.empty() && state.stable.back() == version;
  if (version.empty() || known || state.quarantined.contains(version)) return;
  if (live.stable_from == kNever) live.stable_from = t.now;
  const Instant due = later(live.stable_from, t.plan(id).stable_after);
  if (t.now < due) return t.wake_at(due);
  t.record(VersionMarked{t.plan(id).name, version, Mark::stable});
}

}  // namespace

std::string reason_of(Turn& t, ServiceId id, const Place& place, const View& view) {
  if (view.dead) return t.durable(id).detail_of(place.slot);
  for (const TargetId target : place.targets) {
    if (t.s.targets[target].check == view.check) return explain(t.s.targets[target].health.last());
  }
  return {};
}

void close_incident(Turn& t, ServiceId id, Ending how) {
  const std::uint64_t incident = t.durable(id).incident;
  if (incident != 0) t.record(IncidentClosed{incident, t.plan(id).name, how, t.now});
  forget_diagnosis(t, id);
}

void evaluate(Turn& t, ServiceId id) {
  t.wake = kNever;
  auto& places = t.live(id).places;
  for (Place& place : places) progress_action(t, id, place);
  for (Place& place : places) align(t, id, place);
  align_count(t, id, places.back());
  progress_operation(t, id);
  progress_traffic(t, id);
  progress_rollout(t, id);
  for (Place& place : places) update_incident(t, id, place);
  settle_incident(t, id);
  update_status(t, id);
  call_about_unknown(t, id);
  for (Place& place : places) {
    const bool fails = in_incident(t, id, place.slot) && view_of(t, id, place.slot).failing;
    if ((fails && !rollout_judges(t, id, place.slot)) || asked_for(t, id, place.slot)) repair(t, id, place);
  }
  update_stable(t, id);
  progress_scaling(t, id);
  t.s.wheel.set(t.s.wake_of(id), t.wake);
}

}  // namespace homeostat::engine
