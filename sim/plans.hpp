// Small plans for stories.
#pragma once

#include <string>

#include "engine/plan.hpp"

namespace homeostat::sim {

inline engine::CheckPlan http_check() {
  engine::CheckPlan check;
  check.name = "http";
  check.policy.interval = std::chrono::seconds(1);
  check.policy.fast_interval = std::chrono::milliseconds(150);
  check.policy.timeout = std::chrono::milliseconds(500);
  check.policy.startup_grace = std::chrono::seconds(1);
  return check;
}

inline engine::CheckPlan process_check() {
  engine::CheckPlan check;
  check.name = "process";
  check.process = true;
  check.policy.interval = std::chrono::seconds(1);
  check.policy.fast_interval = std::chrono::milliseconds(150);
  check.policy.failure_threshold = 1;
  check.policy.startup_grace = {};
  return check;
}

inline engine::RungPlan rung(engine::StrategyKind kind, std::uint32_t attempts = 1) {
  engine::RungPlan rung;
  rung.strategy = kind;
  rung.attempts = attempts;
  if (kind == engine::StrategyKind::escalate) rung.name = "oncall";
  return rung;
}

/// A process service with an HTTP check: restart three times, then call a human.
inline engine::ServicePlan web(std::string name = "web", std::uint32_t instances = 2) {
  engine::ServicePlan service;
  service.name = std::move(name);
  service.instances = instances;
  service.runtime.managed = service.runtime.restart = service.runtime.start_stop = true;
  service.checks = {process_check(), http_check()};
  service.ladder = {rung(engine::StrategyKind::restart, 3), rung(engine::StrategyKind::escalate)};
  return service;
}

inline engine::Plan plan_of(std::vector<engine::ServicePlan> services) {
  engine::Plan plan;
  plan.generation = 1;
  plan.services = std::move(services);
  plan.notifiers = {{"oncall"}};
  plan.default_notifier = 0;
  return plan;
}

}  // namespace homeostat::sim
