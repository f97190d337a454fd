#include "engine/outside.hpp"

#include "engine/actions.hpp"
#include "engine/completion.hpp"
#include "engine/instances.hpp"
#include "engine/looking.hpp"
#include "engine/operators.hpp"
#include "engine/recovery.hpp"

namespace homeostat::engine {
namespace {

bool is_instance(Turn& t, ServiceId service, Slot slot) {
  return service < t.s.services.size() && slot >= 0 && t.has_place(service, slot);
}

void ended_later(Turn& t, const Found& in, const InstanceState& known) {
  Place& place = t.place(in.service, in.slot);
  const bool wanted = t.wanted(in.service, in.slot);
  const std::string detail = in.told.empty() ? "it has ended" : "stopped by " + in.told;
  set_instance(t, in.service, in.slot, wanted ? RunState::dead : RunState::stopped, known.incarnation, known.version,
               known.port, detail);
  if (!wanted) return stop_looking(t, place);
  ended_unseen(t, in.service, in.slot);
  process_ended(t, in.service, place, Observation{Result::failure, Reason::exited, -1, {}});
}

}  // namespace

void told_by_others(Turn& t, const Found& in) {
  const bool runs = !in.running.none();
  const Slot slot = t.plan(in.service).instances == 1 ? kWhole : in.slot;
  set_wanted(t, in.service, slot, runs, in.told);
  withdraw(t, in.service, t.place(in.service, in.slot), (runs ? "started by " : "stopped by ") + in.told);
  t.mark(in.service);
}

void found_later(Turn& t, const Found& in) {
  if (!is_instance(t, in.service, in.slot)) return;
  Place& place = t.place(in.service, in.slot);
  if (is_unsettled(t.s, place)) return found_unsettled(t, in);
  if (runtime_at_it(t, place)) return;
  if (!in.told.empty()) told_by_others(t, in);
  const InstanceState* known = t.instance(in.service, in.slot);
  const bool ran = known != nullptr && known->state == RunState::running;
  if (in.running.none()) return ran ? ended_later(t, in, *known) : void();
  if (ran && known->incarnation == in.running) return;
  const std::string by = in.told.empty() ? "its runtime" : in.told;
  set_instance(t, in.service, in.slot, RunState::running, in.running, in.version, in.port, "started by " + by);
  begin_startup(t, in.service, place);
}

void runtime_held(Turn& t, const RuntimeHeld& in) {
  if (!is_instance(t, in.service, in.slot)) return;
  const PlaceId place{in.service, in.slot};
  const auto known = t.s.runtime_holds.find(place);
  const bool was_blind = known != t.s.runtime_holds.end() && known->second.blind;
  if (in.why.empty())
    t.s.runtime_holds.erase(place);
  else
    t.s.runtime_holds[place] = {in.why, in.blind};
  // That nobody can tell how it is, or can again, is not to wait for the next look.
  if (in.blind != was_blind) {
    for (const TargetId target : t.place(in.service, in.slot).targets) look_now(t, target);
  }
  if (Place& one = t.place(in.service, in.slot); in.why.empty() && is_unsettled(t.s, one))
    settle_late(t, in.service, one);
  t.mark(in.service);
}

}  // namespace homeostat::engine
