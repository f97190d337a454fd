#include "engine/recovery.hpp"

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/completion.hpp"
#include "engine/escalate.hpp"
#include "engine/instances.hpp"
#include "engine/looking.hpp"
#include "engine/outside.hpp"
#include "engine/rollout.hpp"

namespace homeostat::engine {
namespace {

struct Settled {
  OutcomeKind outcome = OutcomeKind::unknown;
  std::string detail;
};

// Incarnation changed: it was done. Unchanged: it was not, and may be decided anew. Otherwise nobody can tell.
Settled settle(const ActionState& action, const InstanceState* instance, const ServicePlan& plan,
               CommandId started_by) {
  const Intent& intent = action.intent;
  if (intent.mode == Mode::approve && !action.approved) {
    return {OutcomeKind::not_started, "Homeostat restarted; approval is asked anew"};
  }
  if (intent.op == Op::adjust) return {OutcomeKind::not_started, "Homeostat restarted before it was done"};
  // What it was to say is said again; how things are is read from the proxy.
  if (intent.op == Op::route) return {OutcomeKind::failed, "Homeostat was restarted while it ran"};
  if (!plan.runtime.managed || intent.op == Op::exec || intent.op == Op::scale || intent.op == Op::rollback) {
    if (intent.idempotent) return {OutcomeKind::failed, "Homeostat was restarted while it ran; it may be repeated"};
    return {OutcomeKind::unknown, "Homeostat was restarted while it ran"};
  }
  const bool runs = instance != nullptr && instance->state == RunState::running;
  // What it began is over, and nobody saw how it ended.
  const bool end_seen = instance != nullptr && instance->since > action.at;
  if (started_by == intent.id && plan.completion && !runs && !end_seen) {
    return {OutcomeKind::unknown, "Homeostat was restarted while it ran, and it may have done its work"};
  }
  if (started_by == intent.id) return {OutcomeKind::succeeded, "found done after a restart of Homeostat"};
  if (runs && instance->incarnation == intent.expected) {
    if (planted(Bug::unsure_is_done)) return {OutcomeKind::succeeded, "it runs, so it was done"};
    return {OutcomeKind::not_started, "Homeostat restarted before it was done"};
  }
  if (intent.op == Op::stop && !runs) return {OutcomeKind::succeeded, "found stopped after a restart of Homeostat"};
  if (runs && intent.op == Op::stop) return {OutcomeKind::failed, "another run was found after a restart of Homeostat"};
  if (runs && !started_by.none()) return {OutcomeKind::not_started, "what runs was started by something else"};
  if (runs) return {OutcomeKind::succeeded, "another run was found after a restart of Homeostat"};
  if (intent.expected.none()) return {OutcomeKind::not_started, "Homeostat restarted before it was done"};
  return {OutcomeKind::failed, "Homeostat restarted in the middle of it; nothing runs"};
}

// What is stopped or started by its runtime at this moment becomes what the action has asked for, or does not.
bool is_at_work(const Turn& t, ServiceId id, const ActionState& action) {
  const Op op = action.intent.op;
  const bool ordered = op == Op::start || op == Op::restart || op == Op::stop;
  const bool begun = action.intent.mode != Mode::approve || action.approved;
  return ordered && begun && t.plan(id).runtime.managed && t.s.runtime_holds.contains({id, action.intent.slot});
}

void settle_open(Turn& t, CommandId id) {
  const ActionState action = t.s.durable.actions[id];
  const Intent& intent = action.intent;
  const auto service = t.find(intent.service);
  if (!service || !t.has_place(*service, intent.slot)) {
    const std::string gone = "its service is not configured any more";
    if (action.succeeded_at)
      t.record(Verified{id, intent.service, intent.slot, false, gone});
    else
      t.record(Outcome{id, intent.service, intent.slot, OutcomeKind::unknown, gone});
    return;
  }
  Place& place = t.place(*service, intent.slot);
  if (action.succeeded_at && (intent.op == Op::stop || intent.op == Op::route)) {
    t.record(Verified{id, intent.service, intent.slot, true, intent.op == Op::stop ? "stopped" : "read back"});
    return;
  }
  if (action.succeeded_at) {
    place.action = Acting{id, true, later(t.now, intent.verify_within)};
    return;
  }
  if (is_at_work(t, *service, action)) {
    place.action = Acting{id, true, later(t.now, t.plan(*service).runtime.stop_grace + kRuntimeSilent)};
    t.s.unsettled.insert(id);
    return;
  }
  const auto started = t.s.started_by.find({*service, intent.slot});
  const CommandId started_by = started == t.s.started_by.end() ? CommandId{} : started->second;
  const InstanceState* instance = intent.slot < 0 ? nullptr : t.instance(*service, intent.slot);
  const Settled settled = settle(action, instance, t.plan(*service), started_by);
  t.record(Outcome{id, intent.service, intent.slot, settled.outcome, settled.detail});
  if (settled.outcome == OutcomeKind::unknown) {
    t.record(LockChanged{intent.service, intent.slot, true, intent.strategy + ": " + settled.detail});
    escalate_engine(t, intent.strategy + " of " + intent.service + ": " + settled.detail +
                           "; locked until it is seen well or `homeostat unlock " + intent.service + "`");
  }
  if (settled.outcome == OutcomeKind::succeeded) {
    place.action = Acting{id, true, later(t.now, intent.verify_within)};
    if (intent.op == Op::stop) {
      t.record(Verified{id, intent.service, intent.slot, true, "stopped"});
      place.action.reset();
    }
    return;
  }
  // Nothing was tried, so nothing is used up; and that we were killed says nothing against a release.
  const bool again = intent.origin == Origin::operation && settled.outcome == OutcomeKind::failed;
  if (again || settled.outcome == OutcomeKind::not_started) return refund(t, *service, place, intent);
  attempt_ended(t, *service, place, intent, false, settled.detail);
}

void begin(Turn& t, ServiceId id, Place& place) {
  if (is_unsettled(t.s, place)) return;
  if (place.slot < 0 || !t.plan(id).runtime.managed) return begin_looking(t, place);
  const InstanceState* instance = t.instance(id, place.slot);
  if (instance == nullptr || instance->state != RunState::running) return;
  if (!place.action)
    begin_looking(t, place);
  else
    begin_startup(t, id, place);  // it was being verified: its start is not long ago
}

// Services that left the configuration while we were away: not ours any more, like those that a reload removes.
void withdraw_removed(Turn& t) {
  const auto services = t.s.durable.services;
  for (const auto& [name, state] : services) {
    if (t.find(name)) continue;
    const std::string why = "removed from the configuration";
    if (state.operation) {
      OperationMoved ended = *state.operation;
      ended.phase = OperationPhase::stopped;
      ended.detail = why;
      t.record(ended);
    }
    if (state.incident != 0) t.record(IncidentClosed{state.incident, name, Ending::withdrawn, t.now});
    for (const auto& [slot, instance] : state.instances) {
      t.record(InstanceChanged{name, slot, RunState::released, {}, instance.version, 0, instance.identity, why});
    }
  }
}

}  // namespace

void found(Turn& t, const Found& in) {
  if (in.service >= t.s.services.size() || !t.has_place(in.service, in.slot) || in.slot < 0) return;
  const InstanceState* known = t.instance(in.service, in.slot);
  t.s.started_by[{in.service, in.slot}] = in.started_by;
  const bool ran = known != nullptr && known->state == RunState::running;
  if (!in.told.empty()) told_by_others(t, in);
  if (!in.running.none()) {
    if (ran && known->incarnation == in.running) return;
    const auto action = t.s.durable.actions.find(in.started_by);
    const std::string version = !in.version.empty()                   ? in.version
                                : action != t.s.durable.actions.end() ? action->second.intent.version
                                : known != nullptr                    ? known->version
                                                                      : std::string();
    return set_instance(t, in.service, in.slot, RunState::running, in.running, version, in.port, "adopted");
  }
  if (!ran) return;
  ended_unseen(t, in.service, in.slot);
  const bool died = t.wanted(in.service, in.slot) && !rollout_starts_again(t, in.service, in.slot);
  set_instance(t, in.service, in.slot, died ? RunState::dead : RunState::stopped, known->incarnation, known->version,
               known->port, "it ended while Homeostat was away");
}

bool is_unsettled(const State& s, const Place& place) {
  return place.action && s.unsettled.contains(place.action_id());
}

void settle_late(Turn& t, ServiceId id, Place& place) {
  const CommandId action = place.action_id();
  t.s.unsettled.erase(action);
  place.action.reset();
  // What is meant to end may have been run, and be over already.
  if (t.plan(id).completion && t.s.durable.actions[action].intent.op != Op::stop)
    t.s.started_by[{id, place.slot}] = action;
  settle_open(t, action);
  t.s.started_by.clear();
  begin(t, id, place);
  t.mark(id);
}

void found_unsettled(Turn& t, Found in) {
  in.told.clear();  // it is our own action that has stopped it
  found(t, in);
  settle_late(t, in.service, t.place(in.service, in.slot));
}

void recovered(Turn& t) {
  t.s.recovered = true;
  withdraw_removed(t);
  std::vector<CommandId> open;
  for (const auto& [id, action] : t.s.durable.actions) open.push_back(id);
  for (const CommandId id : open) settle_open(t, id);
  t.s.started_by.clear();
  rollouts_interrupted(t);
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    for (Place& place : t.live(id).places) begin(t, id, place);
    t.mark(id);
  }
  for (const auto& [id, escalation] : t.s.durable.escalations) {
    if (!escalation.notified && id.epoch < t.s.durable.epoch) t.s.notifying[id] = Notifying{false, t.now};
  }
}

}  // namespace homeostat::engine
