// Stories of rollouts that wait for somebody outside: a command that agrees, a time of day, young instances of the old
// version; and of what may happen meanwhile.
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "sim/rollout_story.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;
using rollout::GateResult;
using rollout::Phase;

/// One stage that waits for the gate.
ServicePlan waiting_for(GatePlan gate) {
  RolloutPlan rollout;
  rollout.policy.add_stage(5, {"checks", gate.name}, 10s);
  rollout.policy.deadline = 10min;
  rollout.gates.push_back(std::move(gate));
  return released(std::move(rollout));
}

GatePlan smoke() { return {.name = "smoke", .every = 30s, .answers_within = 1min}; }

GatePlan from_nine_to_ten() {
  GatePlan gate{.kind = GatePlan::Kind::window, .name = "hours", .every = 5s};
  gate.window = {.zone = "UTC", .start = *parse_cron("0 9 * * *"), .end = *parse_cron("0 10 * * *")};
  return gate;
}

TEST(RolloutGate, ACommandIsAskedOnceTheStageHasBakedAndLetsItOn) {
  Started world(plan_of({waiting_for(smoke())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(9s);
  EXPECT_EQ(world.gate_asked("smoke"), 0U);
  ASSERT_TRUE(ends(world, Phase::promoted));
  EXPECT_EQ(world.gate_asked("smoke"), 1U);
}

TEST(RolloutGate, ACommandThatDisagreesRollsBack) {
  Started world(plan_of({waiting_for(smoke())}));
  world.gate_says("smoke", GateResult::failed);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::rolled_back));
  EXPECT_EQ(state_of(world).harm, "smoke: exit status 1");
  EXPECT_TRUE(world.durable().services.at("web").quarantined.contains("v2"));
}

TEST(RolloutGate, ACommandThatSaysNotYetIsAskedAgain) {
  Started world(plan_of({waiting_for(smoke())}));
  world.gate_says("smoke", GateResult::waiting);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(5min);
  EXPECT_EQ(state_of(world).phase, Phase::baking);
  EXPECT_GE(world.gate_asked("smoke"), 9U);
  EXPECT_LE(world.gate_asked("smoke"), 11U);
  world.gate_says("smoke", GateResult::passed);
  ASSERT_TRUE(ends(world, Phase::promoted));
}

TEST(RolloutGate, ACommandThatNeverAnswersNeverPromotes) {
  Started world(plan_of({waiting_for(smoke())}));
  world.gate_says("smoke", std::nullopt);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::rolled_back, 1h));
  EXPECT_NE(state_of(world).harm.find("smoke (no answer)"), std::string::npos) << state_of(world).harm;
}

TEST(RolloutGate, WhatWasAskedOfAnotherVersionDoesNotCount) {
  Started world(plan_of({waiting_for(smoke())}));
  std::optional<GateAnswered> late;
  world.on_command([&](const Command& command) {
    const auto* asked = std::get_if<AskGate>(&command);
    if (asked != nullptr && !late) late = GateAnswered{asked->service, asked->gate, asked->id, GateResult::passed};
  });
  world.gate_says("smoke", std::nullopt);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(world.run_until([&] { return late.has_value(); }, 5min));
  ask(world, Verb::deploy, "v3");
  ASSERT_TRUE(
      world.run_until([&] { return state_of(world).to == "v3" && state_of(world).phase == Phase::baking; }, 5min));
  world.run_for(15s);
  world.input(*late);
  world.run_for(10s);
  EXPECT_EQ(state_of(world).phase, Phase::baking);
}

TEST(RolloutGate, WhatWasAskedBeforeTheStageBakesAnewDoesNotCount) {
  ServicePlan service = waiting_for(smoke());
  RolloutPlan rollout = *service.rollout;
  rollout.policy.routing = rollout::Routing::by_weight;
  service.rollout = std::make_shared<const RolloutPlan>(std::move(rollout));
  Started world(plan_of({service}));
  std::optional<GateAnswered> late;
  world.on_command([&](const Command& command) {
    const auto* asked = std::get_if<AskGate>(&command);
    if (asked != nullptr && !late) late = GateAnswered{asked->service, asked->gate, asked->id, GateResult::passed};
  });
  world.gate_says("smoke", std::nullopt);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(world.run_until([&] { return late.has_value(); }, 5min));
  world.proxy(World::Proxying::gone);
  ASSERT_TRUE(world.run_until([&] { return !state_of(world).blocked.empty(); }, 1min));
  world.proxy(World::Proxying::well);
  ASSERT_TRUE(world.run_until([&] { return state_of(world).blocked.empty(); }, 1min));
  world.input(*late);
  world.run_for(1s);
  EXPECT_EQ(state_of(world).gates.back().result, GateResult::waiting);
}

TEST(RolloutGate, AWindowIsWaitedForHoweverLongItTakes) {
  Started world(plan_of({waiting_for(from_nine_to_ten())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(7h);
  ASSERT_EQ(state_of(world).phase, Phase::baking) << state_of(world).harm;
  EXPECT_EQ(state_of(world).gates.back().why, "opens at 1970-01-01 09:00 in UTC");
  ASSERT_TRUE(ends(world, Phase::promoted, 1h));
  EXPECT_GE(world.now(), Instant(9h));
  EXPECT_LT(world.now(), Instant(9h + 2min));
}

TEST(RolloutGate, KilledAtAnyRecordNothingIsPassedThatNobodyAgreedTo) {
  bool killed = true;
  for (std::size_t at = 1; killed && !::testing::Test::HasFailure(); ++at) {
    World world(plan_of({waiting_for(smoke())}));
    world.boot();
    world.run_for(5s);
    world.gate_says("smoke", GateResult::waiting);
    ask(world, Verb::deploy, "v2");
    killed = world.run_until([&] { return world.records().size() >= at; }, 2min);
    if (!killed) continue;
    world.kill_engine();
    world.run_for(1s);
    world.boot();
    if (!world.durable().services.at("web").rollout) ask(world, Verb::deploy, "v2");
    world.run_for(2min);
    EXPECT_EQ(state_of(world).phase, Phase::baking) << "killed at record " << at;
    world.gate_says("smoke", GateResult::passed);
    EXPECT_TRUE(ends(world, Phase::promoted)) << "killed at record " << at;
  }
}

ServicePlan compared(rollout::Routing routing) {
  RolloutPlan rollout;
  rollout.policy.routing = routing;
  rollout.policy.baseline = 1;
  rollout.policy.add_stage(10, {"checks", "judge"}, 10s);
  rollout.policy.deadline = 20min;
  rollout.metrics = {canary::Metric{.name = "latency"}};
  rollout.sources = {JudgedFrom{JudgeSource::outside}};
  return released(std::move(rollout));
}

TEST(RolloutBaseline, AYoungInstanceOfTheOldVersionRunsBesideTheNewOneWhileItIsJudged) {
  for (const auto routing : {rollout::Routing::by_weight, rollout::Routing::by_count}) {
    Started world(plan_of({compared(routing)}));
    ASSERT_EQ(running(world, "v1"), 3);
    world.release_measures("v1", 100);
    world.release_measures("v2", 100);
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, Phase::baking));
    EXPECT_EQ(running(world, "v1"), 4);
    EXPECT_EQ(running(world, "v2"), 1);
    ASSERT_EQ(world.durable().services.at("web").baseline.size(), 1U);
    if (routing == rollout::Routing::by_weight) {
      const Route& route = *world.durable().services.at("web").route;
      EXPECT_EQ(route.baseline.size(), 1U);
      EXPECT_EQ(world.share("web", "v2"), 1000U);
    }
    world.run_for(5s);
    const auto said = world.engine().state().services[0].judge->judge(world.now()).metrics[0];
    EXPECT_GT(said.canary.samples, 3U);
    EXPECT_EQ(said.baseline.samples, said.canary.samples)
        << "one is compared with one, though four run the old version";
    ASSERT_TRUE(ends(world, Phase::promoted, 1h)) << state_of(world).harm;
    world.run_for(2s);
    EXPECT_EQ(running(world, "v1"), 0);
    EXPECT_EQ(running(world, "v2"), 3);
    EXPECT_TRUE(world.durable().services.at("web").baseline.empty());
    EXPECT_TRUE(world.violations().empty());
  }
}

TEST(RolloutStory, ARebootWhileItIsWatchedSpeaksAgainstNobody) {
  for (const Phase phase : {Phase::baking, Phase::watching}) {
    RolloutPlan rollout;
    rollout.policy.add_stage(50, {"checks"}, 20s);
    rollout.policy.watch_after = 1min;
    Started world(plan_of({released(std::move(rollout))}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, phase));
    world.kill_engine();
    for (Slot slot = 0; slot < 4; ++slot) world.crash("web", slot);
    world.run_for(30s);
    world.boot();
    ASSERT_TRUE(ends(world, Phase::promoted, 10min)) << state_of(world).harm;
    EXPECT_EQ(running(world, "v2"), 3);
  }
}

TEST(RolloutStory, WhatFailsAgainAfterARebootIsTakenBack) {
  RolloutPlan rollout;
  rollout.policy.add_stage(50, {"checks"}, 20s);
  rollout.policy.watch_after = 10min;
  Started world(plan_of({released(std::move(rollout))}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::watching));
  world.kill_engine();
  for (Slot slot = 0; slot < 4; ++slot) world.crash("web", slot);
  world.release_behaves("v2", Behaviour::error500);
  world.boot();
  ASSERT_TRUE(ends(world, Phase::rolled_back, 10min));
  world.run_for(5s);
  EXPECT_EQ(running(world, "v1"), 3);
}

ServicePlan scaled() {
  RolloutPlan rollout;
  rollout.policy.add_stage(20, {"checks", "approval"}, 10s);
  ServicePlan service = released(std::move(rollout));
  service.instances = 6 + 1;
  ScalingPlan scaling;
  scaling.policy.range = {3, 6};
  MetricRule rule;
  rule.id = "load";
  rule.kind = MetricKind::average;
  rule.target = 50'000;
  scaling.policy.metrics = {rule};
  scaling.policy.down.window = 1min;
  service.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  return service;
}

TEST(RolloutStory, WhileItRunsMoreOldInstancesComeAndNoneGoes) {
  Started world(plan_of({scaled()}));
  world.load("web", 150'000);
  world.run_for(2min);
  ASSERT_EQ(running(world, "v1"), 3);
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.load("web", 290'000);
  ASSERT_TRUE(world.run_until([&] { return running(world, "v1") >= 5 && running(world, "v2") >= 1; }, 10min))
      << running(world, "v1");
  world.run_for(1min);
  EXPECT_EQ(state_of(world).phase, Phase::baking);
  const int most = running(world, "v1");
  world.load("web", 20'000);
  world.run_for(20min);
  EXPECT_EQ(running(world, "v1"), most) << "it waits for the end";
  ask(world, Verb::rollout_approve);
  ASSERT_TRUE(ends(world, Phase::promoted));
  EXPECT_TRUE(world.run_until([&] { return running(world, "v2") == 3; }, 30min)) << running(world, "v2");
}

TEST(RolloutStory, SamplesThatAreToldAgainCountOnce) {
  RolloutPlan rollout;
  rollout.policy.add_stage(20, {"checks", "judge"}, 10s);
  rollout.metrics = {canary::Metric{.name = "failed", .kind = canary::Kind::errors}};
  Started world(plan_of({released(std::move(rollout))}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  const auto tell = [&](std::uint64_t sequence, const std::string& source = "meter") {
    Operator in;
    in.verb = Verb::rollout_samples;
    in.service = "web";
    in.samples = {{0, canary::Arm::canary, 1, 10}};
    in.source = source;
    in.sequence = sequence;
    world.input(in);
    world.run_for(6s);  // counts are looked at in blocks of five seconds
    const auto& judge = world.engine().state().services[0].judge;
    return judge->judge(world.now()).metrics[0].canary.samples;
  };
  EXPECT_EQ(tell(1), 10U);
  EXPECT_EQ(tell(1), 10U);
  EXPECT_EQ(tell(2), 20U);
  EXPECT_EQ(tell(1), 20U);
  EXPECT_EQ(tell(1, "another"), 30U);
  world.run_for(1min);
  world.kill_engine();
  world.boot();
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(10s);
  EXPECT_EQ(tell(2), 30U) << "what was written down is remembered together with what it is about";
  EXPECT_EQ(tell(3), 40U);
}

}  // namespace
}  // namespace homeostat::sim
