#include "engine/instances.hpp"

#include "engine/completion.hpp"
#include "engine/engine.hpp"
#include "engine/looking.hpp"
#include "engine/recovery.hpp"
#include "engine/repair.hpp"
#include "engine/status.hpp"

namespace homeostat::engine {

void set_instance(Turn& t, ServiceId id, Slot slot, RunState state, const Incarnation& incarnation,
                  const std::string& version, std::uint16_t port, const std::string& detail) {
  const InstanceState* known = t.instance(id, slot);
  const bool same_start = state != RunState::running && known != nullptr;
  const std::uint64_t identity = same_start ? known->identity : t.plan(id).runtime.identity;
  t.record(InstanceChanged{t.plan(id).name, slot, state, incarnation, version, port, identity, detail});
  if (state == RunState::stopped) forget_health(t, t.place(id, slot));
  t.mark(id);
}

void adopt_report(Turn& t, ServiceId id, Place& place, const Intent& intent, const ActionDone& in) {
  if (!t.plan(id).runtime.managed || place.slot < 0 || intent.op == Op::exec) return;
  const InstanceState* known = t.instance(id, place.slot);
  const bool ran = known != nullptr && known->state == RunState::running;
  const std::string& version = in.version.empty() ? intent.version : in.version;
  if (in.outcome == OutcomeKind::succeeded && intent.op != Op::stop) {
    return set_instance(t, id, place.slot, RunState::running, in.now_running, version, in.port, "");
  }
  if (in.outcome == OutcomeKind::succeeded) {
    set_instance(t, id, place.slot, RunState::stopped, {}, known == nullptr ? std::string() : known->version, 0,
                 "stopped");
    return stop_looking(t, place);
  }
  if (ran && in.now_running == known->incarnation) return;
  if (!in.now_running.none()) {
    set_instance(t, id, place.slot, RunState::running, in.now_running, version, in.port, in.detail);
    return ran ? void() : begin_looking(t, place);  // one that was found running is looked at like any other
  }
  set_instance(t, id, place.slot, t.wanted(id, place.slot) ? RunState::dead : RunState::stopped, {}, intent.version, 0,
               in.detail);
  stop_looking(t, place);
}

bool runtime_at_it(Turn& t, const Place& place) {
  if (!place.action || !place.action->dispatched) return false;
  const auto action = t.s.durable.actions.find(place.action_id());
  if (action == t.s.durable.actions.end() || action->second.succeeded_at) return false;
  const Op op = action->second.intent.op;
  return op != Op::exec && op != Op::scale;
}

void exited(Turn& t, const Exited& in) {
  if (in.service >= t.s.services.size() || in.slot < 0 || !t.has_place(in.service, in.slot)) return;
  Place& place = t.place(in.service, in.slot);
  const InstanceState* known = t.instance(in.service, in.slot);
  if (known == nullptr || known->state != RunState::running || known->incarnation != in.incarnation) return;
  if (is_unsettled(t.s, place)) return found_unsettled(t, {in.service, in.slot, {}, {}, 0, {}, {}});
  if (runtime_at_it(t, place) || completed(t, in)) return;
  if (!in.known) ended_unseen(t, in.service, in.slot);
  Observation seen{Result::failure, in.signalled ? Reason::signalled : Reason::exited, in.known ? in.code : -1, {}};
  const RunState state = t.wanted(in.service, in.slot) ? RunState::dead : RunState::stopped;
  set_instance(t, in.service, in.slot, state, known->incarnation, known->version, known->port,
               explain_end(seen, in.out_of_memory));
  if (state == RunState::dead) return process_ended(t, in.service, place, seen);
  stop_looking(t, place);
}

}  // namespace homeostat::engine
