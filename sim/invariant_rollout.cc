// What holds for rollouts: no stage passes over what is known to fail, and none is told two ends.
#include <algorithm>

#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// A stage is passed only when no instance of the new version is known to fail, after its bake, and when each command
/// that was to be asked has said so since it bakes, or because somebody said so; what something spoke against is not
/// promoted; a rollout ends once.
class GatesHold : public Invariant {
 public:
  explicit GatesHold(Scene& scene) : Invariant(scene, "no_gate_is_skipped") {}

  void recorded(const Record& record) override {
    const auto* moved = std::get_if<RolloutMoved>(&record.body);
    if (moved == nullptr || !moved->state) return;
    const rollout::State& now = *moved->state;
    Seen& seen = seen_[moved->service];
    if (seen.to != now.to || seen.began != now.began) seen = {now.to, now.began, now.stage, kNever, false, {}};
    if (now.stage > seen.stage) passed(moved->service, now, seen, record.at);
    const bool over = now.phase == rollout::Phase::promoted || now.phase == rollout::Phase::rolled_back;
    if (over && !seen.ended) {
      const bool promoted = now.phase == rollout::Phase::promoted;
      expect(promoted == now.harm.empty(), [&] { return name_of(moved->service, now) + " ends against its evidence"; });
    }
    expect(over || !seen.ended, [&] { return name_of(moved->service, now) + " goes on after its end"; });
    seen.ended = over;
    seen.stage = now.stage;
    if (now.phase != rollout::Phase::baking) seen.baking_since = kNever;
    if (now.phase == rollout::Phase::baking && seen.baking_since == kNever) seen.baking_since = record.at;
  }
  void commanded(const Command& command) override {
    const auto* ask = std::get_if<AskGate>(&command);
    if (ask != nullptr) asked_[ask->id] = arena().now();
  }
  void given(const Input& input) override {
    const auto* answer = std::get_if<GateAnswered>(&input);
    if (answer == nullptr || answer->result != rollout::GateResult::passed || !asked_.contains(answer->id)) return;
    seen_[arena().plan().services[answer->service].name].agreed[answer->gate] = asked_[answer->id];
  }
  // What was not durable may have happened otherwise.
  void died() override {
    seen_.clear();
    asked_.clear();
  }

 private:
  struct Seen {
    std::string to;
    Instant began{};
    std::uint32_t stage = 0;
    Instant baking_since = kNever;
    bool ended = false;
    std::map<std::uint32_t, Instant> agreed{};  // of each gate that a command decides: when it was asked
  };

  static std::string name_of(const std::string& service, const rollout::State& state) {
    return "the rollout of " + state.to + " of " + service;
  }

  void passed(const std::string& service, const rollout::State& now, const Seen& seen, Instant at) {
    if (!now.passed.back().by.empty()) return;
    const std::uint32_t number = arena().number_of(service);
    const ServicePlan* plan = arena().plan_of(number);
    if (plan == nullptr || !plan->rollout || seen.stage >= plan->rollout->policy.stages.size()) return;
    const Duration bake = plan->rollout->policy.stages[seen.stage].bake;
    expect(seen.baking_since == kNever || at >= later(seen.baking_since, bake),
           [&] { return name_of(service, now) + " did not bake"; });
    for (std::uint32_t gate = 0; gate < plan->rollout->gates.size(); ++gate) {
      if (plan->rollout->gates[gate].stage != seen.stage || seen.baking_since == kNever) continue;
      const auto agreed = seen.agreed.find(gate);
      expect(agreed != seen.agreed.end() && agreed->second >= seen.baking_since,
             [&] { return name_of(service, now) + " goes on though a command has not agreed"; });
    }
    const ServiceState& state = arena().engine().durable().services.at(service);
    for (const auto& [slot, instance] : state.instances) {
      if (instance.version != now.to || !state.wants_running(slot)) continue;
      expect(!fails(*plan, number, slot),
             [&] { return name_of(service, now) + " goes on though " + std::to_string(slot) + " fails"; });
    }
  }

  bool fails(const ServicePlan& plan, std::uint32_t service, Slot slot) {
    const Spot& spot = ledger().spot(service, slot);
    if (spot.dead) return true;
    for (CheckId id = 0; id < spot.checks.size() && id < plan.checks.size(); ++id) {
      const bool counts = plan.checks[id].role == Role::alive;
      if (counts && spot.checks[id].bad >= plan.checks[id].policy.failure_threshold) return true;
    }
    return false;
  }

  std::map<std::string, Seen> seen_;
  std::map<CommandId, Instant> asked_;
};

}  // namespace

void add_rollout_invariants(Scene& scene, Invariants& out) { out.push_back(std::make_unique<GatesHold>(scene)); }

}  // namespace homeostat::sim
