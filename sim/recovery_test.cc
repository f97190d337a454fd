// Stories of Homeostat's own death: at every point of a long story, and what a journal that fails does.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

void ask(World& world, Verb verb, const std::string& version = {}) {
  Operator in;
  in.verb = verb;
  in.service = "web";
  in.version = version;
  in.by = "test";
  world.input(in);
}

Plan story_plan() {
  ServicePlan service = web("web", 2);
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = 2s;
  RungPlan rollback = rung(StrategyKind::rollback);
  rollback.when.changed_within = 15min;
  service.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), rollback); });
  return plan_of({service});
}

// Plays a story of everything; ends it early when `stop_at` records have been written.
void play(World& world, std::size_t stop_at) {
  const auto until = [&](Duration span) {
    return world.run_until([&] { return world.records().size() >= stop_at; }, span);
  };
  world.release_behaves("bad", Behaviour::error500);
  world.boot();
  if (until(5s)) return;
  world.crash("web", 0);
  if (until(5s)) return;
  world.behave("web", 1, Behaviour::error500);
  if (until(10s)) return;
  ask(world, Verb::deploy, "v2");
  if (until(10s)) return;
  ask(world, Verb::deploy, "bad");
  if (until(20s)) return;
  ask(world, Verb::restart);
  until(10s);
}

std::string done_twice(const World& world) {
  std::map<std::pair<CommandId, bool>, int> count;
  for (const Effect& effect : world.effects()) {
    if (++count[{effect.id, effect.op == Op::stop}] > 1) return effect.service + "/" + std::to_string(effect.slot);
  }
  return {};
}

TEST(Recovery, AtEveryRecordOfALongStory) {
  World whole(story_plan());
  play(whole, SIZE_MAX);
  ASSERT_GT(whole.records().size(), 100U);
  for (std::size_t n = 1; n <= whole.records().size(); ++n) {
    World world(story_plan());
    play(world, n);
    world.kill_engine();
    world.boot();
    EXPECT_EQ(world.replayed().fold(), world.durable().fold()) << n;
    world.run_for(40min);
    EXPECT_TRUE(world.violations().empty()) << n;
    EXPECT_EQ(done_twice(world), "") << n;
    EXPECT_EQ(world.status("web"), Status::healthy) << n;
    EXPECT_TRUE(world.durable().actions.empty()) << n;
    EXPECT_EQ(world.durable().services.at("web").incident, 0U) << n;
    std::map<CommandId, int> outcomes;
    for (const Outcome& outcome : world.all<Outcome>()) ++outcomes[outcome.id];
    for (const Intent& intent : world.all<Intent>()) EXPECT_EQ(outcomes[intent.id], 1) << n << " " << intent.strategy;
  }
}

TEST(Recovery, ADeploymentGoesOnThoughItsStepWasCutInTwo) {
  WorldOptions slow;
  slow.journal_delay = 20ms;
  Started world(story_plan(), slow);
  ask(world, Verb::deploy, "v2");
  world.run_for(22ms);  // stopped, not started yet
  world.kill_engine();
  world.boot();
  world.run_for(20s);
  EXPECT_EQ(world.version("web", 0), "v2") << "the deployment goes on";
  EXPECT_EQ(world.version("web", 1), "v2");
}

TEST(Recovery, AnExecHookIsDoneOnceAndItsTargetLocked) {
  ServicePlan service = web("web", 1);
  service.runtime.managed = false;
  service.checks.erase(service.checks.begin());
  RungPlan hook = rung(StrategyKind::exec);
  hook.name = "hook";
  service.ladder = {hook, rung(StrategyKind::escalate)};
  Started world(plan_of({service}));
  world.behave("web", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return !world.effects().empty(); }, 10s));
  world.kill_engine();
  world.boot();
  world.run_for(5min);
  EXPECT_EQ(world.effects().size(), 1U);
  EXPECT_TRUE(world.durable().services.at("web").locks.contains(0));
  EXPECT_GT(world.notifications(), 0U);
  world.behave("web", 0, Behaviour::well);
  world.run_for(10s);
  EXPECT_FALSE(world.durable().services.at("web").locks.contains(0)) << "seen well again";
}

TEST(Recovery, ALockOfAHealthyInstanceIsReleasedOnlyByWhatIsSeenSince) {
  Started world(plan_of({web("web", 2)}));
  world.runtime_silent(true);
  ask(world, Verb::restart);
  ASSERT_TRUE(world.run_until([&] { return !world.durable().services.at("web").locks.empty(); }, 15min));
  world.runtime_silent(false);
  world.run_for(10s);
  EXPECT_TRUE(world.durable().services.at("web").locks.empty());
}

TEST(Recovery, AServiceThatLeftTheConfigurationMeanwhileIsWithdrawn) {
  Started world(plan_of({web("web", 1), web("gone", 1)}));
  world.fail_starts("gone", true);
  world.crash("gone", 0);
  world.run_for(5s);
  world.kill_engine();
  world.replace_plan(plan_of({web("web", 1)}));
  world.boot();
  world.run_for(1min);
  EXPECT_EQ(world.durable().services.at("gone").incident, 0U);
  EXPECT_TRUE(world.durable().services.at("gone").instances.empty());
  EXPECT_TRUE(world.durable().actions.empty());
}

TEST(Journal, AStallOfMoreThanFiveSecondsMeansObserveOnlyAndAHuman) {
  Started world(plan_of({web("web", 1)}));
  const std::size_t effects = world.effects().size();
  world.journal_stalls(true);
  world.crash("web", 0);
  world.run_for(4s);
  EXPECT_EQ(world.notifications(), 0U);
  world.run_for(2s);
  EXPECT_FALSE(world.engine().state().observe_only.empty());
  EXPECT_EQ(world.notifications(), 1U);
  world.journal_stalls(false);
  world.run_for(10min);
  EXPECT_EQ(world.effects().size(), effects);
  EXPECT_LT(world.records().size(), 300U) << "no endless asking and refusing";
}

TEST(Journal, ThatFailsLetsAnOperatorsStopWaitQuietly) {
  Started world(plan_of({web("web", 1)}));
  world.input(JournalFailed{"disk"});
  ask(world, Verb::stop);
  world.run_for(10min);
  EXPECT_TRUE(world.running("web", 0));
  EXPECT_LT(world.records().size(), 100U);
}

TEST(Defect, StopsActingAndGoesOnObserving) {
  Started world(plan_of({web("web", 1), web("other", 1)}));
  // As if the memory or a snapshot were damaged: an action under way that was never written down.
  auto& state = const_cast<State&>(world.engine().state());
  state.services[0].places[0].action = Acting{CommandId{77, 1}};
  world.behave("web", 0, Behaviour::error500);
  world.run_for(10s);
  EXPECT_NE(state.observe_only.find("a defect of Homeostat"), std::string::npos) << state.observe_only;
  EXPECT_GT(world.notifications(), 0U) << "somebody is called";
  const std::size_t effects = world.effects().size();
  const std::size_t probes = world.probes("web");
  world.crash("other", 0);
  world.run_for(1min);
  EXPECT_EQ(world.effects().size(), effects) << "nothing is done any more";
  EXPECT_GT(world.probes("web"), probes + 30) << "it goes on looking";
  EXPECT_EQ(world.status("other"), Status::unhealthy) << "and says what it sees";
  EXPECT_TRUE(world.durable().services.at("other").holds.contains(0));
}

TEST(Defect, TimeThatGoesBackwardsStopsActing) {
  Started world(plan_of({web("web", 1)}));
  auto& engine = const_cast<Engine&>(world.engine());
  Commands out;
  engine.step(Tick{}, world.now() - 1h, out);
  EXPECT_TRUE(engine.state().defect);
  EXPECT_TRUE(std::ranges::any_of(out.records, [&](const Record& record) {
    const auto* caution = std::get_if<CautionChanged>(&record.body);
    return caution != nullptr && caution->on && record.at >= world.now() - 1min;
  }));
}

TEST(Defect, ADamagedSnapshotIsRefused) {
  Started world(plan_of({web("web", 1), web("other", 2)}));
  auto& state = const_cast<State&>(world.engine().state());
  Engine fresh;
  ASSERT_TRUE(fresh.load(world.engine().save(), world.plan()));
  state.services[1].places[0].targets.count = 1000;
  EXPECT_FALSE(fresh.load(world.engine().save(), world.plan()));
  state.services[1].places[0].targets.count = 2;
  state.targets[0].service = 7;
  EXPECT_FALSE(fresh.load(world.engine().save(), world.plan()));
}

TEST(Notifier, IsTriedUntilItSucceedsAlsoAcrossAKill) {
  Started world(plan_of({web("web", 1)}));
  world.notifier_fails(true);
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.run_for(5min);
  EXPECT_GT(world.notifications(), 3U);
  world.kill_engine();
  world.notifier_fails(false);
  const std::size_t before = world.notifications();
  world.boot();
  world.run_for(5min);  // its breaker may be open, also after the kill
  EXPECT_EQ(world.notifications(), before + 1);
  world.run_for(10min);
  EXPECT_EQ(world.notifications(), before + 1);
}

TEST(Notifier, WhoseEndIsNeverReportedIsRunAgain) {
  Started world(plan_of({web("web", 1)}));
  world.notifier_silent(true);
  world.fail_starts("web", true);
  world.crash("web", 0);
  ASSERT_TRUE(world.run_until([&] { return world.notifications() > 0; }, 1min));
  world.run_for(3min);
  EXPECT_GT(world.notifications(), 1U);
  EXPECT_FALSE(world.durable().escalations.begin()->second.notified);
  world.notifier_silent(false);
  world.run_for(5min);
  EXPECT_TRUE(world.durable().escalations.begin()->second.notified);
  const std::size_t told = world.notifications();
  world.run_for(10min);
  EXPECT_EQ(world.notifications(), told);
}

}  // namespace
}  // namespace homeostat::sim
