// Stories of rollouts whose requests a proxy leads: exact shares, a proxy that goes, lies, forgets; Homeostat killed.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine.hpp"
#include "homeostat/rollout.hpp"
#include "sim/rollout_story.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;
using rollout::Phase;
using Proxying = World::Proxying;

ServicePlan routed(rollout::Policy policy, std::vector<canary::Metric> metrics = {},
                   std::vector<JudgedFrom> sources = {}) {
  policy.routing = rollout::Routing::by_weight;
  return released(RolloutPlan{std::move(policy), std::move(metrics), std::move(sources)});
}

ServicePlan judged(Duration deadline = 10min, Duration bake = 10s) {
  rollout::Policy policy;
  policy.add_stage(10, {"checks", "judge"}, bake);
  policy.deadline = deadline;
  return routed(policy, {canary::Metric{.name = "failed", .kind = canary::Kind::errors}},
                {JudgedFrom{JudgeSource::errors}});
}

TEST(RoutedRollout, EachStageHasExactlyItsShareAndNothingReachesTheNewVersionBefore) {
  Started world(plan_of({routed(two_stages())}));
  ask(world, Verb::deploy, "v2");
  std::uint32_t most = 0;
  ASSERT_TRUE(world.run_until(
      [&] {
        if (state_of(world).stage == 0) most = std::max(most, world.share("web", "v2"));
        return state_of(world).stage == 1;
      },
      2min));
  EXPECT_EQ(most, 500U) << "5 % of the requests with one of four instances";
  ASSERT_TRUE(world.run_until([&] { return state_of(world).phase == Phase::baking; }, 2min));
  EXPECT_EQ(world.share("web", "v2"), 5000U);
  ASSERT_TRUE(ends(world, Phase::promoted));
  EXPECT_EQ(world.share("web", "v2"), rollout::kAll);
  EXPECT_EQ(running(world, "v2"), 3);
  EXPECT_EQ(running(world, "v1"), 0);
  world.run_for(30s);
  EXPECT_FALSE(world.durable().services.at("web").route) << "afterwards the proxy is left to itself";
  EXPECT_TRUE(world.violations().empty());
}

TEST(RoutedRollout, BlueAndGreenStandSideBySideAndOnlyRequestsMove) {
  rollout::Policy policy;
  policy.strategy = rollout::Strategy::blue_green;
  policy.add_stage(20, {"checks"}, 5s);
  policy.watch_after = 10s;
  Started world(plan_of({routed(policy)}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::watching));
  EXPECT_EQ(running(world, "v1"), 3) << "the old ones stay until the watch is over";
  EXPECT_EQ(running(world, "v2"), 3);
  EXPECT_EQ(world.share("web", "v2"), rollout::kAll);
  ASSERT_TRUE(ends(world, Phase::promoted));
  EXPECT_EQ(running(world, "v1"), 0);
}

TEST(RoutedRollout, ABadReleaseLosesItsRequestsBeforeItsInstances) {
  Started world(plan_of({routed(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  for (Slot slot = 0; slot < 4; ++slot) {
    if (world.version("web", slot) == "v2") world.behave("web", slot, Behaviour::error500);
  }
  ASSERT_TRUE(world.run_until([&] { return running(world, "v2") == 0; }, 1min));
  EXPECT_EQ(world.share("web", "v1"), rollout::kAll);
  ASSERT_TRUE(ends(world, Phase::rolled_back));
  EXPECT_EQ(running(world, "v1"), 3);
}

TEST(RoutedRollout, AProxyThatIsGoneOrTakesNoOrdersFreezesItUntilItIsBack) {
  for (const Proxying how : {Proxying::gone, Proxying::refuses}) {
    Started world(plan_of({routed(two_stages())}));
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, Phase::baking));
    world.proxy(how);
    world.run_for(1h);
    EXPECT_FALSE(state_of(world).blocked.empty()) << static_cast<int>(how);
    EXPECT_TRUE(state_of(world).harm.empty()) << state_of(world).harm;
    EXPECT_LE(state_of(world).split.weight, 2500U);
    EXPECT_EQ(world.notifications(), 1U);
    world.proxy(Proxying::well);
    ASSERT_TRUE(ends(world, Phase::promoted))
        << rollout::explain(world.plan().services[0].rollout->policy, state_of(world));
  }
}

TEST(RoutedRollout, AProxyThatIsAwayForAMomentStopsNothingAndCallsNobody) {
  for (const Proxying how : {Proxying::gone, Proxying::refuses}) {
    Started world(plan_of({routed(two_stages())}));
    ask(world, Verb::deploy, "v2");
    for (int i = 0; i < 40 && !rollout::ended(state_of(world)); ++i) {
      world.proxy(i % 4 == 3 ? how : Proxying::well);
      ASSERT_FALSE(world.run_until([&] { return !state_of(world).blocked.empty(); }, 3s)) << state_of(world).blocked;
    }
    world.proxy(Proxying::well);
    ASSERT_TRUE(ends(world, Phase::promoted));
    EXPECT_EQ(world.notifications(), 0U) << static_cast<int>(how);
  }
}

TEST(RoutedRollout, WhatAReloadOfTheProxyForgetsIsSaidAgain) {
  Started world(plan_of({routed(two_stages())}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.proxy_reloaded();
  ASSERT_EQ(world.share("web", "v2"), 2500U) << "one of four servers, all alike";
  world.run_for(3s);
  EXPECT_EQ(world.share("web", "v2"), 500U);
  ASSERT_TRUE(ends(world, Phase::promoted));
}

TEST(RoutedRollout, WhatTheProxyCountsDecides) {
  for (const std::uint64_t errors : {0U, 20U}) {
    Started world(plan_of({judged()}));
    world.release_errs("v2", errors);
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, errors == 0 ? Phase::promoted : Phase::rolled_back, 15min));
    EXPECT_EQ(state_of(world).harm.empty(), errors == 0) << state_of(world).harm;
  }
}

TEST(RoutedRollout, WhatSourcesTellDecidesAndSilenceNeverPromotes) {
  for (const std::int64_t fresh : {20'000, 26'000, 0}) {
    rollout::Policy policy;
    policy.add_stage(10, {"checks", "judge"}, 10s);
    policy.deadline = 5min;
    Started world(plan_of({routed(policy, {canary::Metric{.name = "latency"}}, {JudgedFrom{JudgeSource::outside}})}));
    world.release_measures("v1", 20'000);
    if (fresh > 0) world.release_measures("v2", fresh);
    ask(world, Verb::deploy, "v2");
    ASSERT_TRUE(ends(world, fresh == 20'000 ? Phase::promoted : Phase::rolled_back, 15min)) << fresh;
    const char* why = fresh == 0 ? "deadline" : fresh == 26'000 ? "judge: latency" : "";
    EXPECT_NE(state_of(world).harm.find(why), std::string::npos) << state_of(world).harm;
  }
}

TEST(RoutedRollout, AComparisonIsNotBelievedWhereTheProxyLies) {
  Started world(plan_of({judged(2min)}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.proxy(Proxying::lies);
  ASSERT_TRUE(ends(world, Phase::rolled_back, 15min));
  EXPECT_NE(state_of(world).harm.find("of the requests to v2, where 10 % are wanted"), std::string::npos)
      << state_of(world).harm;
}

TEST(RoutedRollout, WhatTheJudgeHasSeenSurvivesAKill) {
  Started world(plan_of({judged(1h, 10min)}));
  ask(world, Verb::deploy, "v2");
  ASSERT_TRUE(ends(world, Phase::baking));
  world.run_for(40s);
  const auto& before = world.durable().services.at("web").judge;
  ASSERT_TRUE(before);
  const std::uint64_t known = before->judge.judge(world.now()).metrics.at(0).canary.samples;
  ASSERT_GT(known, 10U);
  world.kill_engine();
  world.boot();
  const auto& judge = world.engine().state().services[0].judge;
  ASSERT_TRUE(judge);
  EXPECT_GE(judge->judge(world.now()).metrics.at(0).canary.samples, known);
}

// Kills Homeostat when so many records have been written. False: there are not so many.
bool survives(const std::string& version, std::size_t kill_at) {
  World world(plan_of({routed(two_stages())}));
  world.release_behaves("bad", Behaviour::error500);
  world.boot();
  world.run_for(5s);
  ask(world, Verb::deploy, version);
  std::uint32_t most = 0;
  const auto watch = [&] {
    const auto& rollout = world.durable().services.at("web").rollout;
    if (rollout && rollout->stage == 0) most = std::max(most, world.share("web", version));
  };
  const bool killed = world.run_until([&] { return watch(), world.records().size() >= kill_at; }, 2min);
  if (killed) {
    world.kill_engine();
    world.run_for(1s);
    world.boot();
    if (!world.durable().services.at("web").rollout) ask(world, Verb::deploy, version);
  }
  const Phase end = version == "bad" ? Phase::rolled_back : Phase::promoted;
  EXPECT_TRUE(world.run_until([&] { return watch(), state_of(world).phase == end; }, 5min))
      << version << " killed at record " << kill_at << ": "
      << rollout::explain(world.plan().services[0].rollout->policy, state_of(world));
  world.run_for(15s);
  EXPECT_LE(most, 500U) << version << " killed at record " << kill_at;
  EXPECT_EQ(running(world, version == "bad" ? "v1" : "v2"), 3) << version << " killed at record " << kill_at;
  EXPECT_FALSE(world.durable().services.at("web").route) << version << " killed at record " << kill_at;
  EXPECT_TRUE(world.violations().empty()) << world.violations().front();
  return killed;
}

TEST(RoutedRollout, KilledAtAnyRecordItGoesOnOrBackAndNeverLeadsMoreThanItsShare) {
  for (const std::string version : {"v2", "bad"}) {
    std::size_t at = 1;
    while (survives(version, at) && !::testing::Test::HasFailure()) ++at;
    EXPECT_GT(at, 30U);
  }
}

}  // namespace
}  // namespace homeostat::sim
