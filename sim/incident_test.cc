// Stories of incidents, downtime and the service's status.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

void ask(World& world, Verb verb, const std::string& service, Slot slot = kWhole) {
  Operator in;
  in.verb = verb;
  in.service = service;
  in.slot = slot;
  in.by = "test";
  world.input(in);
}

const ServiceState& web_state(const World& world) { return world.durable().services.at("web"); }

TEST(Downtime, RunsFromTheFirstFailureToTheFirstSuccess) {
  Started world(plan_of({web("web", 1)}));
  world.fail_starts("web", true);
  const Instant crashed = world.now();
  world.crash("web", 0);
  world.run_for(2s);
  world.fail_starts("web", false);
  ASSERT_TRUE(world.run_until([&] { return world.running("web", 0); }, 2min));
  const Instant started = world.now();
  world.run_for(10s);
  ASSERT_EQ(web_state(world).downs.size(), 1U);
  EXPECT_EQ(web_state(world).downs[0].from, crashed);
  EXPECT_GE(web_state(world).downs[0].to, started);
  EXPECT_LE(web_state(world).downs[0].to, started + 20ms);
}

TEST(Downtime, BeginsWhenTooFewAreLeftAndNotBefore) {
  ServicePlan service = web("web", 3);
  service.min_healthy = 2;
  Started world(plan_of({service}));
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.run_for(5s);
  EXPECT_EQ(world.status("web"), Status::degraded);
  EXPECT_FALSE(web_state(world).down_since);
  const Instant second = world.now();
  world.crash("web", 1);
  world.run_for(100ms);
  EXPECT_EQ(world.status("web"), Status::unhealthy);
  ASSERT_TRUE(web_state(world).down_since);
  EXPECT_EQ(*web_state(world).down_since, second);
}

TEST(Downtime, IsOneOutageThoughHomeostatIsKilledInTheMiddle) {
  Started world(plan_of({web("web", 1)}));
  world.behave("web", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return web_state(world).down_since.has_value(); }, 10s));
  world.run_for(5ms);
  world.kill_engine();
  world.boot();
  world.run_for(30s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_EQ(web_state(world).downs.size(), 1U);
  EXPECT_EQ(world.durable().incidents.size(), 1U);
}

TEST(Downtime, ASlowStartIsNotUnknown) {
  ServicePlan service = web("web", 1);
  service.checks[1].policy.startup_grace = 30s;
  Started world(plan_of({service}));
  world.release_behaves("", Behaviour::refuse);
  world.crash("web", 0);
  world.run_for(10s);
  EXPECT_TRUE(world.running("web", 0));
  EXPECT_EQ(world.status("web"), Status::unhealthy);
  world.behave("web", 0, Behaviour::well);
  world.run_for(5s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_EQ(web_state(world).downs.size(), 1U);
}

TEST(Status, NothingIsClaimedOfWhatCannotBeSeen) {
  ServicePlan service = web("web", 2);
  service.ladder.change([&](auto& rungs) { rungs[0].attempts = 100; });
  Started world(plan_of({service}));
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.behave("web", 1, Behaviour::blind);
  world.run_for(20s);
  EXPECT_EQ(world.status("web"), Status::unknown);
}

TEST(Incident, ReopensWithinTenMinutesAtTheSameRung) {
  Started world(plan_of({web("web", 1)}));
  world.crash("web", 0);
  world.run_for(1min);
  world.crash("web", 0);
  world.run_for(1min);
  EXPECT_EQ(world.durable().incidents.size(), 1U);
  EXPECT_EQ(world.durable().incidents.begin()->second.reopened, 1U);
  EXPECT_EQ(web_state(world).ladders.at(0).attempts, 2U);
  world.run_for(15min);
  world.crash("web", 0);
  world.run_for(1min);
  EXPECT_EQ(world.durable().incidents.size(), 2U) << "too late to reopen";
  EXPECT_EQ(web_state(world).ladders.at(0).attempts, 3U) << "too early to forget";
  world.run_for(31min);
  world.crash("web", 0);
  world.run_for(1min);
  EXPECT_EQ(web_state(world).ladders.at(0).attempts, 1U);
}

TEST(Incident, ClosesWhenItsLastFailingInstanceIsStopped) {
  Started world(plan_of({web("web", 2)}));
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.run_for(5s);
  ask(world, Verb::stop, "web", 0);
  world.run_for(5s);
  EXPECT_EQ(web_state(world).incident, 0U);
  EXPECT_EQ(world.durable().incidents.begin()->second.ending, Ending::stopped);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Incident, RecoveredByItselfWhileAnApprovalIsWaitedFor) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].mode = Mode::approve;
  Started world(plan);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(10s);
  ASSERT_EQ(world.durable().actions.size(), 1U);
  const CommandId id = world.durable().actions.begin()->first;
  world.behave("web", 0, Behaviour::well);
  world.run_for(10s);
  EXPECT_TRUE(world.durable().actions.empty());
  EXPECT_EQ(world.durable().incidents.begin()->second.ending, Ending::by_itself);
  for (const Outcome& outcome : world.all<Outcome>()) {
    if (outcome.id == id) {
      EXPECT_EQ(outcome.outcome, OutcomeKind::not_started);
    }
  }
}

TEST(Approval, WaitsAndIsDispatchedOnce) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].mode = Mode::approve;
  Started world(plan);
  world.behave("web", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return !world.durable().actions.empty(); }, 10s));
  // Approved before the journal has confirmed that anybody was asked.
  Operator in;
  in.verb = Verb::approve;
  in.id = world.durable().actions.begin()->first;
  in.by = "test";
  world.input(in);
  world.run_for(10s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_TRUE(world.violations().empty());
}

TEST(Approval, ThatNobodyGivesExpiresAndCallsAHumanAndTheLadderGoesOn) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].mode = Mode::approve;
  plan.services[0].ladder = {rung(StrategyKind::restart, 1), rung(StrategyKind::escalate)};
  plan.services[0].ladder.change([&](auto& rungs) { rungs[1].name = "manager"; });
  plan.notifiers = {{"oncall"}, {"manager"}};
  Started world(plan);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(29min);
  EXPECT_EQ(world.notifications(), 1U) << "of what waits for the approval";
  world.run_for(5min);
  std::set<std::string> called;
  for (const Escalated& escalated : world.all<Escalated>()) called.insert(escalated.notifier);
  EXPECT_EQ(called, (std::set<std::string>{"manager", "oncall"}));
}

TEST(Ladder, SpentWithoutARungThatCallsAnybodyStillCalls) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].ladder = {rung(StrategyKind::restart, 2)};
  Started world(plan);
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.run_for(2min);
  EXPECT_EQ(world.notifications(), 1U);
}

TEST(Verification, IsWaitedForWhileAnswersAreGood) {
  ServicePlan service = web("web", 1);
  for (CheckPlan& check : service.checks) check.policy.startup_grace = {};
  WorldOptions slow;
  slow.probe_delay = 400ms;
  Started world(plan_of({service}), slow);
  world.crash("web", 0);
  world.run_for(30s);
  for (const Verified& verified : world.all<Verified>()) EXPECT_TRUE(verified.ok);
  EXPECT_EQ(world.effects().size(), 2U);
}

}  // namespace
}  // namespace homeostat::sim
