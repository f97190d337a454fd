#include "sim/judge.hpp"

#include <algorithm>

#include "homeostat/rollout.hpp"

namespace homeostat::sim {

using namespace engine;

Judge::Judge(Arena& arena) : ledger_(arena), scene_{arena, ledger_, {}, {}} {
  add_action_invariants(scene_, invariants_);
  add_target_invariants(scene_, invariants_);
  add_evidence_invariants(scene_, invariants_);
  add_limit_invariants(scene_, invariants_);
  add_ladder_invariants(scene_, invariants_);
  add_operator_invariants(scene_, invariants_);
  add_journal_invariants(scene_, invariants_);
  add_breaker_invariants(scene_, invariants_);
  add_scaling_invariants(scene_, invariants_);
  add_rollout_invariants(scene_, invariants_);
  add_guard_invariants(scene_, invariants_);
  add_traffic_invariants(scene_, invariants_);
  add_rest_invariants(scene_, invariants_);
  arena.watch(this);
}

void Judge::given(const Input& input) {
  tell([&](Witness& w) { w.given(input); });
}
void Judge::recorded(const Record& record) {
  tell([&](Witness& w) { w.recorded(record); });
}
void Judge::commanded(const Command& command) {
  tell([&](Witness& w) { w.commanded(command); });
}
void Judge::stepped() {
  tell([](Witness& w) { w.stepped(); });
}
void Judge::durable(const Record& record) {
  tell([&](Witness& w) { w.durable(record); });
}
void Judge::did(const Deed& deed) {
  tell([&](Witness& w) { w.did(deed); });
}
void Judge::ended(std::uint32_t service, Slot slot) {
  tell([&](Witness& w) { w.ended(service, slot); });
}
void Judge::died() {
  tell([](Witness& w) { w.died(); });
}
void Judge::booted() {
  tell([](Witness& w) { w.booted(); });
}
void Judge::reloaded() {
  tell([](Witness& w) { w.reloaded(); });
}
void Judge::rested() {
  tell([](Witness& w) { w.rested(); });
}

// A look at whether it is worth asking; `rested` asks.
bool Judge::at_rest() {
  const Arena& arena = scene_.arena;
  if (!arena.alive() || !arena.engine().durable().actions.empty()) return false;
  for (const auto& [id, escalation] : arena.engine().durable().escalations) {
    if (!escalation.notified) return false;
  }
  for (const LiveService& service : arena.engine().state().services) {
    if (service.status != Status::healthy) return false;
  }
  return std::ranges::all_of(arena.plan().services, [&](const ServicePlan& plan) {
    const ServiceState& state = arena.engine().durable().services.at(plan.name);
    if (plan.scaling && !scaled_to_need(arena, plan)) return false;
    if (plan.rollout && state.rollout && !rollout::ended(*state.rollout)) return false;
    if (state.route) return false;
    return state.incident == 0 && !state.operation && state.locks.empty() && !state.down_since;
  });
}

}  // namespace homeostat::sim
