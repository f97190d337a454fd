#include "engine/evaluate.hpp"

#include "engine/actions.hpp"
#include "engine/engine.hpp"
#include "engine/operations.hpp"
#include "engine/repair.hpp"
#include "engine/status.hpp"

namespace homeostat::engine {
namespace {

IncidentState* open_incident(Turn& t, ServiceId id) {
  const std::uint64_t number = t.durable(id).incident;
  if (number == 0) return nullptr;
  const auto found = t.s.durable.incidents.find(number);
  return found == t.s.durable.incidents.end() ? nullptr : &found->second;
}

bool in_incident(Turn& t, ServiceId id, Slot slot) {
  const IncidentState* incident = open_incident(t, id);
  if (incident == nullptr) return false;
  const auto failing = incident->failing.find(slot);
  return failing != incident->failing.end() && !failing->second.first_success;
}

std::string reason_of(Turn& t, ServiceId id, const Place& place, const View& view) {
  if (view.dead) return t.instance(id, place.slot)->detail;
  for (const TargetId target : place.targets) {
    if (t.s.targets[target].check == view.check) return explain(t.s.targets[target].health.last());
  }
  return {};
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
  ladder_failing(t, id, place);
}

void recover(Turn& t, ServiceId id, Place& place, const View& view) {
  const IncidentState* incident = open_incident(t, id);
  place.up_since = view.first_success;
  t.record(IncidentRecovering{incident->id, t.plan(id).name, place.slot, view.first_success});
  ladder_recovered(t, id, place);
  withdraw(t, id, place, "recovered by itself");
  if (t.durable(id).locks.contains(place.slot)) {
    t.record(LockChanged{t.plan(id).name, place.slot, false, "seen well again"});
  }
  const auto& failing = open_incident(t, id)->failing;
  Instant recovered_at = kLongAgo;
  for (const auto& [slot, one] : failing) {
    if (!one.first_success) return;
    recovered_at = std::max(recovered_at, *one.first_success);
  }
  const Ending how = incident->actions > 0 ? Ending::recovered : Ending::by_itself;
  t.record(IncidentClosed{incident->id, t.plan(id).name, how, recovered_at});
}

// A place that is not meant to run any more cannot fail.
void leave_incident(Turn& t, ServiceId id, Place& place) {
  if (in_incident(t, id, place.slot)) {
    t.record(IncidentRecovering{t.durable(id).incident, t.plan(id).name, place.slot, t.now});
  }
}

void update_incident(Turn& t, ServiceId id, Place& place) {
  if (!t.wanted(id, place.slot)) return leave_incident(t, id, place);
  const View view = view_of(t, id, place.slot);
  const bool inside = in_incident(t, id, place.slot);
  if (view.failing && !inside && place.action.none()) return open(t, id, place, view);
  if (inside && !view.failing && !view.unknown && view.confirmed && place.action.none()) {
    return recover(t, id, place, view);
  }
  if (view.confirmed && place.up_since == kLongAgo) place.up_since = view.first_success;
  if (view.failing) place.up_since = kLongAgo;
}

// The process runtime is told what should run; everything after the first start is the ladder's.
void align(Turn& t, ServiceId id, Place& place) {
  if (!t.plan(id).runtime.managed || place.slot < 0 || !place.action.none() || !t.s.recovered) return;
  const InstanceState* instance = t.instance(id, place.slot);
  const RunState state = instance == nullptr ? RunState::absent : instance->state;
  Wish wish;
  wish.service = id;
  wish.slot = place.slot;
  wish.origin = Origin::desired;
  if (t.s.stopping) {
    if (state != RunState::running || !t.plan(id).runtime.stop_on_shutdown) return;
    wish.op = Op::stop;
    wish.strategy = "stop";
    wish.evidence = "Homeostat is ending";
    return begin_action(t, wish);
  }
  const bool wanted = t.wanted(id, place.slot);
  if (wanted && (state == RunState::absent || state == RunState::stopped)) {
    if (operation_running(t, id)) return;
    wish.op = Op::start;
    wish.strategy = "start";
    wish.version = wanted_version_of(t.plan(id), t.durable(id), place.slot);
    wish.evidence = "should run";
    Ask ask = ask_for(t, wish);
    ask.automatic = true;
    ask.direct = true;
    ask.bring_up = true;
    const auto hold = check_gates(t, ask);
    record_hold(t, id, place.slot, 0, hold);
    if (hold) return t.wake_at(std::min(hold->retry, later(t.now, std::chrono::seconds(1))));
    return begin_action(t, wish);
  }
  if (!wanted && state == RunState::running) {
    wish.op = Op::stop;
    wish.strategy = "stop";
    wish.evidence = "should not run";
    begin_action(t, wish);
  }
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
    const bool well = instance != nullptr && view.up() && view.confirmed && place.action.none();
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

void close_incident(Turn& t, ServiceId id, Ending how) {
  const std::uint64_t incident = t.durable(id).incident;
  if (incident != 0) t.record(IncidentClosed{incident, t.plan(id).name, how, t.now});
}

void evaluate(Turn& t, ServiceId id) {
  t.wake = kNever;
  auto& places = t.live(id).places;
  for (Place& place : places) progress_action(t, id, place);
  for (Place& place : places) align(t, id, place);
  progress_operation(t, id);
  for (Place& place : places) update_incident(t, id, place);
  update_status(t, id);
  for (Place& place : places) {
    if (in_incident(t, id, place.slot) && view_of(t, id, place.slot).failing) repair(t, id, place);
  }
  update_stable(t, id);
  t.s.wheel.set(t.s.wake_of(id), t.wake);
}

}  // namespace homeostat::engine
