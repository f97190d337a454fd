// The number of instances follows what is measured, and survives whatever happens meanwhile.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

constexpr std::int64_t kOne = 1'000;  // in thousandths

/// Ten at most, each takes a load of 10.
ServicePlan scaled() {
  ServicePlan service = web("web", 10);
  ScalingPlan scaling;
  scaling.policy.range = {2, 10};
  MetricRule rule;
  rule.id = "load";
  rule.kind = MetricKind::average;
  rule.target = 10 * kOne;
  scaling.policy.metrics = {rule};
  scaling.policy.down.window = 1min;
  service.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  return service;
}

std::size_t running(const World& world) {
  std::size_t count = 0;
  for (Slot slot = 0; slot < 10; ++slot) count += world.running("web", slot) ? 1 : 0;
  return count;
}

struct Fleet : Started {
  explicit Fleet(WorldOptions options = {}) : Started(plan_of({scaled()}), options) {}
};

TEST(Scaling, BeginsWithTheLeast) {
  Fleet world;
  EXPECT_EQ(running(world), 2U);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Scaling, FollowsTheLoadUpAndDown) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
  world.load("web", 12 * kOne);
  world.run_for(40s);
  EXPECT_EQ(running(world), 6U) << "the window has not passed";
  world.run_for(1min);
  EXPECT_EQ(running(world), 2U);
  EXPECT_TRUE(world.violations().empty());
}

TEST(Scaling, ASourceThatFailsTakesNothingAway) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  world.load("web", std::nullopt);
  world.run_for(10min);
  EXPECT_EQ(running(world), 6U);
}

TEST(Scaling, TheNumberAndItsPastSurviveAKill) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  const ScalingHistory before = world.durable().services.at("web").scaling->history;
  world.kill_engine();
  world.boot();
  EXPECT_EQ(world.durable().services.at("web").scaling->history, before);
  world.load("web", 12 * kOne);
  world.run_for(20s);
  EXPECT_EQ(running(world), 6U) << "the window counts from before the kill";
  world.run_for(2min);
  EXPECT_EQ(running(world), 2U);
}

TEST(Scaling, ByHandItStaysSoLongAsItIsSaid) {
  Fleet world;
  world.load("web", 12 * kOne);
  Operator scale;
  scale.verb = Verb::scale;
  scale.service = "web";
  scale.count = 7;
  scale.length = 5min;
  world.input(scale);
  world.run_for(1min);
  EXPECT_EQ(running(world), 7U);
  world.run_for(10min);
  EXPECT_EQ(running(world), 2U);
}

TEST(Scaling, APauseHoldsTheNumber) {
  Fleet world;
  Operator pause;
  pause.verb = Verb::pause;
  pause.length = 10min;
  world.input(pause);
  world.load("web", 90 * kOne);
  world.run_for(5min);
  EXPECT_EQ(running(world), 2U);
  world.run_for(6min);
  EXPECT_EQ(running(world), 9U);
}

TEST(Scaling, ThePlaceOfOneThatIsRepairedIsNotTakenAway) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Scaling, AnotherMostKeepsWhatRuns) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  ServicePlan fewer = scaled();
  fewer.instances = 8;
  auto scaling = *fewer.scaling;
  scaling.policy.range = {2, 8};
  fewer.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  world.reload(plan_of({fewer}));
  world.run_for(30s);
  EXPECT_EQ(running(world), 6U);
  world.load("web", 200 * kOne);
  world.run_for(3min);
  EXPECT_EQ(running(world), 8U);
}

}  // namespace
}  // namespace homeostat::sim
