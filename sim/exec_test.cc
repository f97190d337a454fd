// Stories of services that the user's own commands run, and of repairs that wait too long.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

ServicePlan by_commands(std::uint32_t instances) {
  ServicePlan service = web("legacy", instances);
  service.runtime = {};
  service.runtime.restart = service.runtime.scale = true;
  service.checks = {http_check()};
  return service;
}

std::vector<std::uint32_t> counts_told(const World& world) {
  std::vector<std::uint32_t> counts;
  for (const Intent& intent : world.all<Intent>()) {
    if (intent.op == Op::scale) counts.push_back(intent.count);
  }
  return counts;
}

TEST(Exec, ScaleCommandIsToldTheNumberOnceAndWhenItChanges) {
  Started world(plan_of({by_commands(2)}));
  world.run_for(5min);
  EXPECT_EQ(counts_told(world), std::vector<std::uint32_t>{2});
  world.reload(plan_of({by_commands(3)}));
  world.run_for(5min);
  EXPECT_EQ(counts_told(world), (std::vector<std::uint32_t>{2, 3}));
  world.kill_engine();
  world.boot();
  world.run_for(5min);
  EXPECT_EQ(counts_told(world).size(), 2U) << "what it was told last survives";
  EXPECT_TRUE(world.durable().disruptions.empty());
}

TEST(Hold, RepairThatWaitsFiveMinutesCallsSomebodyOnce) {
  Plan plan = plan_of({web("db", 1), web("web", 1)});
  Prerequisite file;
  file.kind = Prerequisite::Kind::file_exists;
  file.text = "file /srv/enabled exists";
  file.probe = 0;
  plan.services[1].prerequisites = {file};
  Started world(plan);
  world.file_exists(false);
  world.crash("web", 0);
  world.run_for(4min + 50s);
  EXPECT_EQ(world.notifications(), 0U);
  world.run_for(20s);
  EXPECT_EQ(world.notifications(), 1U);
  world.run_for(30min);
  EXPECT_EQ(world.notifications(), 1U);
  EXPECT_FALSE(world.running("web", 0));
  world.file_exists(true);
  world.run_for(10s);
  EXPECT_TRUE(world.running("web", 0));
}

TEST(Hold, PausedOnPurposeCallsNobody) {
  Started world(plan_of({web("web", 1)}));
  Operator pause;
  pause.verb = Verb::pause;
  pause.by = "test";
  world.input(pause);
  world.crash("web", 0);
  world.run_for(30min);
  EXPECT_EQ(world.notifications(), 0U);
}

}  // namespace
}  // namespace homeostat::sim
