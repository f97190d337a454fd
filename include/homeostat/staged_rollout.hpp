// A rollout whose stages bring their own validation: the short way for a program that releases something itself.
//
//   StagedRollout rollout("v1", "v2", /*instances=*/6, now);
//   rollout.add_stage(5, [&] { return errors_are_fine() ? GateResult::passed : GateResult::failed; }, 10min);
//   while (!rollout.ended()) {
//     if (auto step = rollout.advance(look(), now)) { set_instances_and_weights(step->to); rollout.done(*step, now); }
//   }
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homeostat/rollout.hpp"

namespace homeostat::rollout {

class StagedRollout {
 public:
  /// Asked when the stage has baked, and again for as long as it says `waiting`.
  using Validation = std::function<GateResult()>;

  StagedRollout(std::string from, std::string to, std::uint32_t instances, Instant now)
      : state_(begin(std::move(from), std::move(to), instances, now)) {
    policy_.routing = Routing::by_weight;
  }

  StagedRollout& add_stage(double percentage, Validation validation, Duration bake = {}) {
    policy_.add_stage(percentage, {kGate}, bake);
    validations_.push_back(std::move(validation));
    return *this;
  }

  /// What shall be so now, where that has changed.
  std::optional<Step> advance(const Seen& seen, Instant now) {
    rollout::advance(policy_, state_, seen, now);
    if (state_.phase == Phase::baking && now >= later(state_.since, policy_.stages[state_.stage].bake)) {
      const Validation& validation = validations_[state_.stage];
      gate(state_, kGate, validation ? validation() : GateResult::passed, "it does not hold");
      rollout::advance(policy_, state_, seen, now);
    }
    return state_.step;
  }
  void done(const Step& step, Instant now) { confirm(state_, step.id, now); }

  bool ended() const { return rollout::ended(state_); }
  /// For everything else that may be wanted: surge, deadlines; promote, abort, freeze …
  Policy& policy() { return policy_; }
  State& state() { return state_; }

 private:
  static constexpr const char* kGate = "validation";

  Policy policy_;
  State state_;
  std::vector<Validation> validations_;
};

}  // namespace homeostat::rollout
