// Stories of repair: what fails, what is done about it, in which order.
#include <gtest/gtest.h>

#include <set>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

std::size_t starts_of(const World& world, const std::string& service) {
  std::size_t n = 0;
  for (const Effect& effect : world.effects()) n += effect.service == service && effect.op != Op::stop ? 1 : 0;
  return n;
}

TEST(Repair, BringsUpWhatShouldRun) {
  const Started world(plan_of({web()}));
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_EQ(starts_of(world, "web"), 2U);
  EXPECT_TRUE(world.durable().incidents.empty());
}

TEST(Repair, CrashedInstanceIsStartedAtOnceAndVerified) {
  Started world(plan_of({web()}));
  const Instant crashed = world.now();
  world.crash("web", 0);
  ASSERT_TRUE(world.run_until([&] { return world.running("web", 0); }, 1s));
  EXPECT_LT(world.now() - crashed, 10ms);
  EXPECT_EQ(world.status("web"), Status::degraded);
  world.run_for(3s);
  EXPECT_EQ(world.status("web"), Status::healthy);
  const auto closed = world.all<IncidentClosed>();
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].how, Ending::recovered);
  const auto verified = world.all<Verified>();
  ASSERT_FALSE(verified.empty());
  EXPECT_TRUE(verified.back().ok);
}

TEST(Repair, ErrorAnswersAreConfirmedFastThenRestarted) {
  Started world(plan_of({web()}));
  const Instant broken = world.now();
  world.behave("web", 1, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return starts_of(world, "web") == 3; }, 10s));
  EXPECT_LE(world.now() - broken, 1s + 2 * 150ms + 50ms);
  world.run_for(5s);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Repair, HangIsATimeoutAndIsRestarted) {
  Started world(plan_of({web()}));
  world.behave("web", 1, Behaviour::hang);
  ASSERT_TRUE(world.run_until([&] { return starts_of(world, "web") == 3; }, 10s));
  world.run_for(5s);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Repair, CrashLoopBacksOffAndEscalates) {
  Started world(plan_of({web("web", 1)}));
  world.dies_after_start("web", 400ms);
  world.crash("web", 0);
  ASSERT_TRUE(world.run_until([&] { return world.notifications() > 0; }, 2min));
  EXPECT_EQ(starts_of(world, "web"), 1U + 3U);
  EXPECT_EQ(world.status("web"), Status::critical);
  // It goes on trying, slowly, for ever.
  world.run_for(30min);
  EXPECT_GT(starts_of(world, "web"), 6U);
  EXPECT_LT(starts_of(world, "web"), 40U);
  EXPECT_EQ(world.durable().escalations.size(), 1U);
}

TEST(Repair, RestartThatDoesNotHelpIsRepeatedThenEscalated) {
  Started world(plan_of({web("web", 1)}));
  world.release_behaves("", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return world.notifications() > 0; }, 5min));
  EXPECT_EQ(starts_of(world, "web"), 4U);
  const auto verified = world.all<Verified>();
  ASSERT_GE(verified.size(), 4U);
  EXPECT_FALSE(verified.back().ok);
}

TEST(Repair, BudgetHoldsRepeatedRestartsOfLiveProcesses) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].budget = Budget{2, 0, 10min};
  plan.services[0].ladder = {rung(StrategyKind::restart, 10), rung(StrategyKind::escalate)};
  Started world(plan);
  world.release_behaves("", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(9min);
  EXPECT_EQ(starts_of(world, "web"), 1U + 2U);
  ASSERT_FALSE(world.durable().services.at("web").holds.empty());
  EXPECT_EQ(world.durable().services.at("web").holds.begin()->second.gate, "budget");
  world.run_for(3min);
  EXPECT_GT(starts_of(world, "web"), 3U);
}

std::set<std::string> in_vain(const World& world) {
  std::set<std::string> keys;
  for (const auto& [key, tries] : world.durable().services.at("web").in_vain) keys.insert(key);
  return keys;
}

TEST(Repair, InVainIsCountedByTheCheckAndHowItFails) {
  Started world(plan_of({web("web", 1)}));
  world.release_behaves("", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(1min);
  EXPECT_EQ(in_vain(world), (std::set<std::string>{"restart against http: wrong_status"}));
  world.release_behaves("", Behaviour::hang);
  world.behave("web", 0, Behaviour::hang);
  world.run_for(20min);
  EXPECT_TRUE(in_vain(world).contains("restart against http: timed_out"));
  EXPECT_EQ(world.all<Intent>().back().against, "http: timed_out");
}

TEST(Repair, InVainIsCountedByHowAProcessEnds) {
  ServicePlan service = web("web", 1);
  service.ladder = {rung(StrategyKind::restart, 9), rung(StrategyKind::escalate)};
  Started world(plan_of({service}));
  world.crash("web", 0, 3);
  world.run_until([&] { return world.running("web", 0); }, 1s);
  EXPECT_EQ(world.all<Intent>().back().against, "process: exited 3");
  world.run_for(1min);
  world.crash("web", 0, 9, true);
  world.run_until([&] { return world.running("web", 0); }, 1min);
  EXPECT_EQ(world.all<Intent>().back().against, "process: signalled 9");
  world.run_for(1min);
  world.fail_starts("web", true);
  world.crash("web", 0, 4);
  world.run_for(5min);
  EXPECT_EQ(world.all<Intent>().back().against, "process") << "it did not even start: that is not how it ended before";
}

TEST(Repair, OfKindsOfFailureTheOldestMakesRoom) {
  Durable durable;
  IncidentFailing failing;
  failing.incident = 1;
  failing.service = "web";
  failing.slot = 0;
  failing.check = "http";
  std::uint64_t seq = 0;
  const auto apply = [&](Body body) {
    ++seq;
    durable.apply({seq, Instant(std::chrono::seconds(seq)), 1, std::move(body)});
  };
  apply(failing);
  const auto try_against = [&](std::uint64_t n, const std::string& kind) {
    Intent intent;
    intent.id = {1, n};
    intent.service = "web";
    intent.slot = 0;
    intent.strategy = "restart";
    intent.incident = 1;
    intent.against = kind;
    apply(intent);
    apply(Outcome{intent.id, "web", 0, OutcomeKind::failed, ""});
  };
  try_against(0, "");  // of a journal that names the check alone
  const auto& known = durable.services.at("web").in_vain;
  ASSERT_TRUE(known.contains("restart against http"));
  for (std::uint64_t n = 1; n < kKindsOfFailure; ++n) try_against(n, "http: exit_code " + std::to_string(n));
  EXPECT_EQ(known.size(), kKindsOfFailure);
  EXPECT_TRUE(known.contains("restart against http"));
  try_against(99, "http: timed_out");
  EXPECT_EQ(known.size(), kKindsOfFailure);
  EXPECT_FALSE(known.contains("restart against http"));
  EXPECT_TRUE(known.contains("restart against http: timed_out"));
}

// What follows `instances_failing` in a condition is asked for as well.
TEST(Repair, AllThatARungAsksForMustHold) {
  ServicePlan service = web("web", 1);
  RungPlan killed = rung(StrategyKind::restart);
  killed.when.failing_above = 50;
  killed.when.killed_by = 9;
  service.ladder = {killed, rung(StrategyKind::restart, 3), rung(StrategyKind::escalate)};
  Started world(plan_of({service}));
  world.crash("web", 0, 1);
  world.run_for(20s);
  ASSERT_EQ(world.all<Skipped>().size(), 1U);
  EXPECT_EQ(world.all<Skipped>().front().reason, "it was not killed by signal 9");
}

TEST(Repair, StoppedByAnOperatorStaysStopped) {
  Started world(plan_of({web()}));
  Operator stop;
  stop.verb = Verb::stop;
  stop.service = "web";
  stop.by = "test";
  world.input(stop);
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0));
  world.kill_engine();
  world.boot();
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_TRUE(world.durable().incidents.empty());
}

TEST(Repair, EndingInOrderStopsWhatIsMeantToEndWithIt) {
  ServicePlan ends = web("ends");
  ends.runtime.stop_on_shutdown = true;
  Started world(plan_of({ends, web("stays")}));
  Operator end;
  end.verb = Verb::shutdown;
  world.input(end);
  world.run_for(1s);
  EXPECT_FALSE(world.running("ends", 0));
  EXPECT_FALSE(world.running("ends", 1));
  EXPECT_TRUE(world.running("stays", 0));
  EXPECT_EQ(world.all<Intent>().size(), 4U + 2U);
  world.run_for(1min);
  EXPECT_EQ(world.all<Intent>().size(), 4U + 2U);
}

TEST(Repair, KilledEngineAdoptsAndNeverStartsTwice) {
  Started world(plan_of({web()}));
  world.kill_engine();
  world.boot();
  world.run_for(10s);
  EXPECT_EQ(starts_of(world, "web"), 2U);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

TEST(Repair, PauseHoldsAndItsEndReleases) {
  Started world(plan_of({web()}));
  Operator pause;
  pause.verb = Verb::pause;
  pause.length = 1min;
  pause.by = "test";
  world.input(pause);
  world.crash("web", 0);
  world.run_for(50s);
  EXPECT_FALSE(world.running("web", 0));
  world.run_for(20s);
  EXPECT_TRUE(world.running("web", 0));
}

TEST(Repair, ShadowDecidesButDoesNothing) {
  Plan plan = plan_of({web()});
  plan.shadow = true;
  Started world(plan);
  world.crash("web", 0);
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_EQ(starts_of(world, "web"), 2U);
  EXPECT_EQ(world.notifications(), 0U);
  bool decided = false;
  for (const Intent& intent : world.all<Intent>()) decided = decided || intent.mode == Mode::shadow;
  EXPECT_TRUE(decided);
}

// What a rolling repair has restarted may fail again, and then hold up the rest of it for ever.
TEST(Repair, OfWhatFailsAgainDoesNotWaitForTheRollingOne) {
  ServicePlan service = web("web", 3);
  service.ladder = {rung(StrategyKind::restart, 1), rung(StrategyKind::escalate)};
  service.ladder.change([&](auto& rungs) { rungs[0].reach = Reach::rolling; });
  service.budget.max_actions = 1;
  Started world(plan_of({service}));
  world.crash("web", 0);
  world.run_for(2s);  // 0 and 1 are done, 2 waits for the budget
  ASSERT_TRUE(world.durable().services.at("web").operation);
  world.crash("web", 0);
  world.crash("web", 1);
  world.run_for(15min);
  for (Slot slot = 0; slot < 3; ++slot) EXPECT_TRUE(world.running("web", slot)) << slot;
  EXPECT_FALSE(world.durable().services.at("web").operation);
  EXPECT_EQ(world.status("web"), Status::healthy);
}

}  // namespace
}  // namespace homeostat::sim
