// Ladders of kinds of failure, by hand, with limits; what is shared, raised, drained, and meant to end; killed
// anywhere.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

void remediate(World& world, const std::string& service, Slot slot = kWhole, const std::string& issue = {}) {
  Operator in;
  in.verb = Verb::remediate;
  in.service = service;
  in.slot = slot;
  in.issue = issue;
  in.by = "anna";
  world.input(in);
}

std::size_t count_of(const World& world, Op op) {
  const auto& effects = world.effects();
  return static_cast<std::size_t>(
      std::count_if(effects.begin(), effects.end(), [&](const Effect& one) { return one.op == op; }));
}

const ServiceState& known(const World& world, const std::string& service) {
  return world.durable().services.at(service);
}

// Killed at every millisecond of it: what a person asked for is done at least once where it was durable, its try once.
TEST(ByHand, GoesOnOverAKillAtAnyMoment) {
  for (int n = 0; n < 40; ++n) {
    Started world(plan_of({web("web", 1)}));
    world.run_for(1min);
    remediate(world, "web");
    world.run_for(std::chrono::milliseconds(n));
    world.kill_engine();
    world.boot();
    world.run_for(10min);
    EXPECT_EQ(world.status("web"), Status::healthy) << n;
    EXPECT_TRUE(known(world, "web").walk_of(0).by.empty()) << n;
    EXPECT_LE(count_of(world, Op::restart) + count_of(world, Op::start), 3U) << n;
    EXPECT_EQ(known(world, "web").incident, 0U) << n;
  }
}

TEST(ByHand, WaitsForAnApprovalAndIsChargedToTheBudget) {
  ServicePlan service = web("web", 1);
  service.mode = Mode::approve;
  Started world(plan_of({service}));
  world.run_for(1min);
  remediate(world, "web");
  world.run_for(10s);
  const auto& actions = world.durable().actions;
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions.begin()->second.intent.mode, Mode::approve);
  EXPECT_TRUE(world.durable().disruptions.empty()) << "nothing has been done yet";
  Operator in;
  in.verb = Verb::approve;
  in.id = actions.begin()->first;
  in.by = "ben";
  world.input(in);
  world.run_for(30s);
  EXPECT_TRUE(world.durable().actions.empty());
  EXPECT_EQ(world.durable().disruptions.size(), 1U);
  EXPECT_TRUE(known(world, "web").walk_of(0).by.empty());
}

TEST(ByHand, OfAStoppedServiceIsDropped) {
  Started world(plan_of({web("web", 1)}));
  world.run_for(1min);
  Operator stop;
  stop.verb = Verb::pause;
  stop.by = "ben";
  world.input(stop);
  remediate(world, "web");
  world.run_for(5s);
  stop.verb = Verb::stop;
  stop.service = "web";
  world.input(stop);
  world.run_for(1min);
  EXPECT_TRUE(known(world, "web").walk_of(0).by.empty());
  EXPECT_FALSE(world.running("web", 0));
}

ServicePlan scaled(std::int32_t min, std::int32_t max) {
  ServicePlan service = web("web", static_cast<std::uint32_t>(max));
  ScalingPlan scaling;
  scaling.policy.range = {min, max};
  scaling.policy.metrics.emplace_back();
  scaling.policy.metrics.back().id = "load";
  scaling.policy.metrics.back().kind = MetricKind::total_average;
  scaling.policy.metrics.back().target = 10'000;
  scaling.policy.down.window = 10s;
  scaling.sources.resize(1);
  service.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  RungPlan more = rung(StrategyKind::scale_up);
  more.raise = {200, 5, 10min};
  service.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), more); });
  return service;
}

TEST(ScaleUp, IsHeldOverAKillAtAnyMomentAndNeverBeyondItsBound) {
  for (int n = 0; n < 30; ++n) {
    Started world(plan_of({scaled(1, 8)}));
    world.load("web", 25'000);
    world.run_for(3min);
    ASSERT_EQ(world.engine().durable().services.at("web").spare.size(), 5U);
    remediate(world, "web", 0);
    world.run_for(std::chrono::milliseconds(n));
    world.kill_engine();
    world.boot();
    world.run_for(3min);
    for (const ScalingRaised& raised : world.all<ScalingRaised>()) EXPECT_EQ(raised.count, 5) << n;
    EXPECT_LE(world.all<ScalingRaised>().size(), 2U) << n;
    if (n > 5) {
      EXPECT_EQ(known(world, "web").spare.size(), 3U) << n;
    }
    world.run_for(20min);
    EXPECT_EQ(known(world, "web").spare.size(), 5U) << n;
  }
}

TEST(Resource, HasOneHolderOverAKillAtAnyMoment) {
  for (int n = 0; n < 40; ++n) {
    Plan plan = plan_of({web("a", 2), web("b", 2)});
    for (ServicePlan& service : plan.services) service.locks = {"schema"};
    Started world(plan);
    world.run_for(1min);
    remediate(world, "a", 0);
    remediate(world, "b", 0);
    world.run_for(std::chrono::milliseconds(10 * n));
    EXPECT_LE(world.durable().resources.size(), 1U);
    world.kill_engine();
    world.boot();
    world.run_for(10min);
    EXPECT_TRUE(world.durable().resources.empty()) << n;
    EXPECT_EQ(world.status("a"), Status::healthy) << n;
    EXPECT_EQ(world.status("b"), Status::healthy) << n;
  }
}

// Two that want the same two things take both or none.
TEST(Resource, OfTwoLocksNobodyTakesOneOnly) {
  Plan plan = plan_of({web("a", 1), web("b", 1), web("c", 1)});
  plan.services[0].locks = {"x", "y"};
  plan.services[1].locks = {"y", "x"};
  plan.services[2].locks = {"y"};
  Started world(plan);
  world.run_for(1min);
  for (const char* service : {"c", "a", "b"}) remediate(world, service);
  for (int i = 0; i < 3000; ++i) {
    world.run_for(10ms);
    std::map<std::string, std::size_t> held;
    for (const auto& [lock, holder] : world.durable().resources) ++held[holder];
    for (const auto& [holder, count] : held) ASSERT_EQ(count, holder == "c" ? 1U : 2U) << holder;
  }
  EXPECT_TRUE(world.durable().resources.empty());
  EXPECT_EQ(count_of(world, Op::restart), 3U);
}

TEST(Limits, ATimeThatIsOverIsNotedOnceAndBeginsAnewWithTheNextRound) {
  ServicePlan service = web("web", 1);
  service.ladder.change([&](auto& rungs) { rungs[0].attempts = 100; });
  service.limits.within = 1min;
  service.backoff.max = 5s;
  service.budget.max_actions = 1000;
  Plan plan = plan_of({service});
  plan.fleet.max_actions = 1000;
  Started world(plan);
  world.run_for(1min);
  const Observation wrong{Result::failure, Reason::wrong_status, 500, {}};
  world.comes_up("web", wrong);
  world.answers("web", 0, "http", wrong);
  world.run_for(65s);
  EXPECT_EQ(world.notifications(), 1U);
  const auto tries = count_of(world, Op::restart);
  EXPECT_GT(tries, 2U);
  world.run_for(2min);
  EXPECT_GT(count_of(world, Op::restart), tries);
}

TEST(Completion, IsHealthyAndStaysSoOverAKill) {
  Plan plan = plan_of({web("batch", 2)});
  plan.services[0].checks.pop_back();
  plan.services[0].completion = Completion{{0, 3}};
  Started world(plan);
  world.run_for(10s);
  world.crash("batch", 0, 3);
  world.run_for(10s);
  EXPECT_EQ(world.status("batch"), Status::healthy);
  EXPECT_EQ(known(world, "batch").instances.at(0).state, RunState::completed);
  world.kill_engine();
  world.boot();
  world.run_for(10min);
  EXPECT_FALSE(world.running("batch", 0));
  EXPECT_EQ(world.status("batch"), Status::healthy);
  world.crash("batch", 1, 1);
  world.run_for(1min);
  EXPECT_TRUE(world.running("batch", 1)) << "1 is no good status";
  EXPECT_FALSE(world.running("batch", 0));
}

// The second run is begun by an action that dies with Homeostat before it can say so, and ends while it is away.
TEST(Completion, ARunThatNobodySawEndIsNotRepeated) {
  Plan plan = plan_of({web("batch", 1)});
  plan.services[0].checks.pop_back();
  plan.services[0].completion = Completion{};
  Started world(plan);
  world.run_for(10s);
  world.crash("batch", 0, 1);
  const auto starts = [&] { return count_of(world, Op::start); };
  ASSERT_TRUE(world.run_until([&] { return starts() == 2; }, 30s));
  world.kill_engine();
  world.crash("batch", 0, 0);
  world.boot();
  world.run_for(10min);
  EXPECT_EQ(starts(), 2U);
  EXPECT_EQ(known(world, "batch").locks.size(), 1U);
}

// Started again by hand it may be done before it was proved well: that proves it.
TEST(Completion, InTheMiddleOfItsProofIsProof) {
  Plan plan = plan_of({web("batch", 1)});
  plan.services[0].completion = Completion{};
  plan.services[0].checks.back().policy.success_threshold = 100;
  Started world(plan);
  world.crash("batch", 0, 0);
  world.run_for(30s);
  EXPECT_EQ(world.status("batch"), Status::healthy);
  EXPECT_TRUE(world.durable().actions.empty());
  EXPECT_EQ(known(world, "batch").incident, 0U);
}

}  // namespace
}  // namespace homeostat::sim
