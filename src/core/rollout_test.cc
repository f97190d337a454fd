// The rollout, step by step.
#include "homeostat/rollout.hpp"

#include <gtest/gtest.h>

namespace homeostat::rollout {
namespace {

using namespace std::chrono_literals;

/// Does every step at once, as long as instances of the new version come up.
struct Story {
  Policy policy{};
  Instant now{1h};
  State state = begin("v1", "v2", 6, now);
  bool fresh_comes_up = true;
  std::vector<Split> steps{};

  void run(Duration length = {}) {
    now += length;
    for (int i = 0; i < 100; ++i) {
      const std::uint32_t fresh = fresh_comes_up ? state.split.fresh : 0;
      advance(policy, state, {6, state.split.stable, fresh}, now);
      if (!state.step || (!fresh_comes_up && state.step->to.fresh > state.split.fresh)) return;
      steps.push_back(state.step->to);
      confirm(state, state.step->id, now);
    }
  }
  std::string text() const { return explain(policy, state); }
};

Story with_stages(Routing routing = Routing::by_weight) {
  Story story;
  story.policy.routing = routing;
  story.policy.add_stage(5, {"checks"}, 10min).add_stage(50, {"checks"}, 10min);
  return story;
}

using Splits = std::vector<Split>;

TEST(Rollout, CapacityComesBeforeTrafficOnTheWayUp) {
  Story story = with_stages();
  story.run();
  EXPECT_EQ(story.steps, (Splits{{6, 1, 0}, {6, 1, 500}}));
  story.steps.clear();
  gate(story.state, "checks", GateResult::passed, "");
  story.run(10min);
  EXPECT_EQ(story.steps,
            (Splits{{6, 1, 1667}, {5, 1, 1667}, {5, 2, 1667}, {5, 2, 3334}, {4, 2, 3334}, {4, 3, 3334}, {4, 3, 5000}}));
  EXPECT_EQ(story.text(),
            "v2 bakes at 50 % of the traffic (stage 2 of 2); waits for checks; now 4 of v1 and 3 of it, 50 %");
}

TEST(Rollout, TrafficGoesBeforeCapacityOnTheWayBack) {
  Story story = with_stages();
  story.run();
  gate(story.state, "checks", GateResult::passed, "");
  story.run(10min);
  story.steps.clear();
  EXPECT_TRUE(harm(story.state, "twice as many errors"));
  story.run();
  EXPECT_EQ(story.steps.front(), (Split{4, 3, 3333}));
  EXPECT_EQ(story.steps.back(), (Split{6, 0, 0}));
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
  EXPECT_EQ(story.text(), "v2 has been rolled back: twice as many errors");
  EXPECT_FALSE(harm(story.state, "again"));
}

TEST(Rollout, WithoutRoutingTheInstancesThemselvesAreTheShare) {
  Story story = with_stages(Routing::by_count);
  story.run();
  EXPECT_EQ(story.steps, (Splits{{6, 1, 1428}}));
  gate(story.state, "checks", GateResult::passed, "");
  story.steps.clear();
  story.run(10min);
  EXPECT_EQ(story.steps.back(), (Split{3, 4, 5714}));
  for (const Split& split : story.steps) EXPECT_GE(split.stable + split.fresh, 6U);
}

TEST(Rollout, ItIsComparedWithOldOnesThatAreAsYoungWhileTheyCanGetAsMuchToDo) {
  Story story = with_stages();
  story.policy.baseline = 1;
  story.policy.add_stage(90, {"checks"});
  story.run();
  EXPECT_EQ(story.steps, (Splits{{6, 1, 0, 1}, {6, 1, 500, 1}}));
  EXPECT_NE(story.text().find("5 %, beside 1 to compare with"), std::string::npos) << story.text();
  for (const std::uint32_t baseline : {1, 0}) {
    story.steps.clear();
    gate(story.state, "checks", GateResult::passed, "");
    story.run(10min);
    for (const Split& split : story.steps) EXPECT_EQ(split.baseline, baseline) << "at 50 % of six, at 90 % of six";
  }
  EXPECT_EQ(story.state.split.weight, 9000U);
  harm(story.state, "twice as many errors");
  story.run();
  EXPECT_EQ(story.steps.back(), (Split{6, 0, 0}));
}

TEST(Rollout, WhatItIsComparedWithGoesFirstOnTheWayBack) {
  for (const auto routing : {Routing::by_weight, Routing::by_count}) {
    Story story = with_stages(routing);
    story.policy.baseline = 1;
    story.run();
    story.steps.clear();
    abort(story.state, "ada");
    story.run();
    ASSERT_FALSE(story.steps.empty());
    EXPECT_EQ(story.steps.front().baseline, 0U);
    EXPECT_EQ(story.state.phase, Phase::rolled_back);
  }
}

TEST(Rollout, AClosedGateIsNotLate) {
  Story story = with_stages();
  story.run();
  gate(story.state, "checks", GateResult::closed, "until the morning");
  story.run(12h);
  ASSERT_EQ(story.state.phase, Phase::baking) << story.text();
  EXPECT_EQ(next_deadline(story.policy, story.state), kNever);
  gate(story.state, "checks", GateResult::waiting, "not yet");
  story.run();
  EXPECT_EQ(next_deadline(story.policy, story.state), story.now + 1h) << "the deadline runs from now on";
  story.run(59min);
  EXPECT_EQ(story.state.phase, Phase::baking);
  story.run(1min);
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
}

TEST(Rollout, WithoutSurgeOneIsReplacedAtATime) {
  Story story;
  story.policy.surge = 0;
  story.policy.add_stage(50);
  story.run();
  EXPECT_EQ(story.state.phase, Phase::promoted);
  EXPECT_EQ(story.steps[0], (Split{5, 0, 0}));
  EXPECT_EQ(story.steps[1], (Split{5, 1, 1666}));
  for (const Split& split : story.steps) EXPECT_GE(split.stable + split.fresh, 5U);
}

TEST(Rollout, BlueStaysUntilGreenHasBeenWatched) {
  Story story;
  story.policy.strategy = Strategy::blue_green;
  story.policy.routing = Routing::by_weight;
  story.policy.watch_after = 1h;
  story.run();
  EXPECT_EQ(story.steps, (Splits{{6, 6, 0}, {6, 6, kAll}}));
  EXPECT_EQ(story.state.phase, Phase::watching);
  harm(story.state, "slow");
  story.steps.clear();
  story.run();
  EXPECT_EQ(story.steps, (Splits{{6, 6, 0}, {6, 0, 0}}));
}

TEST(Rollout, HarmAfterThePromotionBringsTheOldVersionBack) {
  Story story;
  story.policy.watch_after = 1h;
  story.run();
  EXPECT_EQ(story.state.phase, Phase::watching);
  EXPECT_EQ(story.state.split, (Split{0, 6, kAll}));
  story.run(59min);
  harm(story.state, "leaks");
  story.run();
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
  EXPECT_TRUE(story.state.bad);
}

TEST(Rollout, NoGateIsSkippedByTime) {
  Story story = with_stages();
  story.run();
  story.run(69min);
  EXPECT_EQ(story.state.phase, Phase::baking);
  EXPECT_EQ(story.state.stage, 0U);
  story.run(1min);
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
  EXPECT_NE(story.state.harm.find("deadline"), std::string::npos);
}

TEST(Rollout, TheDeadlineMayPromoteOrFreezeWhereThatIsWanted) {
  Story story = with_stages();
  story.policy.at_deadline = AtDeadline::promote;
  story.run();
  story.run(70min);
  EXPECT_EQ(story.state.stage, 1U);
  EXPECT_EQ(story.state.passed[0].waived, std::vector<std::string>{"checks"});
  EXPECT_EQ(story.state.passed[0].by, "the deadline");
  story.policy.at_deadline = AtDeadline::freeze;
  story.run(70min);
  EXPECT_NE(story.state.frozen.find("deadline"), std::string::npos);
}

TEST(Rollout, AGateThatFailsRollsBackAtOnce) {
  Story story = with_stages();
  story.run();
  EXPECT_TRUE(gate(story.state, "checks", GateResult::failed, "answered 500"));
  EXPECT_FALSE(gate(story.state, "nonsense", GateResult::passed, ""));
  story.run();
  EXPECT_EQ(story.text(), "v2 has been rolled back: checks: answered 500");
}

TEST(Rollout, WhatNeverBecomesReadyIsTakenBack) {
  Story story = with_stages();
  story.fresh_comes_up = false;
  story.run();
  EXPECT_EQ(story.state.split.fresh, 0U);
  story.run(15min);
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
  EXPECT_NE(story.state.harm.find("not done in time"), std::string::npos);
}

TEST(Rollout, PromotingEndsTheBakeButSkipsNoGateUnlessToldTo) {
  Story story = with_stages();
  story.run();
  const auto refused = promote(story.policy, story.state, "ada", false, story.now);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("have not passed: checks"), std::string::npos);
  gate(story.state, "checks", GateResult::passed, "");
  ASSERT_TRUE(promote(story.policy, story.state, "ada", false, story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.stage, 1U);
  ASSERT_TRUE(promote(story.policy, story.state, "ada", true, story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::promoted);
  EXPECT_TRUE(story.state.passed[0].waived.empty());
  EXPECT_EQ(story.state.passed[1].waived, std::vector<std::string>{"checks"});
  EXPECT_EQ(story.state.passed[1].by, "ada");
}

TEST(Rollout, AFreezeHoldsEverythingAndKeepsTheEvidence) {
  Story story = with_stages();
  story.run();
  ASSERT_TRUE(freeze(story.state, "ada looks at it").has_value());
  harm(story.state, "errors");
  story.run(10h);
  EXPECT_EQ(story.state.phase, Phase::baking);
  EXPECT_EQ(next_deadline(story.policy, story.state), kNever);
  ASSERT_TRUE(resume(story.state, story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
}

// On the way back the new version was so ill that all of it was to go at once; then it was well again, and nobody else
// could have taken its requests.
TEST(Rollout, AStepBackThatWasNotDoneIsDecidedAnewWhenItIsResumed) {
  Story story;
  story.policy.surge = 0;
  story.policy.add_stage(50).watch_after = 1h;
  story.run();
  ASSERT_EQ(story.state.phase, Phase::watching);
  EXPECT_TRUE(harm(story.state, "no answer"));
  advance(story.policy, story.state, {6, 0, 0}, story.now);
  ASSERT_EQ(story.state.step->to, (Split{0, 0, 10000}));
  story.now += story.policy.step_within;
  advance(story.policy, story.state, {6, 0, 5}, story.now);
  EXPECT_EQ(story.state.frozen, "a step back was not done in time");
  Story waiting = story;
  ASSERT_TRUE(resume(waiting.state, story.now, 0).has_value());
  EXPECT_EQ(waiting.state.step->to, (Split{0, 0, 10000})) << "none is left: it only takes longer";

  ASSERT_TRUE(resume(story.state, story.now, 5).has_value());
  EXPECT_EQ(story.state.step->to, (Split{0, 5, 10000})) << "who serves stays until somebody else can";
  confirm(story.state, story.state.step->id, story.now);
  advance(story.policy, story.state, {6, 0, 5}, story.now);
  EXPECT_EQ(story.state.step->to, (Split{1, 5, 8334}));
}

TEST(Rollout, TimeInWhichNobodyCouldSeeCountsForNoStepAndNoDeadline) {
  Story story = with_stages();
  advance(story.policy, story.state, {6, 6, 0}, story.now);
  ASSERT_TRUE(story.state.step.has_value());
  const Duration dark = story.policy.step_within - 1min;
  story.now += story.policy.step_within;
  EXPECT_TRUE(unseen(story.state, dark, story.now));
  advance(story.policy, story.state, {6, 6, 0}, story.now);
  EXPECT_EQ(story.state.harm, "");
  Story late = story;
  late.now += dark;
  advance(late.policy, late.state, {6, 6, 0}, late.now);
  EXPECT_NE(late.state.harm, "") << "what could be seen counts";

  story.run();
  ASSERT_EQ(story.state.phase, Phase::baking);
  gate(story.state, "checks", GateResult::waiting, "not ready");
  story.now += story.policy.deadline;
  EXPECT_TRUE(unseen(story.state, story.policy.deadline, story.now));
  story.run(story.policy.deadline + 9min);
  EXPECT_EQ(story.state.harm + story.state.frozen, "") << "the deadline comes after a bake that could be seen";
  gate(story.state, "checks", GateResult::passed, "");
  story.run();
  EXPECT_EQ(story.state.stage, 1U);

  Story bakes = with_stages();
  bakes.run();
  gate(bakes.state, "checks", GateResult::passed, "");
  bakes.now += 1h;
  EXPECT_TRUE(unseen(bakes.state, 1h, bakes.now));
  bakes.run();
  EXPECT_EQ(bakes.state.stage, 0U) << "nobody has seen it bake";
  bakes.run(10min);
  EXPECT_EQ(bakes.state.stage, 1U);
}

TEST(Rollout, NothingIsLateAsLongAsNobodyCanSee) {
  Story story = with_stages();
  const auto look = [&](State state, Duration later, bool dark) {
    const Seen seen{.needed = 6, .ready_stable = 6, .ready_fresh = 0, .dark = dark};
    advance(story.policy, state, seen, story.now + later);
    return state.harm + state.frozen;
  };
  const Seen all_well{6, 6, 0};
  advance(story.policy, story.state, all_well, story.now);
  ASSERT_TRUE(story.state.step.has_value());
  EXPECT_EQ(look(story.state, story.policy.step_within, true), "");
  EXPECT_NE(look(story.state, story.policy.step_within, false), "");

  State back = story.state;
  harm(back, "errors");
  advance(story.policy, back, all_well, story.now);
  ASSERT_TRUE(back.step.has_value());
  EXPECT_EQ(look(back, story.policy.step_within, true), "errors");
  EXPECT_EQ(look(back, story.policy.step_within, false), "errorsa step back was not done in time");

  story.run();
  ASSERT_EQ(story.state.phase, Phase::baking);
  EXPECT_EQ(look(story.state, story.policy.deadline + 10min, true), "");
  EXPECT_NE(look(story.state, story.policy.deadline + 10min, false), "");
}

// People may stop places at any time: with room for fewer a rollout makes do with less surge, then with fewer
// instances.
TEST(Rollout, MakesDoWithTheRoomThereIs) {
  Policy policy;
  policy.surge = 2;
  policy.baseline = 1;
  const auto fitted = [&](std::uint32_t needed, std::uint32_t room) {
    const Fitted fits = fit(policy, needed, room);
    return std::pair(fits.needed, fits.surge);
  };
  EXPECT_EQ(fitted(4, 7), std::pair(4U, 2U));
  EXPECT_EQ(fitted(4, 6), std::pair(4U, 1U));
  EXPECT_EQ(fitted(4, 5), std::pair(3U, 1U));
  EXPECT_EQ(fitted(4, 3), std::pair(1U, 1U));
  EXPECT_EQ(fitted(4, 0), std::pair(1U, 0U));
  EXPECT_EQ(least_room(policy), 3U);
  policy.surge = policy.baseline = 0;
  EXPECT_EQ(fitted(4, 3), std::pair(3U, 0U));
  EXPECT_EQ(least_room(policy), 1U);
  policy.strategy = Strategy::blue_green;
  EXPECT_EQ(fitted(4, 7).first, 3U);
  EXPECT_EQ(least_room(policy), 2U);
}

TEST(Rollout, APlaceThatPeopleStopIsNotNeededAndNotHeldAgainstTheNewVersion) {
  Story story;
  story.policy.add_stage(50, {"checks"});
  Seen seen{.needed = 4, .ready_stable = 3, .ready_fresh = 0, .room = 4};
  story.state = begin("v1", "v2", 4, story.now);
  std::uint32_t steps = 0;
  while (advance(story.policy, story.state, seen, story.now) && story.state.step) {
    ASSERT_LE(story.state.step->to.stable + story.state.step->to.fresh, seen.room);
    confirm(story.state, story.state.step->id, story.now);
    seen.ready_stable = story.state.split.stable;
    seen.ready_fresh = story.state.split.fresh;
    ASSERT_GE(seen.ready_stable + seen.ready_fresh, 3U) << "one of four is missing already";
    ASSERT_LT(++steps, 20U);
  }
  EXPECT_EQ(story.state.phase, Phase::baking);
  EXPECT_EQ(story.state.needed, 3U);

  seen.room = 5;
  gate(story.state, "checks", GateResult::passed, "");
  advance(story.policy, story.state, seen, story.now);
  EXPECT_EQ(story.state.needed, 4U) << "started again it is needed again";

  seen.room = story.state.step->to.stable + story.state.step->to.fresh - 1;
  const Split before = story.state.split;
  advance(story.policy, story.state, seen, story.now);
  ASSERT_TRUE(story.state.step.has_value());
  EXPECT_EQ(story.state.step->to, before) << story.state.step->why;

  seen.room = 1;
  seen.stable = 1;
  seen.fresh = 0;
  EXPECT_TRUE(advance(story.policy, story.state, seen, story.now));
  EXPECT_FALSE(advance(story.policy, story.state, seen, story.now + 1h)) << "with no room for both nothing moves";
}

TEST(Rollout, APauseWithoutEndIsEndedByAPerson) {
  Story story;
  story.policy.add_stage(5);
  story.policy.stages[0].pause = kForever;
  story.run();
  story.run(1000h);
  EXPECT_EQ(story.state.phase, Phase::baking);
  ASSERT_TRUE(resume(story.state, story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::promoted);
}

TEST(Rollout, RetriedAfterItWasSupersededItIsTheOnlyOne) {
  Story story = with_stages();
  story.run();
  ASSERT_TRUE(supersede(story.state, "v3").has_value());
  ASSERT_TRUE(supersede(story.state, "v2").has_value());
  ASSERT_TRUE(retry(story.state, "ada", story.now).has_value());
  ASSERT_TRUE(promote(story.policy, story.state, "ada", true, story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::promoted);
  EXPECT_FALSE(successor(story.state, story.now).has_value()) << "from v2 to v2";
}

TEST(Rollout, AnotherVersionSupersedesAndIsNotHeldAgainstTheFirst) {
  Story story = with_stages();
  story.run();
  ASSERT_TRUE(supersede(story.state, "v3").has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::rolled_back);
  EXPECT_FALSE(story.state.bad);
  const auto next = successor(story.state, story.now);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->from, "v1");
  EXPECT_EQ(next->to, "v3");
}

TEST(Rollout, MayBeTriedOnceMore) {
  Story story = with_stages();
  story.run();
  ASSERT_TRUE(abort(story.state, "ada").has_value());
  story.run();
  EXPECT_EQ(story.text(), "v2 has been rolled back: aborted by ada");
  ASSERT_TRUE(retry(story.state, "ada", story.now).has_value());
  story.run();
  EXPECT_EQ(story.state.phase, Phase::baking);
  EXPECT_FALSE(story.state.bad);
}

TEST(Rollout, AfterAnInterruptionAStageBakesAnewAndOnlyWhatPeopleSaidHolds) {
  Story story = with_stages();
  story.policy.stages[0].gates.emplace_back("approval");
  story.run();
  gate(story.state, "checks", GateResult::passed, "");
  gate(story.state, "approval", GateResult::passed, "", "ada");
  story.now += 9min;
  interrupted(story.state, story.now);
  story.run(9min);
  EXPECT_EQ(story.state.gates[0].result, GateResult::waiting);
  EXPECT_EQ(story.state.gates[1].result, GateResult::passed);
  gate(story.state, "checks", GateResult::passed, "");
  story.run(59s);
  EXPECT_EQ(story.state.stage, 0U);
  story.run(1s);
  EXPECT_EQ(story.state.stage, 1U);
}

TEST(Rollout, AMistakenPolicyIsRefusedWithItsField) {
  const auto wrong = [](const Policy& policy) { return validate(policy).error(); };
  EXPECT_EQ(wrong(Policy().add_stage(0)), "traffic must be above 0 %, and at most 100 %");
  EXPECT_EQ(wrong(Policy().add_stage(1e300)), "traffic must be above 0 %, and at most 100 %");
  EXPECT_EQ(wrong(Policy().add_stage(50).add_stage(5)), "traffic must be more than in the stage before");
  EXPECT_EQ(wrong(Policy().add_stage(5, {"a", "a"})), "gates must be named once each");
  EXPECT_NE(wrong(Policy{.strategy = Strategy::blue_green}).find("strategy must be"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::rollout
