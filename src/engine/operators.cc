#include "engine/operators.hpp"

#include "engine/actions.hpp"
#include "engine/evaluate.hpp"
#include "engine/ladder.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"
#include "engine/operations.hpp"
#include "engine/rollout.hpp"
#include "engine/scaling.hpp"
#include "engine/scaling_approval.hpp"
#include "engine/status.hpp"

namespace homeostat::engine {
namespace {

std::vector<std::int32_t> wanted_slots(Turn& t, ServiceId id) {
  std::vector<std::int32_t> slots;
  for (Slot slot = 0; slot < static_cast<Slot>(t.plan(id).instances); ++slot) {
    if (t.wanted(id, slot)) slots.push_back(slot);
  }
  return slots;
}

void check_now(Turn& t, ServiceId id) {
  for (const Place& place : t.live(id).places) {
    for (const TargetId target : place.targets) look_now(t, target);
  }
}

// Exec runtimes have no state of ours to align: their start and stop commands are run as an action.
void run_unmanaged(Turn& t, ServiceId id, const Operator& in, Op op) {
  for (Place& place : t.live(id).places) {
    if (place.slot < 0 || (in.slot >= 0 && place.slot != in.slot)) continue;
    withdraw(t, id, place, "an operator acts");
    if (place.action) continue;
    Wish wish;
    wish.service = id;
    wish.slot = place.slot;
    wish.op = op;
    wish.origin = Origin::manual;
    wish.strategy = name_of(op);
    wish.evidence = "asked for";
    wish.by = in.by.empty() ? "operator" : in.by;
    begin_action(t, wish);
    if (op == Op::stop) stop_looking(t, place);
  }
}

void start_by_hand(Turn& t, ServiceId id, Place& place, const std::string& by) {
  if (place.slot < 0 || place.action || !t.wanted(id, place.slot)) return;
  const InstanceState* instance = t.instance(id, place.slot);
  if (instance != nullptr && instance->state == RunState::running) return;
  Wish wish;
  wish.service = id;
  wish.slot = place.slot;
  wish.op = Op::start;
  wish.origin = Origin::manual;
  wish.strategy = name_of(Op::start);
  wish.version = wanted_version_of(t.plan(id), t.durable(id), place.slot);
  if (instance != nullptr && instance->state == RunState::dead) wish.version = instance->version;
  wish.evidence = "asked for";
  wish.by = by.empty() ? "operator" : by;
  if (check_gates(t, ask_for(t, wish))) return;  // it will be started as what should run
  begin_action(t, wish);
}

// What has been decided and not begun (it may wait for an approval) gives way to what a person wants.
void give_way(Turn& t, ServiceId id, Slot slot) {
  for (Place& place : t.live(id).places) {
    if (slot < 0 || slot == place.slot) withdraw(t, id, place, "an operator acts");
  }
}

void set_running(Turn& t, ServiceId id, const Operator& in, bool running) {
  set_wanted(t, id, in.slot, running, in.by);
  if (!running && in.slot < 0) {
    stop_operation(t, id, "stopped by " + in.by);
    close_incident(t, id, Ending::stopped);
  }
  give_way(t, id, in.slot);
  if (!t.plan(id).runtime.managed) return run_unmanaged(t, id, in, running ? Op::start : Op::stop);
  if (!running) return;
  // Started by hand: what does not run comes up at once, and the ladders begin anew.
  for (Place& place : t.live(id).places) {
    if (in.slot >= 0 && in.slot != place.slot) continue;
    if (t.durable(id).ladders.contains(place.slot)) {
      t.record(LadderMoved{t.plan(id).name, place.slot, LadderState{}});
    }
    start_by_hand(t, id, place, in.by);
  }
}

void restart(Turn& t, ServiceId id, const Operator& in) {
  OperationWish wish;
  wish.kind = OperationKind::restart_all;
  wish.slots = in.slot >= 0 ? std::vector<std::int32_t>{in.slot} : wanted_slots(t, id);
  wish.by = in.by;
  if (operation_running(t, id)) return;
  give_way(t, id, in.slot);
  begin_operation(t, id, std::move(wish));
}

void deploy(Turn& t, ServiceId id, const Operator& in) {
  const bool refused = t.durable(id).quarantined.contains(in.version) && !in.force;
  if (!t.plan(id).runtime.releases || refused || in.version.empty()) return;
  if (deploy_by_rollout(t, id, in)) return;
  const auto& running = t.durable(id).operation;
  if (running && running->repair) return;
  stop_operation(t, id, "superseded by " + in.version);
  OperationWish wish;
  wish.kind = OperationKind::deploy;
  wish.version = in.version;
  for (const Slot slot : wanted_slots(t, id)) {
    const InstanceState* instance = t.instance(id, slot);
    if (instance == nullptr || instance->version != in.version) wish.slots.push_back(slot);
  }
  wish.by = in.by;
  give_way(t, id, kWhole);
  begin_operation(t, id, std::move(wish));
}

void unlock(Turn& t, ServiceId id, const Operator& in) {
  const auto locks = t.durable(id).locks;
  for (const auto& [slot, reason] : locks) {
    if (in.slot == kWhole || in.slot == slot) {
      t.record(LockChanged{t.plan(id).name, slot, false, "by " + in.by});
    }
  }
}

void roll_outdated(Turn& t, ServiceId id, const Operator& in) {
  OperationWish wish;
  wish.kind = OperationKind::restart_all;
  for (const Slot slot : wanted_slots(t, id)) {
    const InstanceState* instance = t.instance(id, slot);
    if (instance != nullptr && instance->identity != t.plan(id).runtime.identity) wish.slots.push_back(slot);
  }
  wish.by = in.by;
  if (!wish.slots.empty() && !operation_running(t, id)) begin_operation(t, id, std::move(wish));
}

void service_command(Turn& t, ServiceId id, const Operator& in) {
  t.mark(id);
  switch (in.verb) {
    case Verb::check:
      return check_now(t, id);
    case Verb::start:
      return set_running(t, id, in, true);
    case Verb::stop:
      return set_running(t, id, in, false);
    case Verb::restart:
      return restart(t, id, in);
    case Verb::deploy:
      return deploy(t, id, in);
    case Verb::unlock:
      return unlock(t, id, in);
    case Verb::roll_outdated:
      return roll_outdated(t, id, in);
    case Verb::scale:
      return scale_by_hand(t, id, in);
    case Verb::rollout_promote:
    case Verb::rollout_abort:
    case Verb::rollout_freeze:
    case Verb::rollout_resume:
    case Verb::rollout_retry:
    case Verb::rollout_approve:
    case Verb::rollout_samples:
      return rollout_command(t, id, in);
    case Verb::freeze:
      return freeze_scaling(t, id, in);
    case Verb::remediate:
      return remediate(t, id, in);
    case Verb::changed:
      return void(t.record(ChangeNoted{t.plan(id).name, in.version, in.by}));
    case Verb::pause:
    case Verb::resume:
    case Verb::ack:
    case Verb::approve:
    case Verb::shutdown:
    case Verb::maintenance_begin:
    case Verb::maintenance_end:
      break;
  }
}

void mark_all(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) t.mark(id);
}

}  // namespace

void set_wanted(Turn& t, ServiceId id, Slot slot, bool running, const std::string& by) {
  const std::string& name = t.plan(id).name;
  if (running && slot >= 0 && t.durable(id).stopped) {  // one of a stopped service: the others stay stopped
    t.record(DesiredSet{name, kWhole, true, std::nullopt, by});
    for (Slot other = 0; other < static_cast<Slot>(t.plan(id).instances); ++other) {
      t.record(DesiredSet{name, other, false, std::nullopt, by});
    }
  }
  t.record(DesiredSet{name, slot, running, std::nullopt, by});
}

void operator_command(Turn& t, const Operator& in) {
  switch (in.verb) {
    case Verb::pause:
      t.record(Paused{in.service, in.length == Duration{} ? kNever : later(t.now, in.length), in.by});
      return mark_all(t);
    case Verb::resume:
      t.record(Resumed{in.service, in.by});
      return mark_all(t);
    case Verb::ack:
      t.record(Acknowledged{in.id, in.by});
      return;
    case Verb::approve:
      return approve_scaling(t, in.id, in.by) ? void() : approve(t, in.id, in.by);
    case Verb::maintenance_begin:
      return begin_maintenance(t, in);
    case Verb::maintenance_end:
      return end_maintenance(t, in);
    case Verb::shutdown:
      t.s.stopping = true;
      return mark_all(t);
    default:
      break;
  }
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    const bool named = in.service.empty() || t.plan(id).name == in.service;
    if (named && (in.slot == kWhole || t.has_place(id, in.slot))) service_command(t, id, in);
  }
}

void pauses_due(Turn& t) {
  const auto pauses = t.s.durable.pauses;
  for (const auto& [service, pause] : pauses) {
    if (t.now < pause.until) {
      t.wake_at(pause.until);
      continue;
    }
    t.record(Resumed{service, "the pause's end"});
    mark_all(t);
  }
}

}  // namespace homeostat::engine
