// The number of instances follows what is measured, and survives whatever happens meanwhile.
#include <gtest/gtest.h>

#include <functional>

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
  explicit Fleet(Plan plan = plan_of({scaled()})) : Started(std::move(plan)) {}
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

// For ever, unless it is said for how long.
Operator by_hand(std::int32_t count, Duration length = {}) {
  Operator in;
  in.verb = Verb::scale;
  in.service = "web";
  in.count = count;
  in.length = length;
  return in;
}

TEST(Scaling, ByHandItStaysSoLongAsItIsSaid) {
  Fleet world;
  world.load("web", 12 * kOne);
  world.input(by_hand(7, 5min));
  world.run_for(1min);
  EXPECT_EQ(running(world), 7U);
  world.run_for(10min);
  EXPECT_EQ(running(world), 2U);
}

TEST(Scaling, WhatDoesNotRunIsTheFirstThatIsNotNeeded) {
  Fleet world;
  world.load("web", 12 * kOne);
  world.runtime_silent(true);
  world.input(by_hand(4));
  world.run_for(2s);
  world.network_cut(true);
  world.run_for(20s);
  world.input(by_hand(2));
  world.run_for(2s);
  const FlatSet<std::int32_t>& spare = world.durable().services.at("web").spare;
  EXPECT_FALSE(spare.contains(0) || spare.contains(1)) << "nobody is seen well, but these two run";
  EXPECT_TRUE(spare.contains(2) && spare.contains(3)) << "nobody knows of these";
}

ServicePlan scaled_by_command() {
  ServicePlan service = scaled();
  service.runtime = {};
  service.runtime.restart = service.runtime.start_stop = service.runtime.scale = true;
  service.checks = {http_check()};
  return service;
}

TEST(Scaling, ACommandIsToldAnotherNumberAtOnceWhenItHasMadeTheLast) {
  WorldOptions slow;
  slow.start_delay = 20s;
  Started world(plan_of({scaled_by_command()}), slow);
  world.load("web", 12 * kOne);
  world.run_for(2min);
  const auto told = [&](std::uint32_t count) {
    const auto all = world.all<Intent>();
    return std::ranges::any_of(all, [&](const Intent& i) { return i.op == Op::scale && i.count == count; });
  };
  world.input(by_hand(4));
  ASSERT_TRUE(world.run_until([&] { return told(4); }, 1min));
  world.input(by_hand(6));  // it makes four for 20 s
  EXPECT_TRUE(world.run_until([&] { return told(6); }, 30s));
}

TEST(Scaling, WhatACommandScalesIsNotStoppedOneByOne) {
  Fleet world(plan_of({scaled_by_command()}));
  world.load("web", 12 * kOne);
  world.input(by_hand(4));
  world.run_for(30s);
  world.behave("web", 1, Behaviour::hang);
  const auto told_to = [&](Op op) {
    const auto all = world.all<Intent>();
    return std::ranges::count_if(all, [&](const Intent& intent) { return intent.op == op; });
  };
  ASSERT_TRUE(world.run_until([&] { return told_to(Op::restart) > 0; }, 2min));
  world.input(by_hand(3));
  world.run_for(1min);
  EXPECT_TRUE(world.durable().services.at("web").spare.contains(1)) << "the one that fails is needed least";
  EXPECT_EQ(told_to(Op::stop), 0) << "the command was told that there shall be three";
}

Operator freeze(Freeze direction, Duration length) {
  Operator in;
  in.verb = Verb::freeze;
  in.service = "web";
  in.direction = direction;
  in.length = length;
  return in;
}

TEST(Scaling, FrozenOneWayItGoesTheOtherOnly) {
  Fleet world;
  world.load("web", 55 * kOne);
  world.run_for(1min);
  world.input(freeze(Freeze::down, 30min));
  world.load("web", 12 * kOne);
  world.run_for(10min);
  EXPECT_EQ(running(world), 6U);
  world.load("web", 80 * kOne);
  world.run_for(1min);
  EXPECT_EQ(running(world), 8U) << "up is free";
  world.kill_engine();
  world.boot();
  world.load("web", 12 * kOne);
  world.run_for(10min);
  EXPECT_EQ(running(world), 8U) << "it outlives a kill";
  world.run_for(10min);
  EXPECT_EQ(running(world), 2U) << "it has an end";
}

TEST(Scaling, AFreezeEndsWhenItIsTakenBack) {
  Fleet world;
  world.input(freeze(Freeze::both, {}));
  world.load("web", 55 * kOne);
  world.run_for(30min);
  EXPECT_EQ(running(world), 2U);
  world.input(freeze(Freeze::none, {}));
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
}

/// With the policy changed by `change`.
Plan plan_with(const std::function<void(ServicePlan&, ScalingPolicy&)>& change) {
  ServicePlan service = scaled();
  ScalingPlan scaling = *service.scaling;
  change(service, scaling.policy);
  service.instances = 10;
  service.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  return plan_of({service});
}

TEST(Scaling, OtherBoundsByTheHour) {
  Plan plan = plan_with([](ServicePlan&, ScalingPolicy& policy) {
    policy.range = {2, 4};
    policy.down.window = {};
    policy.schedules.emplace_back();
    policy.schedules[0].start = *parse_cron("30 1 * * *");
    policy.schedules[0].end = *parse_cron("45 1 * * *");
    policy.schedules[0].min = 5;
    policy.schedules[0].max = 8;
  });
  Started world(plan);  // it is one o'clock
  world.load("web", 100 * kOne);
  world.run_for(20min);
  EXPECT_EQ(running(world), 4U);
  world.run_for(15min);
  EXPECT_EQ(running(world), 8U);
  world.load("web", 10 * kOne);
  world.run_for(5min);
  EXPECT_EQ(running(world), 5U) << "never fewer meanwhile";
  world.run_for(10min);
  EXPECT_EQ(running(world), 2U);
}

TEST(Scaling, InNoUseItIsNoneAndComesBack) {
  Plan plan = plan_with([](ServicePlan& service, ScalingPolicy& policy) {
    policy.range.min = 0;
    policy.metrics[0].kind = MetricKind::total_average;
    policy.activation = {.metric = 0, .above = 0, .idle_for = 2min};
    service.min_healthy = 1;
  });
  Started world(plan);
  world.load("web", 25 * kOne);
  world.run_for(5min);
  EXPECT_EQ(running(world), 3U);
  world.load("web", 0);
  world.run_for(10min);
  EXPECT_EQ(running(world), 0U);
  EXPECT_EQ(world.status("web"), Status::healthy) << "none is needed, none is missed";
  world.load("web", std::nullopt);
  world.run_for(10min);
  EXPECT_EQ(running(world), 0U);
  world.load("web", 3 * kOne);
  world.run_for(1min);
  EXPECT_EQ(running(world), 1U);
  EXPECT_TRUE(world.violations().empty());
}

/// One that asks first, under a load for which it asks to go from 2 to 6.
struct Asking : Fleet {
  Asking() : Fleet(plan_with([](ServicePlan& service, ScalingPolicy&) { service.mode = Mode::approve; })) {
    load("web", 55 * kOne);
    run_for(1min);
  }
  const ScalingAsked* asked() const { return durable().services.at("web").asked_scaling(); }
  void approve(CommandId id) {
    Operator in;
    in.verb = Verb::approve;
    in.id = id;
    in.by = "test";
    input(in);
  }
};

TEST(ScalingApproval, IsForWhatWasAskedAndDoneOnce) {
  Asking world;
  ASSERT_NE(world.asked(), nullptr);
  const ScalingAsked asked = *world.asked();
  EXPECT_EQ(asked.to, 6);
  world.run_for(10min);
  ASSERT_NE(world.asked(), nullptr);
  EXPECT_EQ(world.asked()->id, asked.id) << "it is asked once";
  EXPECT_EQ(running(world), 2U);
  world.approve({9, 9});
  world.approve(asked.id);
  world.approve(asked.id);
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
  EXPECT_EQ(world.asked(), nullptr);
  EXPECT_EQ(world.all<Approved>().size(), 1U);
}

TEST(ScalingApproval, SurvivesAKillBeforeAndAfterSomebodyAgreed) {
  Asking world;
  const CommandId id = world.asked()->id;
  world.kill_engine();
  world.boot();
  ASSERT_NE(world.asked(), nullptr);
  EXPECT_EQ(world.asked()->id, id);
  world.approve(id);
  world.run_for(1ms);  // until that is durable
  world.kill_engine();
  world.boot();
  EXPECT_EQ(world.asked(), nullptr) << "somebody has agreed";
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
}

TEST(ScalingApproval, IsForNoMoreThanWasAskedAndForNothingElse) {
  Asking world;
  const CommandId first = world.asked()->id;
  world.load("web", 35 * kOne);
  world.run_for(1min);
  ASSERT_NE(world.asked(), nullptr);
  EXPECT_NE(world.asked()->id, first) << "another decision is another question";
  EXPECT_EQ(world.asked()->to, 4);
  world.approve(first);
  world.run_for(1min);
  EXPECT_EQ(running(world), 2U) << "what was asked before is not asked any more";
  world.load("web", 45 * kOne);
  world.approve(world.asked()->id);  // it is measured anew before anything is done
  world.run_for(5s);
  EXPECT_EQ(running(world), 4U) << "so far somebody has agreed";
}

TEST(ScalingApproval, IsNotUsedWhenItIsNotWantedAnyMore) {
  Asking world;
  const CommandId id = world.asked()->id;
  world.load("web", 20 * kOne);
  world.approve(id);
  world.run_for(2min);
  EXPECT_EQ(running(world), 2U);
  EXPECT_EQ(world.asked(), nullptr);
  EXPECT_EQ(world.all<ScalingDropped>().size(), 1U);
}

TEST(ScalingApproval, IsForTheInstancesThatWouldGo) {
  Asking world;
  world.approve(world.asked()->id);
  world.run_for(1min);
  ASSERT_EQ(running(world), 6U);
  world.load("web", 30 * kOne);
  world.run_for(3min);
  ASSERT_NE(world.asked(), nullptr);
  const ScalingAsked asked = *world.asked();
  EXPECT_EQ(asked.to, 3);
  ASSERT_EQ(asked.leaving.size(), 3U);
  Operator restart;
  restart.verb = Verb::restart;
  restart.service = "web";
  restart.slot = asked.spare.front();
  restart.by = "test";
  world.input(restart);
  world.run_for(2min);
  ASSERT_NE(world.asked(), nullptr);
  EXPECT_NE(world.asked()->id, asked.id) << "another run would be stopped";
}

TEST(ScalingApproval, ThatNobodyGivesExpiresAndSomebodyIsCalledOnce) {
  Asking world;
  const CommandId id = world.asked()->id;
  world.run_for(31min);
  ASSERT_NE(world.asked(), nullptr);
  EXPECT_NE(world.asked()->id, id) << "it is still wanted, and asked anew";
  EXPECT_EQ(world.durable().escalations.size(), 1U);
  world.run_for(2h);
  EXPECT_EQ(world.durable().escalations.size(), 1U);
  EXPECT_EQ(running(world), 2U);
}

TEST(Scaling, WhoAsksFirstOnlySaysWhatItWouldDoButAHandIsObeyed) {
  Fleet world(plan_with([](ServicePlan& service, ScalingPolicy&) { service.mode = Mode::approve; }));
  world.load("web", 55 * kOne);
  world.run_for(5min);
  EXPECT_EQ(running(world), 2U);
  Operator scale;
  scale.verb = Verb::scale;
  scale.service = "web";
  scale.count = 6;
  world.input(scale);
  world.run_for(1min);
  EXPECT_EQ(running(world), 6U);
}

TEST(Scaling, WhatDoesNotHelpIsNotRepeatedAndSomebodyIsCalled) {
  Plan plan = plan_with([](ServicePlan&, ScalingPolicy& policy) {
    policy.metrics[0].kind = MetricKind::total;  // it does not fall, however many there are
    policy.help = {.tries = 2, .improvement = 50'000, .settle = 10s, .hold = 30min};
    policy.up.limits = {{LimitUnit::instances, 1, 30s}};
  });
  Started world(plan);
  world.load("web", 15 * kOne);
  world.run_for(10min);
  const std::size_t stopped_at = running(world);
  EXPECT_LT(stopped_at, 10U);
  EXPECT_GT(stopped_at, 3U);
  ASSERT_EQ(world.durable().escalations.size(), 1U);
  EXPECT_NE(world.durable().escalations.begin()->second.what.summary.find("more instances do not help"),
            std::string::npos);
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
