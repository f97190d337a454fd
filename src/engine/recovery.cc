#include "engine/recovery.hpp"

#include "engine/actions.hpp"
#include "engine/escalate.hpp"
#include "engine/looking.hpp"

namespace homeostat::engine {
namespace {

struct Settled {
  OutcomeKind outcome = OutcomeKind::unknown;
  std::string detail;
};

// Incarnation changed: it was done. Unchanged: it was not, and may be decided anew. Otherwise nobody can tell.
Settled settle(const Intent& intent, const InstanceState* instance, bool managed, bool started_by_it) {
  if (intent.mode == Mode::approve) return {OutcomeKind::not_started, "Homeostat restarted; approval is asked anew"};
  if (!managed || intent.op == Op::exec || intent.op == Op::scale || intent.op == Op::rollback) {
    if (intent.idempotent) return {OutcomeKind::not_started, "Homeostat restarted; it may be repeated"};
    return {OutcomeKind::unknown, "Homeostat was restarted while it ran"};
  }
  if (started_by_it) return {OutcomeKind::succeeded, "found done after a restart of Homeostat"};
  const bool runs = instance != nullptr && instance->state == RunState::running;
  if (runs && instance->incarnation == intent.expected) {
    return {OutcomeKind::not_started, "Homeostat restarted before it was done"};
  }
  if (intent.op == Op::stop && !runs) return {OutcomeKind::succeeded, "found stopped after a restart of Homeostat"};
  if (!runs && intent.expected.none()) return {OutcomeKind::not_started, "Homeostat restarted before it was done"};
  return {OutcomeKind::failed, "Homeostat restarted in the middle of it; nothing runs"};
}

void settle_open(Turn& t, CommandId id) {
  const ActionState action = t.s.durable.actions[id];
  const Intent& intent = action.intent;
  const auto service = t.find(intent.service);
  if (!service || !t.has_place(*service, intent.slot)) {
    t.record(Outcome{id, intent.service, intent.slot, OutcomeKind::unknown, "its service is not configured any more"});
    return;
  }
  Place& place = t.place(*service, intent.slot);
  if (action.succeeded_at) {
    place.action = id;
    place.dispatched = true;
    place.deadline = later(t.now, intent.verify_within);
    return;
  }
  const auto started = t.s.started_by.find({*service, intent.slot});
  const bool started_by_it = started != t.s.started_by.end() && started->second == id;
  const InstanceState* instance = intent.slot < 0 ? nullptr : t.instance(*service, intent.slot);
  const Settled settled = settle(intent, instance, t.plan(*service).runtime.managed, started_by_it);
  t.record(Outcome{id, intent.service, intent.slot, settled.outcome, settled.detail});
  if (settled.outcome == OutcomeKind::unknown) {
    t.record(LockChanged{intent.service, intent.slot, true, intent.strategy + ": " + settled.detail});
    escalate_engine(t, intent.strategy + " of " + intent.service + ": " + settled.detail +
                           "; locked until it is seen well or `homeostat unlock " + intent.service + "`");
  }
  if (settled.outcome == OutcomeKind::succeeded) {
    place.action = id;
    place.dispatched = true;
    place.deadline = later(t.now, intent.verify_within);
    if (intent.op == Op::stop) {
      t.record(Verified{id, intent.service, intent.slot, true, "stopped"});
      place.action = {};
    }
    return;
  }
  attempt_ended(t, *service, place, intent, false, settled.detail);
}

void begin(Turn& t, ServiceId id, Place& place) {
  if (place.slot < 0 || !t.plan(id).runtime.managed) return begin_looking(t, place);
  const InstanceState* instance = t.instance(id, place.slot);
  if (instance == nullptr || instance->state != RunState::running) return;
  if (place.action.none())
    begin_looking(t, place);
  else
    begin_startup(t, id, place);  // it was being verified: its start is not long ago
}

}  // namespace

void found(Turn& t, const Found& in) {
  if (in.service >= t.s.services.size() || !t.has_place(in.service, in.slot) || in.slot < 0) return;
  const InstanceState* known = t.instance(in.service, in.slot);
  t.s.started_by[{in.service, in.slot}] = in.started_by;
  const bool ran = known != nullptr && known->state == RunState::running;
  if (!in.running.none()) {
    if (ran && known->incarnation == in.running) return;
    const auto action = t.s.durable.actions.find(in.started_by);
    const std::string version = action != t.s.durable.actions.end() ? action->second.intent.version
                                : known != nullptr                  ? known->version
                                                                    : std::string();
    return set_instance(t, in.service, in.slot, RunState::running, in.running, version, in.port, "adopted");
  }
  if (!ran) return;
  set_instance(t, in.service, in.slot, t.wanted(in.service, in.slot) ? RunState::dead : RunState::stopped,
               known->incarnation, known->version, known->port, "it ended while Homeostat was away");
}

void recovered(Turn& t) {
  t.s.recovered = true;
  std::vector<CommandId> open;
  for (const auto& [id, action] : t.s.durable.actions) open.push_back(id);
  for (const CommandId id : open) settle_open(t, id);
  t.s.started_by.clear();
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    for (Place& place : t.live(id).places) begin(t, id, place);
    t.mark(id);
  }
  for (const auto& [id, escalation] : t.s.durable.escalations) {
    if (!escalation.notified) t.s.notifying[id] = Notifying{false, t.now};
  }
}

}  // namespace homeostat::engine
