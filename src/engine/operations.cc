#include "engine/operations.hpp"

#include "engine/actions.hpp"
#include "engine/repair.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);

// A deployment that is done is what the service runs from now on; one that stopped leaves each slot as it is.
void settle_versions(Turn& t, ServiceId id, const OperationMoved& operation) {
  if (operation.version.empty()) return;
  const ServicePlan& plan = t.plan(id);
  bool all = true;
  for (Slot slot = 0; slot < static_cast<Slot>(plan.instances); ++slot) {
    const InstanceState* instance = t.instance(id, slot);
    if (t.wanted(id, slot) && (instance == nullptr || instance->version != operation.version)) all = false;
  }
  if (all) t.record(DesiredSet{plan.name, kWhole, true, operation.version, operation.by});
}

void end_operation(Turn& t, ServiceId id, OperationMoved operation, OperationPhase phase, const std::string& detail) {
  operation.phase = phase;
  operation.detail = detail;
  t.record(operation);
  if (phase == OperationPhase::done) settle_versions(t, id, operation);
  if (!operation.repair || !t.has_place(id, operation.for_slot)) return;
  Place& place = t.place(id, operation.for_slot);
  if (phase == OperationPhase::done)
    t.live(id).judge_at[place.slot] = later(t.now, verification_time(t.plan(id)));
  else
    ladder_try_failed(t, id, place);
}

// What is down has nothing to lose and comes first: behind a healthy one it would hold up that one, and so itself.
Slot next_slot(Turn& t, ServiceId id, const OperationMoved& operation) {
  for (const Slot slot : operation.pending) {
    if (t.has_place(id, slot) && t.wanted(id, slot) && !view_of(t, id, slot).up()) return slot;
  }
  return operation.pending.front();
}

bool stepping(Turn& t, ServiceId id, const OperationMoved& operation) {
  return std::ranges::any_of(operation.pending, [&](Slot slot) {
    if (!t.has_place(id, slot)) return false;
    const auto action = t.s.durable.actions.find(t.place(id, slot).action_id());
    return action != t.s.durable.actions.end() && action->second.intent.origin == Origin::operation;
  });
}

bool hold_step(Turn& t, ServiceId id, const Wish& wish, const OperationMoved& operation) {
  const auto hold = check_gates(t, ask_for(t, wish));
  record_hold(t, id, wish.slot, operation.incident, hold);
  if (hold) t.wake_at(std::min(hold->retry, later(t.now, kTryAgain)));
  return hold.has_value();
}

void begin_step(Turn& t, ServiceId id, const OperationMoved& operation, Slot slot) {
  if (!t.has_place(id, slot) || !t.wanted(id, slot)) {
    return operation_step_ended(t, id, slot, operation.id, true, "not wanted");
  }
  Place& place = t.place(id, slot);
  if (place.action) return;
  const auto judged = t.live(id).judge_at.find(slot);
  const bool waits = operation.by.empty() && judged != t.live(id).judge_at.end() && t.now < judged->second;
  if (waits) return t.wake_at(judged->second);
  const InstanceState* instance = t.instance(id, slot);
  Wish wish;
  wish.service = id;
  wish.slot = slot;
  wish.op = instance != nullptr && instance->state == RunState::running ? Op::restart : Op::start;
  if (!t.plan(id).runtime.managed) wish.op = Op::restart;
  wish.origin = Origin::operation;
  wish.strategy = name_of(operation.kind);
  wish.incident = operation.incident;
  wish.version = operation.version.empty() && instance != nullptr ? instance->version : operation.version;
  wish.evidence = "step of " + std::string(name_of(operation.kind));
  wish.by = operation.by;
  if (hold_step(t, id, wish, operation)) return;
  begin_action(t, wish);
}

}  // namespace

bool operation_running(Turn& t, ServiceId id) { return t.durable(id).operation.has_value(); }

bool operation_waits_for(Turn& t, ServiceId id, Slot slot) {
  const auto& operation = t.durable(id).operation;
  return operation_running(t, id) && std::ranges::find(operation->pending, slot) != operation->pending.end();
}

void begin_operation(Turn& t, ServiceId id, OperationWish wish) {
  OperationMoved operation;
  operation.id = t.next_id();
  operation.service = t.plan(id).name;
  operation.kind = wish.kind;
  operation.version = wish.version;
  operation.pending = std::move(wish.slots);
  operation.incident = wish.incident;
  operation.repair = wish.repair;
  operation.for_slot = wish.for_slot;
  operation.together = wish.together;
  operation.by = wish.by;
  t.record(operation);
  t.mark(id);
}

void progress_operation(Turn& t, ServiceId id) {
  const auto running = t.durable(id).operation;
  if (!running) return;
  if (running->pending.empty()) return end_operation(t, id, *running, OperationPhase::done, "all moved");
  if (running->by.empty() && is_shadow(t, id)) return stop_operation(t, id, "the service is in shadow mode now");
  if (!running->together) {
    if (!stepping(t, id, *running)) begin_step(t, id, *running, next_slot(t, id, *running));
    return;
  }
  for (const Slot slot : running->pending) begin_step(t, id, *running, slot);
}

void operation_step_ended(Turn& t, ServiceId id, Slot slot, CommandId action, bool ok, const std::string& detail) {
  auto operation = t.durable(id).operation;
  if (!operation || action < operation->id) return;
  const std::string where = operation->service + "/" + std::to_string(slot) + ": " + detail;
  if (!ok) return end_operation(t, id, *operation, OperationPhase::stopped, where);
  std::erase(operation->pending, slot);
  operation->done.push_back(slot);
  operation->detail = where;
  t.record(*operation);
  t.mark(id);
}

void operation_blocked(Turn& t, ServiceId id) { t.mark(id); }

void stop_operation(Turn& t, ServiceId id, const std::string& why) {
  const auto operation = t.durable(id).operation;
  if (!operation) return;
  OperationMoved ended = *operation;
  ended.phase = OperationPhase::stopped;
  ended.detail = why;
  t.record(ended);
  t.mark(id);
  for (Place& place : t.live(id).places) {
    const auto action = t.s.durable.actions.find(place.action_id());
    if (action == t.s.durable.actions.end() || action->second.intent.origin != Origin::operation) continue;
    withdraw(t, id, place, why);
  }
}

}  // namespace homeostat::engine
