// Stories of operators who get in the way, and of gates.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

void ask(World& world, Verb verb, Slot slot = kWhole, const std::string& version = {}) {
  Operator in;
  in.verb = verb;
  in.service = "web";
  in.slot = slot;
  in.version = version;
  in.by = "test";
  world.input(in);
}

ServicePlan released(std::uint32_t instances) {
  ServicePlan service = web("web", instances);
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = 2s;
  return service;
}

TEST(Operator, StopsInTheMiddleOfARepairAtOnce) {
  ServicePlan service = web("web", 1);
  service.checks[1].policy.startup_grace = 60s;
  Started world(plan_of({service}));
  world.release_behaves("", Behaviour::refuse);
  world.crash("web", 0);
  world.run_for(1s);
  ASSERT_FALSE(world.durable().actions.empty()) << "being verified";
  ask(world, Verb::stop);
  ASSERT_TRUE(world.run_until([&] { return !world.running("web", 0); }, 100ms));
  world.run_for(1h);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_TRUE(world.durable().actions.empty());
}

TEST(Operator, StopsInTheMiddleOfADeploymentAndItStaysStopped) {
  Started world(plan_of({released(2)}));
  ask(world, Verb::deploy, kWhole, "v2");
  world.run_for(20ms);
  ask(world, Verb::stop);
  world.run_for(10min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_FALSE(world.running("web", 1));
  EXPECT_FALSE(world.durable().services.at("web").operation);
}

TEST(Operator, AStoppedInstanceStaysStoppedThroughADeployment) {
  Started world(plan_of({released(2)}));
  ask(world, Verb::stop, 1);
  world.run_for(1s);
  ask(world, Verb::deploy, kWhole, "v2");
  world.run_for(20s);
  EXPECT_EQ(world.version("web", 0), "v2");
  EXPECT_FALSE(world.running("web", 1));
  ask(world, Verb::start, 1);
  world.run_for(5s);
  EXPECT_EQ(world.version("web", 1), "v2") << "what is deployed is what is started";
}

TEST(Operator, ADeploymentOfAStoppedServiceStartsNothing) {
  Started world(plan_of({released(2)}));
  ask(world, Verb::stop);
  world.run_for(1s);
  ask(world, Verb::deploy, kWhole, "v2");
  world.run_for(20s);
  EXPECT_FALSE(world.running("web", 0));
  ask(world, Verb::start);
  world.run_for(5s);
  EXPECT_EQ(world.version("web", 0), "v2");
}

TEST(Operator, ANewerDeploymentIsNotToldOfTheOldOnesSteps) {
  Started world(plan_of({released(2)}));
  ask(world, Verb::deploy, kWhole, "v2");
  world.run_for(15ms);
  ask(world, Verb::deploy, kWhole, "v3");
  world.run_for(30s);
  EXPECT_EQ(world.version("web", 0), "v3");
  EXPECT_EQ(world.version("web", 1), "v3");
}

TEST(Operator, StartsOneOfAStoppedService) {
  Started world(plan_of({web("web", 2)}));
  ask(world, Verb::stop);
  world.run_for(1s);
  ask(world, Verb::start, 1);
  world.run_for(5s);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_TRUE(world.running("web", 1));
}

TEST(Operator, StartsByHandWhileEverythingIsPaused) {
  Started world(plan_of({web("web", 1)}));
  ask(world, Verb::stop);
  world.run_for(1s);
  ask(world, Verb::pause);
  ask(world, Verb::start);
  ASSERT_TRUE(world.run_until([&] { return world.running("web", 0); }, 1s));
}

TEST(Operator, ActionsOfOnesOwnCostNoBudget) {
  Started world(plan_of({web("web", 1)}));
  for (int i = 0; i < 5; ++i) {
    ask(world, Verb::restart);
    world.run_for(5s);
  }
  EXPECT_EQ(world.effects().size(), 1U + 5 * 2);
  EXPECT_TRUE(world.durable().disruptions.empty());
}

TEST(Operator, StopsWhatIsLockedAndTheJournalStaysQuiet) {
  Started world(plan_of({web("web", 1)}));
  world.runtime_silent(true);
  ask(world, Verb::restart);
  world.run_until([&] { return !world.durable().services.at("web").locks.empty(); }, 15min);
  world.runtime_silent(false);
  ask(world, Verb::stop);
  const std::size_t records = world.records().size();
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_LT(world.records().size(), records + 50);
}

TEST(Operator, StopsAnExternalServiceEvenIfARepairIsUnderWay) {
  ServicePlan service = web("web", 1);
  service.runtime.managed = false;
  service.checks.erase(service.checks.begin());
  WorldOptions slow;
  slow.start_delay = 2s;
  Started world(plan_of({service}), slow);
  world.behave("web", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return !world.effects().empty(); }, 10s));
  ask(world, Verb::stop);
  world.run_for(10s);
  EXPECT_EQ(world.effects().back().op, Op::stop);
}

TEST(Operator, AProcessThatEndsWhenItShouldNotRunIsStoppedNotFailed) {
  WorldOptions slow;
  slow.journal_delay = 50ms;
  Started world(plan_of({web("web", 1)}), slow);
  ask(world, Verb::stop);
  world.crash("web", 0);
  world.run_for(5s);
  ask(world, Verb::start);
  world.run_for(5s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_TRUE(world.durable().incidents.empty());
}

TEST(Shadow, ARollbackChangesNothing) {
  ServicePlan service = released(1);
  RungPlan rollback = rung(StrategyKind::rollback);
  rollback.when.changed_within = 15min;
  service.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), rollback); });
  service.mode = Mode::shadow;
  Started world(plan_of({service}));
  world.run_for(5s);
  world.release_behaves("bad", Behaviour::error500);
  ask(world, Verb::deploy, kWhole, "bad");
  world.run_for(1min);
  EXPECT_EQ(world.version("web", 0), "bad");
  EXPECT_EQ(world.engine().wanted_version(0, 0), "bad");
  EXPECT_FALSE(world.durable().services.at("web").quarantined.contains("bad"));
}

TEST(Gate, AFileThatAppearsLetsTheRepairHappenAndTheWaitingIsWrittenOnce) {
  ServicePlan service = web("web", 1);
  Prerequisite file;
  file.kind = Prerequisite::Kind::file_exists;
  file.text = "/srv/enabled exists";
  file.probe = 0;
  service.prerequisites = {file};
  Started world(plan_of({service}));
  world.file_exists(false);
  world.run_for(5s);
  world.crash("web", 0);
  world.run_for(10min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_LE(world.all<Held>().size(), 5U);
  world.file_exists(true);
  ASSERT_TRUE(world.run_until([&] { return world.running("web", 0); }, 3s));
}

TEST(Gate, TheDependencyComesFirst) {
  Plan plan = plan_of({web("db", 1), web("web", 1)});
  plan.services[1].depends_on = {0};
  Started world(plan);
  world.fail_starts("db", true);
  world.crash("db", 0);
  world.crash("web", 0);
  world.run_for(10s);
  EXPECT_FALSE(world.running("web", 0));
  world.fail_starts("db", false);
  ask(world, Verb::check);
  world.run_for(10min);
  EXPECT_EQ(world.status("db"), Status::healthy);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Gate, ARollingRestartBeginsWithWhatIsDown) {
  ServicePlan service = web("web", 3);
  service.ladder.change([&](auto& rungs) { rungs[0].reach = Reach::rolling; });
  Started world(plan_of({service}));
  world.behave("web", 1, Behaviour::error500);
  world.run_for(30s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_FALSE(world.durable().services.at("web").operation);
}

TEST(Gate, AnotherInstanceThatFailsBetweenIntentAndDispatchHoldsIt) {
  WorldOptions slow;
  slow.journal_delay = 200ms;
  Started world(plan_of({web("web", 2)}), slow);
  world.run_for(10s);
  ask(world, Verb::restart, 0);
  world.run_for(10ms);
  world.fail_starts("web", true);
  world.crash("web", 1);
  world.run_for(20s);
  EXPECT_TRUE(world.running("web", 0)) << "it is the last healthy one";
}

// The verdict on what was dead stands until its recovery is verified; it is no verdict on what was started instead.
TEST(Operators, RestartOfWhatIsDownIsJudgedByWhatIsSeenAfterwards) {
  Started world(plan_of({web()}));
  Operator in;
  in.verb = Verb::pause;
  in.service = "web";
  in.by = "test";
  world.input(in);
  world.crash("web", 0);
  world.run_for(5s);
  in.verb = Verb::restart;
  world.input(in);
  world.run_for(1min);
  const auto moves = world.all<OperationMoved>();
  ASSERT_FALSE(moves.empty());
  EXPECT_EQ(moves.back().phase, OperationPhase::done) << moves.back().detail;
  EXPECT_TRUE(world.running("web", 0));
}

}  // namespace
}  // namespace homeostat::sim
