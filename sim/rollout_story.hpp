// What stories of rollouts share: one service, `web`, and what is asked and seen of it.
#pragma once

#include <memory>
#include <string>

#include "homeostat/rollout.hpp"
#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {

constexpr std::uint32_t kNeeded = 3;

inline engine::ServicePlan released(engine::RolloutPlan rollout) {
  const rollout::Policy& policy = rollout.policy;
  engine::ServicePlan service = web("web", kNeeded + rollout::surge_of(policy, kNeeded) + policy.baseline);
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = std::chrono::seconds(2);
  service.rollout = std::make_shared<const engine::RolloutPlan>(std::move(rollout));
  return service;
}

inline rollout::Policy two_stages() {
  rollout::Policy policy;
  policy.add_stage(5, {"checks"}, std::chrono::seconds(10)).add_stage(50, {"checks"}, std::chrono::seconds(10));
  policy.watch_after = std::chrono::seconds(10);
  return policy;
}

inline void ask(World& world, engine::Verb verb, const std::string& version = {}, bool force = false) {
  engine::Operator in;
  in.verb = verb;
  in.service = "web";
  in.version = version;
  in.force = force;
  in.by = "ada";
  world.input(in);
}

inline const rollout::State& state_of(const World& world) { return *world.durable().services.at("web").rollout; }

/// How many instances of it run that version.
inline int running(const World& world, const std::string& version) {
  int count = 0;
  for (engine::Slot slot = 0; slot < static_cast<engine::Slot>(world.plan().services[0].instances); ++slot) {
    count += world.running("web", slot) && world.version("web", slot) == version ? 1 : 0;
  }
  return count;
}

inline bool ends(World& world, rollout::Phase phase, Duration within = std::chrono::minutes(5)) {
  return world.run_until([&] { return state_of(world).phase == phase; }, within);
}

}  // namespace homeostat::sim
