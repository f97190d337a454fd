// Stories of reloads: what is kept, what is forgotten, what becomes of what is gone.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

Plan one(std::uint32_t instances = 1) { return plan_of({web("web", instances)}); }

const Health& http_health(const World& world) {
  for (const Target& target : world.engine().state().targets) {
    const CheckPlan& check = world.plan().services[target.service].checks[target.check];
    if (!check.process && target.slot == 0) return target.health;
  }
  return world.engine().state().targets[0].health;
}

TEST(Reload, AChangedThresholdKeepsTheStreakAnotherTargetForgetsIt) {
  for (const bool same : {true, false}) {
    Started world(one());
    world.behave("web", 0, Behaviour::error500);
    ASSERT_TRUE(world.run_until([&] { return http_health(world).failures() == 2; }, 5s));
    Plan next = one();
    next.services[0].checks[1].policy.failure_threshold = 5;
    if (!same) next.services[0].checks[1].identity = 77;
    world.reload(next);
    EXPECT_EQ(http_health(world).failures(), same ? 2U : 0U);
    world.run_for(10s);
    EXPECT_EQ(world.status("web"), Status::healthy) << "repaired all the same";
  }
}

TEST(Reload, ARemovedServiceIsReleasedAndGoesOnRunning) {
  Started world(plan_of({web("web", 1), web("gone", 1)}));
  world.behave("gone", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return world.durable().services.at("gone").incident != 0; }, 5s));
  const std::size_t effects = world.effects().size();
  world.reload(one());
  world.run_for(1min);
  EXPECT_EQ(world.effects().size(), effects) << "its intent was not dispatched";
  EXPECT_TRUE(world.running("gone", 0));
  EXPECT_TRUE(world.durable().actions.empty());
  EXPECT_EQ(world.durable().incidents.begin()->second.ending, Ending::withdrawn);
}

TEST(Reload, AServicePutBackIsTakenForTheReleaseItRuns) {
  Plan both = plan_of({web("web", 1), web("back", 1)});
  both.services[1].runtime.releases = true;
  both.services[1].release = "v1";
  Started world(both);
  world.reload(one());
  world.run_for(5s);
  both.services[1].release = "v2";
  world.reload(both);
  world.run_for(10s);
  ASSERT_EQ(world.version("back", 0), "v1") << "nothing is restarted for it";
  const auto& instances = world.durable().services.at("back").instances;
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances.begin()->second.version, "v1");
}

TEST(Reload, OnlyAnotherThingToRunIsAChange) {
  Plan plan = plan_of({web("web", 1), web("other", 1)});
  Started world(plan);
  plan.services[0].checks[1].identity = 77;
  plan.services[0].ladder = {rung(StrategyKind::escalate)};
  world.reload(plan);
  EXPECT_TRUE(world.all<ChangeNoted>().empty()) << "how it is looked at and repaired is none";
  plan.services[0].runtime.identity = 5;
  world.reload(plan);
  const auto noted = world.all<ChangeNoted>();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].service, "web");
  EXPECT_EQ(noted[0].version, "configuration 3");
  EXPECT_EQ(noted[0].by, "reload");
  EXPECT_TRUE(world.durable().services.at("web").changed.contains(kWhole));
  EXPECT_TRUE(world.durable().services.at("other").changed.empty());
  plan.services[1].release = "v2";
  world.reload(plan);
  EXPECT_TRUE(world.durable().services.at("other").changed.contains(kWhole)) << "another version to begin with";
}

TEST(Reload, AnInstanceThatTakesTheNewConfigurationHasChangedThen) {
  Plan plan = one();
  plan.services[0].runtime.identity = 4;
  Started world(plan);
  plan.services[0].runtime.identity = 5;
  world.reload(plan);
  world.run_for(1h);
  ASSERT_FALSE(world.durable().services.at("web").changed.contains(0)) << "it still runs what it was started from";
  world.crash("web", 0);
  world.run_for(10s);
  ASSERT_TRUE(world.durable().services.at("web").changed.contains(0));
  world.crash("web", 0);
  const Instant before = world.durable().services.at("web").changed.at(0).at;
  EXPECT_EQ(world.durable().services.at("web").changed.at(0).what, "took another configuration");
  world.run_for(10s);
  EXPECT_EQ(world.durable().services.at("web").changed.at(0).at, before) << "the same again is no change";
}

TEST(Reload, FewerInstancesStopTheSurplusMoreStartThem) {
  Started world(one(3));
  world.reload(one(1));
  world.run_for(5s);
  EXPECT_FALSE(world.running("web", 1));
  EXPECT_FALSE(world.running("web", 2));
  EXPECT_EQ(world.status("web"), Status::healthy);
  world.reload(one(2));
  world.run_for(5s);
  EXPECT_TRUE(world.running("web", 1));
  EXPECT_TRUE(world.durable().incidents.empty());
}

TEST(Reload, WhatIsJustBeingStartedIsNotForgottenWhenItIsNotWantedAnyMore) {
  World world(one(3));
  world.boot();
  world.run_for(2ms);  // dispatched, not yet started
  world.reload(one(1));
  world.run_for(10s);
  EXPECT_TRUE(world.running("web", 0));
  EXPECT_FALSE(world.running("web", 1));
  EXPECT_FALSE(world.running("web", 2));
  EXPECT_TRUE(world.durable().actions.empty());
}

TEST(Reload, AnIncidentOfASurplusInstanceCloses) {
  Started world(one(2));
  world.fail_starts("web", true);
  world.crash("web", 1);
  world.run_for(3s);
  world.reload(one(1));
  world.run_for(3s);
  EXPECT_EQ(world.durable().services.at("web").incident, 0U);
}

TEST(Reload, IntoShadowTakesBackWhatIsNotDispatched) {
  WorldOptions slow;
  slow.journal_delay = 100ms;
  Started world(one(), slow);
  const std::size_t effects = world.effects().size();
  world.crash("web", 0);
  Plan shadow = one();
  shadow.shadow = true;
  world.reload(shadow);
  world.run_for(10s);
  EXPECT_EQ(world.effects().size(), effects);
}

TEST(Reload, KeepsTheBudget) {
  Plan plan = one();
  plan.services[0].ladder.change([&](auto& rungs) { rungs[0].attempts = 20; });
  Started world(plan);
  world.release_behaves("", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  for (int minute = 0; minute < 9; ++minute) {
    world.run_for(1min);
    if (minute % 2 == 0)
      world.reload(plan);
    else
      world.kill_engine(), world.boot();
  }
  std::size_t stops = 0;
  for (const Effect& effect : world.effects()) stops += effect.op == Op::stop ? 1 : 0;
  EXPECT_EQ(stops, 3U);
}

}  // namespace
}  // namespace homeostat::sim
