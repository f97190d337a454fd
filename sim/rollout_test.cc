// Stories of rollouts: a good release promoted, bad ones taken back, Homeostat killed at every point.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine.hpp"
#include "sim/rollout_story.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;
using rollout::GateResult;
using rollout::Phase;

ServicePlan staged(rollout::Policy policy, std::uint32_t surge = 1) {
  policy.surge = surge;
  return released(RolloutPlan{std::move(policy)});
}

TEST(RolloutStory, AGoodReleaseIsPromotedStageByStage) {
  Started world(plan_of({staged(two_stages())}));
  ASSERT_EQ(running(world, "v1"), 3);
  ask(world, Verb::deploy, "v2");
  int least = 9;
  bool beside = false;
  ASSERT_TRUE(world.run_until(
      [&] {
        least = std::min(least, running(world, "v1") + running(world, "v2"));
        beside = beside || (running(world, "v1") == 3 && running(world, "v2") == 1);
        return state_of(world).phase == Phase::promoted;
      },
      5min));
  EXPECT_EQ(least, 3) << "never fewer than are needed";
  EXPECT_TRUE(beside);
  world.run_for(1s);
  EXPECT_EQ(running(world, "v2"), 3);
  EXPECT_EQ(running(world, "v1"), 0);
  EXPECT_EQ(state_of(world).passed.size(), 2U);
  EXPECT_EQ(world.durable().services.at("web").version, "v2");
  EXPECT_EQ(world.durable().services.at("web").stable.back(), "v2");
  EXPECT_TRUE(world.durable().incidents.empty());
  EXPECT_TRUE(world.violations().empty());
}

TEST(RolloutStory, ABadReleaseIsTakenBackWithoutAnIncidentAndQuarantined) {
  Started world(plan_of({staged(two_stages())}));
  world.release_behaves("bad", Behaviour::error500);
  ask(world, Verb::deploy, "bad");
  ASSERT_TRUE(ends(world, Phase::rolled_back));
  world.run_for(1s);
  EXPECT_EQ(running(world, "v1"), 3);
  EXPECT_EQ(running(world, "bad"), 0);
  EXPECT_NE(state_of(world).harm.find("fails: answered 500"), std::string::npos) << state_of(world).harm;
  EXPECT_TRUE(world.durable().services.at("web").quarantined.contains("bad"));
  EXPECT_TRUE(world.durable().incidents.empty()) << "a canary is no case for the ladder";
  EXPECT_EQ(world.notifications(), 1U);
  ask(world, Verb::deploy, "bad");
  world.run_for(5s);
  EXPECT_EQ(running(world, "bad"), 0) << "a quarantined release needs force";
}

TEST(RolloutStory, WhatGoesBadLaterIsTakenBackInEveryStage) {
  for (const auto phase : {Phase::baking, Phase::watching}) {
    Started world(plan_of({staged(two_stages())}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, phase));
    for (Slot slot = 0; slot < 4; ++slot) {
      if (world.version("web", slot) == "v2") world.behave("web", slot, Behaviour::error500);
    }
    ASSERT_TRUE(ends(world, Phase::rolled_back)) << static_cast<int>(phase);
    world.run_for(10s);
    EXPECT_EQ(running(world, "v1"), 3);
    EXPECT_EQ(world.status("web"), Status::healthy);
  }
}

// Suspended, say: nobody has looked since it began, so that all of it counts for nothing, what is looked at anew as
// well.
TEST(RolloutStory, AJumpOfTimeIsNoBake) {
  Started world(plan_of({staged(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.input(Gap{1h});
  EXPECT_EQ(world.engine().state().unsure_since, world.now() - 1h);
  ASSERT_TRUE(world.run_until([&] { return !world.engine().state().tilt_since; }, 2min));
  EXPECT_EQ(state_of(world).stage, 0U);
  world.run_for(9s);
  EXPECT_EQ(state_of(world).stage, 0U);
  EXPECT_TRUE(ends(world, Phase::promoted));
}

TEST(RolloutStory, WithoutASurgeInstancesAreReplacedInPlace) {
  Started world(plan_of({staged(two_stages(), 0)}));
  ask(world, Verb::deploy, "v2");
  int least = 9;
  int most = 0;
  ASSERT_TRUE(world.run_until(
      [&] {
        const int now = running(world, "v1") + running(world, "v2");
        least = std::min(least, now);
        most = std::max(most, now);
        return state_of(world).phase == Phase::promoted;
      },
      5min));
  EXPECT_EQ(least, 2);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(running(world, "v2"), 3);
}

TEST(RolloutStory, NoInstanceIsTakenAwayWhereAnotherHasFailedSinceThatWasDecided) {
  WorldOptions slow;
  slow.journal_delay = 100ms;
  Started world(plan_of({staged(two_stages(), 0)}), slow);
  ask(world, Verb::deploy, "v2");
  std::optional<Slot> going;
  ASSERT_TRUE(world.run_until(
      [&] {
        for (const Intent& intent : world.all<Intent>()) {
          if (intent.op == Op::stop) going = intent.slot;
        }
        return going.has_value();
      },
      1min));
  world.fail_starts("web", true);
  world.crash("web", *going == 0 ? 1 : 0);
  world.run_for(1min);
  EXPECT_EQ(running(world, "v1"), 2) << "one is down already, and one may be";
  world.fail_starts("web", false);
  ASSERT_TRUE(ends(world, Phase::promoted));
}

TEST(RolloutStory, StepsCostNoBudgetAndWhatPeopleRestartWaitsForThem) {
  ServicePlan service = staged(two_stages(), 0);
  service.budget = Budget{1, 0, 10min};
  Started world(plan_of({service}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(world.run_until([&] { return running(world, "v1") == 2 && running(world, "v2") == 0; }, 1min));
  Operator in;
  in.verb = Verb::restart;
  in.service = "web";
  in.slot = 0;
  in.by = "ada";
  world.input(in);
  int least = 9;
  ASSERT_TRUE(world.run_until(
      [&] {
        least = std::min(least, running(world, "v1") + running(world, "v2"));
        return state_of(world).phase == Phase::promoted;
      },
      5min));
  EXPECT_EQ(least, 2);
  world.run_for(15s);
  world.behave("web", 0, Behaviour::error500);
  EXPECT_TRUE(world.run_until([&] { return world.durable().services.at("web").incident != 0; }, 10s));
  EXPECT_TRUE(world.run_until([&] { return world.durable().services.at("web").incident == 0; }, 30s)) << "repaired";
}

TEST(RolloutStory, AnApprovalIsWaitedForAndRemembered) {
  rollout::Policy policy;
  policy.add_stage(5, {"checks", "approval"}, 5s);
  Started world(plan_of({staged(policy)}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(30min);
  ASSERT_EQ(state_of(world).phase, Phase::baking);
  ask(world, Verb::rollout_promote);
  EXPECT_EQ(state_of(world).phase, Phase::baking) << "a gate is open";
  ask(world, Verb::rollout_approve);
  world.run_for(1s);
  world.kill_engine();
  world.boot();
  ASSERT_TRUE(ends(world, Phase::promoted));
}

TEST(RolloutStory, PeopleMaySkipGatesFreezeAndTurnBack) {
  Started world(plan_of({staged(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  ask(world, Verb::rollout_freeze);
  world.run_for(5min);
  EXPECT_EQ(running(world, "v2"), 1);
  ask(world, Verb::rollout_abort);
  ASSERT_TRUE(ends(world, Phase::rolled_back));
  ask(world, Verb::rollout_retry);
  ASSERT_TRUE(ends(world, Phase::baking));
  ask(world, Verb::rollout_promote, {}, true);
  ASSERT_TRUE(ends(world, Phase::promoted));
  EXPECT_EQ(state_of(world).passed.back().by, "ada");
}

TEST(RolloutStory, AnotherVersionSupersedes) {
  Started world(plan_of({staged(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  ask(world, Verb::deploy, "v3");
  ASSERT_TRUE(
      world.run_until([&] { return state_of(world).to == "v3" && state_of(world).phase == Phase::promoted; }, 5min));
  world.run_for(1s);
  EXPECT_EQ(running(world, "v3"), 3);
  EXPECT_FALSE(world.durable().services.at("web").quarantined.contains("v2"));
}

TEST(RolloutStory, APauseHoldsItAndADoubtBlamesNobody) {
  Started world(plan_of({staged(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  ask(world, Verb::pause);
  world.run_for(5min);
  EXPECT_EQ(state_of(world).stage, 0U);
  world.network_cut(true);
  world.run_for(10s);
  ask(world, Verb::resume);
  world.run_for(5s);
  EXPECT_TRUE(state_of(world).harm.empty()) << state_of(world).harm;
  world.network_cut(false);
  ASSERT_TRUE(ends(world, Phase::promoted));
}

TEST(RolloutStory, AStableInstanceThatCrashesMeanwhileIsRepaired) {
  Started world(plan_of({staged(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.crash("web", 0);
  world.run_for(5s);
  EXPECT_EQ(running(world, "v1"), 3);
  ASSERT_TRUE(ends(world, Phase::promoted));
}

// Ten requests a second of each version for so long; the new one's latency is so many times the old one's.
void serve(World& world, double ratio, Duration length, bool both = true) {
  std::uint64_t draw = 7;
  for (const Instant end = world.now() + length; world.now() < end && state_of(world).phase == Phase::baking;) {
    Operator in;
    in.verb = Verb::rollout_samples;
    in.service = "web";
    for (int i = 0; i < 10; ++i) {
      draw = draw * 6364136223846793005U + 1442695040888963407U;
      const double value = 0.1 + static_cast<double>(draw >> 40) * 1e-9;
      if (both) in.samples.push_back({0, canary::Arm::baseline, value, 0});
      in.samples.push_back({0, canary::Arm::canary, value * ratio, 0});
    }
    world.input(in);
    world.run_for(1s);
  }
}

ServicePlan judged() {
  rollout::Policy policy;
  policy.add_stage(5, {"checks", "judge"}, 10s);
  policy.deadline = 20min;
  ServicePlan service = staged(policy);
  service.rollout =
      std::make_shared<const RolloutPlan>(RolloutPlan{service.rollout->policy, {canary::Metric{.name = "latency"}}});
  return service;
}

TEST(RolloutStory, TheJudgePromotesWhatIsAsFastAndTakesBackWhatIsSlower) {
  for (const double ratio : {1.0, 1.2}) {
    Started world(plan_of({judged()}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, Phase::baking));
    serve(world, ratio, 15min);
    world.run_for(30s);
    EXPECT_EQ(state_of(world).phase, ratio > 1 ? Phase::rolled_back : Phase::promoted);
    if (ratio == 1) continue;
    EXPECT_NE(state_of(world).harm.find("judge: latency"), std::string::npos) << state_of(world).harm;
  }
}

TEST(RolloutStory, AJudgeThatIsToldNothingOrLosesAMetricNeverPromotes) {
  for (const bool stops : {true, false}) {
    Started world(plan_of({judged()}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, Phase::baking));
    serve(world, 1, stops ? 2s : 15min, stops);  // too few to pass, or of one version only
    ASSERT_TRUE(ends(world, Phase::rolled_back, 1h));
    EXPECT_NE(state_of(world).harm.find("the deadline of stage 1 has come"), std::string::npos);
  }
}

std::uint64_t samples_seen(const World& world) {
  const auto& judge = world.engine().state().services[0].judge;
  return judge ? judge->judge(world.now()).metrics[0].canary.samples : 0;
}

TEST(RolloutStory, AReloadKeepsWhatTheJudgeHasSeenUnlessItComparesSomethingElse) {
  const RolloutPlan plan = *judged().rollout;
  RolloutPlan tolerant = plan;
  tolerant.metrics[0].promote_below = 0.2;
  RolloutPlan elsewhere = plan;
  elsewhere.told_by = 7;
  RolloutPlan longer = plan;
  longer.policy.add_stage(50, {"checks"}, 10s);
  RolloutPlan slower = plan;
  slower.policy.watch_after = 1h;
  for (const auto& [next, goes_on] : {std::pair(plan, true), std::pair(slower, true), std::pair(tolerant, false),
                                      std::pair(elsewhere, false), std::pair(longer, false)}) {
    Started world(plan_of({judged()}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, Phase::baking));
    serve(world, 1, 8s);  // it still bakes
    const std::uint64_t before = samples_seen(world);
    ASSERT_EQ(before, 80U);
    ServicePlan service = judged();
    service.rollout = std::make_shared<const RolloutPlan>(next);
    world.reload(plan_of({std::move(service)}));
    world.run_for(1s);
    EXPECT_EQ(samples_seen(world), goes_on ? before : 0);
    const auto moves = world.all<RolloutMoved>();
    const bool said = std::ranges::any_of(
        moves, [](const RolloutMoved& moved) { return moved.detail.starts_with("the judge of v2 begins anew"); });
    EXPECT_EQ(said, !goes_on);
    EXPECT_EQ(state_of(world).phase, Phase::baking);
  }
}

TEST(RolloutStory, WhatTheJudgeHasSeenSurvivesASnapshot) {
  Started world(plan_of({judged()}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  serve(world, 1, 30s);
  Engine copy;
  ASSERT_TRUE(copy.load(world.engine().save(), world.plan()));
  EXPECT_EQ(copy.hash(), world.engine().hash());
}

// What must hold of the journal, however it came about: a stage begins only when the one before has passed, with gates
// that have passed or that somebody waived; a rollback happens once; nothing is promoted that something spoke against.
std::string skipped_gate(const World& world) {
  std::optional<rollout::State> last;
  for (const RolloutMoved& moved : world.all<RolloutMoved>()) {
    if (!moved.state) continue;
    const rollout::State& now = *moved.state;
    if (now.passed.size() != now.stage) return "a stage without a pass";
    if (last && last->to == now.to && last->began == now.began && now.stage > last->stage) {
      const rollout::Passed& passed = now.passed.back();
      const bool open = std::ranges::any_of(last->gates, [](const auto& g) { return g.result != GateResult::passed; });
      if (last->phase == Phase::baking && open && now.gates.empty() && passed.by.empty() && passed.waived.size() > 0)
        return "a gate was skipped";
    }
    if (now.phase == Phase::promoted && !now.harm.empty()) return "promoted in spite of harm";
    last = now;
  }
  return {};
}

// Kills Homeostat when so many records have been written. False: there are not so many.
bool survives(const std::string& version, std::size_t kill_at) {
  World world(plan_of({staged(two_stages())}));
  world.release_behaves("bad", Behaviour::error500);
  world.boot();
  world.run_for(5s);
  ask(world, Verb::deploy, version);
  const bool killed = world.run_until([&] { return world.records().size() >= kill_at; }, 2min);
  if (killed) {
    world.kill_engine();
    world.run_for(1s);
    world.boot();
    const auto& begun = world.durable().services.at("web").rollout;
    if (!begun) ask(world, Verb::deploy, version);
  }
  const Phase end = version == "bad" ? Phase::rolled_back : Phase::promoted;
  EXPECT_TRUE(ends(world, end)) << version << " killed at record " << kill_at;
  world.run_for(2s);
  EXPECT_EQ(running(world, version == "bad" ? "v1" : "v2"), 3) << version << " killed at record " << kill_at;
  EXPECT_EQ(running(world, "v1") + running(world, "v2") + running(world, "bad"), 3);
  EXPECT_EQ(skipped_gate(world), "") << kill_at;
  EXPECT_TRUE(world.violations().empty()) << world.violations().front();
  return killed;
}

TEST(RolloutStory, KilledAtAnyRecordItGoesOnOrBack) {
  for (const std::string version : {"v2", "bad"}) {
    std::size_t at = 1;
    while (survives(version, at) && !::testing::Test::HasFailure()) ++at;
    EXPECT_GT(at, 30U);
  }
}

}  // namespace
}  // namespace homeostat::sim
