// Stories of doubt: what looks like everybody's fault is probably ours.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

Plan fleet(std::uint32_t services) {
  std::vector<ServicePlan> all;
  for (std::uint32_t i = 0; i < services; ++i) all.push_back(web("s" + std::to_string(i), 1));
  return plan_of(std::move(all));
}

bool in_doubt(const World& world) {
  bool on = false;
  for (const CautionChanged& change : world.all<CautionChanged>()) {
    if (change.caution == Caution::doubt) on = change.on;
  }
  return on;
}

TEST(Doubt, OwnNetworkCutTouchesNobodyAndCallsAHuman) {
  Started world(fleet(8));
  const std::size_t effects = world.effects().size();
  world.network_cut(true);
  world.run_for(5min);
  EXPECT_EQ(world.effects().size(), effects);
  EXPECT_TRUE(in_doubt(world));
  EXPECT_EQ(world.status("s0"), Status::unknown);
  EXPECT_GT(world.notifications(), 0U);
  world.network_cut(false);
  world.run_for(1min);
  EXPECT_EQ(world.effects().size(), effects);
  EXPECT_FALSE(in_doubt(world));
  EXPECT_EQ(world.status("s0"), Status::healthy);
}

// A cut that ends while it is judged, or before most have reached their verdict, was nobody's fault either.
TEST(Doubt, ACutOfAnyLengthTouchesNobody) {
  for (Duration length = 100ms; length < 8s; length += 50ms) {
    Started world(fleet(8));
    const std::size_t effects = world.effects().size();
    world.network_cut(true);
    world.run_for(length);
    world.network_cut(false);
    world.run_for(30s);
    EXPECT_EQ(world.effects().size(), effects) << length.count() / 1'000'000 << " ms";
    EXPECT_EQ(world.status("s0"), Status::healthy);
  }
}

/// One of them is looked at seldom, and so is the last to be seen well again.
Plan with_a_slow_one() {
  Plan plan = fleet(8);
  plan.services[0].checks[1].policy.interval = 20s;
  return plan;
}

// It was seen failing in the cut, and cannot be looked at when the doubt ends: nobody knows how it is.
TEST(Doubt, WhatCannotBeLookedAtAfterwardsIsNotTouched) {
  Started world(with_a_slow_one());
  const std::size_t effects = world.effects().size();
  world.network_cut(true);
  world.run_for(40s);
  ASSERT_TRUE(in_doubt(world));
  world.behave("s0", 0, Behaviour::blind);
  world.network_cut(false);
  ASSERT_TRUE(world.run_until([&] { return !in_doubt(world); }, 2min));
  world.run_for(1min);
  EXPECT_EQ(world.effects().size(), effects);
  world.behave("s0", 0, Behaviour::hang);
  EXPECT_TRUE(world.run_until([&] { return world.effects().size() > effects; }, 2min)) << "seen again, and failing";
}

TEST(Doubt, AReloadDoesNotEndIt) {
  for (Duration after = 0s; after < 12s; after += 250ms) {
    Started world(with_a_slow_one());
    const std::size_t effects = world.effects().size();
    world.network_cut(true);
    world.run_for(40s);
    ASSERT_TRUE(in_doubt(world));
    world.network_cut(false);
    world.run_for(after);
    world.reload(with_a_slow_one());
    world.run_for(1min);
    EXPECT_FALSE(in_doubt(world));
    EXPECT_EQ(world.effects().size(), effects) << "a reload after " << after.count() / 1'000'000 << " ms";
    EXPECT_EQ(world.status("s0"), Status::healthy);
  }
}

// A round that found nothing says nothing about what begins right after it.
TEST(Doubt, ACutRightAfterARealFailureTouchesNobodyElse) {
  for (Duration after = 0s; after < 12s; after += 100ms) {
    Plan plan = fleet(8);
    plan.fleet.max_actions = 100;
    Started world(plan);
    world.behave("s0", 0, Behaviour::hang);
    world.run_for(after);
    world.network_cut(true);
    world.run_for(20s);
    for (const Effect& effect : world.effects()) {
      EXPECT_TRUE(effect.op == Op::start || effect.service == "s0")
          << effect.service << ", cut after " << after.count() / 1'000'000 << " ms";
    }
  }
}

TEST(Doubt, TimeInDoubtIsNotDowntime) {
  Started world(fleet(8));
  world.network_cut(true);
  world.run_for(10min);
  world.network_cut(false);
  world.run_for(1min);
  for (const auto& [name, state] : world.durable().services) {
    EXPECT_FALSE(state.down_since) << name;
    Duration down{};
    for (const Interval& interval : state.downs) down += interval.to - interval.from;
    EXPECT_LT(down, 10s) << name;
  }
}

TEST(Doubt, ACrashIsHealedInTheMiddleOfIt) {
  Started world(fleet(8));
  world.network_cut(true);
  world.run_for(1min);
  ASSERT_TRUE(in_doubt(world));
  world.crash("s3", 0);
  ASSERT_TRUE(world.run_until([&] { return world.running("s3", 0); }, 1s));
}

TEST(Doubt, FourHangingServicesAreRepairedFiveAreNot) {
  for (const std::uint32_t hanging : {4U, 5U}) {
    Plan plan = fleet(12);
    plan.fleet.max_actions = 100;
    Started world(plan);
    const std::size_t effects = world.effects().size();
    for (std::uint32_t i = 0; i < hanging; ++i) world.behave("s" + std::to_string(i), 0, Behaviour::hang);
    world.run_for(20s);
    EXPECT_EQ(world.effects().size() > effects, hanging == 4) << hanging;
  }
}

TEST(Doubt, WhatADependencyExplainsDoesNotCount) {
  Plan plan = fleet(8);
  plan.fleet.max_actions = 100;
  for (std::size_t i = 1; i < plan.services.size(); ++i) plan.services[i].depends_on = {0};
  Started world(plan);
  for (const ServicePlan& service : plan.services) world.behave(service.name, 0, Behaviour::hang);
  world.run_for(30s);
  EXPECT_FALSE(in_doubt(world));
  EXPECT_EQ(world.status("s0"), Status::healthy) << "the root was restarted";
}

TEST(Doubt, AFailedSelfCheckIsEnough) {
  Started world(fleet(2));
  const std::size_t effects = world.effects().size();
  world.self_check_fails(true);
  world.behave("s0", 0, Behaviour::hang);
  world.run_for(1min);
  EXPECT_EQ(world.effects().size(), effects);
  world.self_check_fails(false);
  world.run_for(1min);
  EXPECT_EQ(world.status("s0"), Status::healthy);
}

TEST(Doubt, ASampleThatEndsWhileWeLookHoldsUpNobody) {
  Plan plan = fleet(2);
  Started world(plan);
  world.behave("s0", 0, Behaviour::hang);
  ASSERT_TRUE(world.run_until([&] { return world.engine().state().doubt.running; }, 10s));
  world.crash("s1", 0);
  world.run_for(10s);
  EXPECT_EQ(world.status("s0"), Status::healthy);
}

TEST(Doubt, ALostAnswerOfTheSelfCheckEndsTheRound) {
  Started world(fleet(2));
  world.behave("s0", 0, Behaviour::hang);
  ASSERT_TRUE(world.run_until([&] { return world.engine().state().doubt.running; }, 10s));
  world.self_check_silent(true);
  world.run_for(2min);
  world.self_check_silent(false);
  world.run_for(2min);
  EXPECT_EQ(world.status("s0"), Status::healthy);
}

TEST(Tilt, HoldsIndirectEvidenceForAWhileAndDirectEvidenceNever) {
  Started world(fleet(3));
  world.behave("s0", 0, Behaviour::hang);
  world.input(Gap{1min});
  const Instant jumped = world.now();
  const std::size_t effects = world.effects().size();
  world.crash("s1", 0);
  ASSERT_TRUE(world.run_until([&] { return world.running("s1", 0); }, 1s));
  ASSERT_TRUE(world.run_until([&] { return world.effects().size() > effects + 1; }, 2min));
  EXPECT_GE(world.now() - jumped, 30s);
  EXPECT_LE(world.now() - jumped, 40s);
}

TEST(Tilt, ACheckThatCannotLookDoesNotHoldItForEver) {
  Started world(fleet(2));
  world.behave("s0", 0, Behaviour::blind);
  world.run_for(10s);
  world.input(Gap{1min});
  world.run_for(1min);
  EXPECT_FALSE(world.engine().state().tilt_since);
}

}  // namespace
}  // namespace homeostat::sim
