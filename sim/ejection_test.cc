// Stories of instances that fail the requests of a proxy: taken out, tried with a few, given all of them again; how
// many may be out; what a rollout, a restart and a kill of Homeostat make of it.
#include "engine/ejection.hpp"

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "homeostat/rollout.hpp"
#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;
using rollout::Phase;

constexpr std::uint32_t kThird = 3333;

rollout::Policy fifth() {
  rollout::Policy policy;
  policy.add_stage(20, {"checks"}, 30s);
  policy.watch_after = 10s;
  policy.routing = rollout::Routing::by_weight;
  return policy;
}

Plan watched(ServicePlan service) {
  EjectionPlan ejection;
  ejection.breaker.open_for = 20s;
  service.routed = true;
  Plan plan = plan_of({std::move(service)});
  plan.ejections["web"] = ejection;
  return plan;
}

ServicePlan routed(rollout::Policy policy) {
  ServicePlan service = web("web", 3 + rollout::surge_of(policy, 3));
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = 2s;
  service.rollout = std::make_shared<const RolloutPlan>(RolloutPlan{std::move(policy), {}, {}});
  return service;
}

bool gets(World& world, Slot slot, std::uint32_t share, Duration within = 1min) {
  return world.run_until([&] { return world.share("web", slot) == share; }, within);
}

bool is_back(World& world) {
  return world.run_until([&] { return world.durable().breakers.empty() && !world.durable().services.at("web").route; },
                         5min);
}

std::optional<Ejection> ejection(const World& world, Slot slot) { return ejection_of(world.engine().state(), 0, slot); }

void order(World& world, Verb verb, const std::string& version = {}) {
  Operator in;
  in.verb = verb;
  in.service = "web";
  in.version = version;
  in.by = "ada";
  world.input(in);
}

TEST(Ejection, WhoFailsRequestsGetsNoneThenAFewAndAllOfThemWhenTheyGoWell) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 60);
  ASSERT_TRUE(gets(world, 1, 0));
  EXPECT_EQ(world.share("web", 0), 5000U) << "the others take over";
  const auto out = ejection(world, 1);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->kept, "");
  EXPECT_NE(out->evidence.find("requests failed"), std::string::npos) << out->evidence;
  EXPECT_EQ(world.status("web"), Status::healthy) << "its checks say so, and the breaker alone repairs nothing";
  ASSERT_TRUE(gets(world, 1, 476)) << "10 % of its usual share: a tenth of 2.1 parts";
  ASSERT_TRUE(gets(world, 1, 0)) << "it still fails";
  world.errs("web", 1, 0);
  ASSERT_TRUE(gets(world, 1, 476, 2min));
  ASSERT_TRUE(gets(world, 1, kThird));
  ASSERT_TRUE(is_back(world)) << "afterwards the proxy is left to itself";
  for (const Effect& effect : world.effects()) EXPECT_NE(effect.op, Op::restart) << "nobody is restarted for it";
}

TEST(Ejection, AFewFailuresAndTooFewRequestsTakeNobodyOut) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 40);
  world.run_for(5min);
  EXPECT_FALSE(ejection(world, 1)) << "below the failure rate";
  EXPECT_FALSE(world.durable().services.at("web").route);
}

TEST(Ejection, OnlySoManyMayBeOutAndTheRestSaysWhy) {
  Started world(watched(web("web", 3)));
  for (const Slot slot : {0, 1, 2}) world.errs("web", slot, 90);
  ASSERT_TRUE(world.run_until([&] { return ejection(world, 2).has_value(); }, 1min));
  world.run_for(5s);
  EXPECT_EQ(world.share("web", 0), 0U);
  EXPECT_EQ(world.share("web", 1), 5000U);
  ASSERT_TRUE(ejection(world, 1));
  EXPECT_EQ(ejection(world, 1)->kept, "1 of 3 get no requests already, and 1 may");
  world.run_for(30min);
  EXPECT_EQ(world.share("web", 0), 0U) << "who was taken out first stays out: the places do not take turns";
}

TEST(Ejection, TheLastOneThatCouldAnswerStays) {
  Plan plan = watched(web("web", 2));
  plan.ejections["web"].max_ejected = {0, 100};
  Started world(plan);
  for (const Slot slot : {0, 1}) world.errs("web", slot, 90);
  ASSERT_TRUE(gets(world, 1, rollout::kAll));
  EXPECT_EQ(ejection(world, 1)->kept, "no other could take its requests");
}

TEST(Ejection, WhoIsDownCountsAsOutToo) {
  ServicePlan service = web("web", 3);
  service.ladder = {rung(StrategyKind::escalate)};
  Started world(watched(std::move(service)));
  world.crash("web", 0);
  world.run_for(5s);
  world.errs("web", 1, 90);
  world.run_for(1min);
  ASSERT_TRUE(ejection(world, 1));
  EXPECT_EQ(ejection(world, 1)->kept, "1 of 3 get no requests already, and 1 may");
}

TEST(Ejection, InShadowItIsOnlySaid) {
  ServicePlan service = web("web", 3);
  service.mode = Mode::shadow;
  Started world(watched(std::move(service)));
  world.errs("web", 1, 90);
  ASSERT_TRUE(world.run_until([&] { return ejection(world, 1).has_value(); }, 1min));
  world.run_for(10s);
  EXPECT_EQ(world.share("web", 1), kThird);
  EXPECT_EQ(ejection(world, 1)->kept, "in mode shadow it is only said");
}

TEST(Ejection, WhoIsOutCountsAsUnavailable) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 90);
  ASSERT_TRUE(gets(world, 1, 0));
  Operator in;
  in.verb = Verb::restart;
  in.service = "web";
  in.slot = 0;
  world.input(in);
  world.run_for(5s);
  for (const Effect& effect : world.effects()) EXPECT_NE(effect.op, Op::restart) << "one is out of the traffic already";
  world.errs("web", 1, 0);
  ASSERT_TRUE(is_back(world));
  EXPECT_TRUE(world.run_until(
      [&] {
        return std::ranges::any_of(world.effects(), [](const Effect& effect) { return effect.op == Op::restart; });
      },
      1min));
}

TEST(Ejection, WhoHasBeenStartedAnewIsTriedAtOnce) {
  Plan plan = watched(web("web", 3));
  plan.ejections["web"].breaker.open_for = 5min;
  Started world(plan);
  world.errs("web", 1, 90);
  ASSERT_TRUE(gets(world, 1, 0));
  world.errs("web", 1, 0);
  world.crash("web", 1);
  ASSERT_TRUE(gets(world, 1, kThird, 20s)) << "long before its wait was over";
}

TEST(Ejection, SurvivesAKillWithTheSameWait) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 90);
  ASSERT_TRUE(gets(world, 1, 0));
  const Instant probe_at = world.durable().breakers.at("traffic:web/1").probe_at;
  world.kill_engine();
  world.run_for(2s);
  world.boot();
  EXPECT_EQ(world.engine().state().breakers.at("traffic:web/1").machine.open_until(), probe_at);
  ASSERT_LT(world.now(), probe_at);
  EXPECT_EQ(world.share("web", 1), 0U);
  world.run_for(probe_at - world.now() - 1s);
  EXPECT_EQ(world.share("web", 1), 0U);
  ASSERT_TRUE(gets(world, 1, 476, 5s));
}

TEST(Ejection, WhatAReloadOfTheProxyForgetsIsSaidAgain) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 90);
  ASSERT_TRUE(gets(world, 1, 0));
  world.proxy_reloaded();
  ASSERT_EQ(world.share("web", 1), kThird);
  ASSERT_TRUE(gets(world, 1, 0, 5s));
}

TEST(Ejection, WithoutTheBreakerInTheConfigurationEverybodyGetsRequestsAgain) {
  Started world(watched(web("web", 3)));
  world.errs("web", 1, 90);
  ASSERT_TRUE(gets(world, 1, 0));
  Plan plain = plan_of({web("web", 3)});
  plain.services[0].routed = true;
  plain.generation = 2;
  world.reload(plain);
  ASSERT_TRUE(gets(world, 1, kThird, 20s));
  ASSERT_TRUE(is_back(world));
}

TEST(Ejection, WhileADependencyIsDownNobodyIsBlamed) {
  ServicePlan db = web("db", 1);
  db.ladder = {rung(StrategyKind::escalate)};
  ServicePlan service = web("web", 3);
  service.depends_on = {1};
  Plan plan = watched(std::move(service));
  plan.services.push_back(db);
  Started world(plan);
  world.crash("db", 0);
  world.run_for(5s);
  world.errs("web", 1, 100);
  world.run_for(2min);
  EXPECT_FALSE(ejection(world, 1));
}

TEST(Ejection, AVersionThatFailsRequestsLosesThemAndIsRolledBack) {
  Started world(watched(routed(fifth())));
  world.release_errs("v2", 80);
  order(world, Verb::deploy, "v2");
  const auto state = [&] { return *world.durable().services.at("web").rollout; };
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") > 0; }, 1min));
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") == 0; }, 20s)) << "long before the bake is over";
  ASSERT_TRUE(world.run_until([&] { return state().phase == Phase::rolled_back; }, 2min));
  EXPECT_NE(state().harm.find("the proxy sees it fail"), std::string::npos) << state().harm;
}

/// Half of the requests go to two places of v2, of which each alone gets too few for its own breaker.
Plan two_together(Share max_ejected) {
  rollout::Policy policy;
  policy.surge = 2;
  policy.add_stage(50, {"checks"}, 2min);
  policy.routing = rollout::Routing::by_weight;
  Plan plan = watched(routed(std::move(policy)));
  plan.ejections["web"].breaker.min_calls = 10'000;
  plan.ejections["web"].max_ejected = max_ejected;
  return plan;
}

/// … and there the rollout is frozen.
struct Halfway : Started {
  explicit Halfway(Share max_ejected) : Started(two_together(max_ejected)) {
    order(*this, Verb::deploy, "v2");
    ready = run_until([&] { return state().phase == Phase::baking && share("web", "v2") == 5000; }, 2min);
    order(*this, Verb::rollout_freeze);
  }
  const rollout::State& state() const { return *durable().services.at("web").rollout; }
  std::optional<Ejection> out() const { return version_ejection(engine().state(), 0); }
  bool ready = false;
};

TEST(Ejection, AVersionIsTakenOutAsAWholeWhereNoneOfItsPlacesGetsEnoughToTell) {
  Halfway world({0, 50});
  ASSERT_TRUE(world.ready);
  world.release_errs("v2", 80);
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") == 0; }, 1min));
  ASSERT_EQ(world.durable().breakers.size(), 1U);
  EXPECT_EQ(world.durable().breakers.begin()->first, "traffic:web/@v2");
  const Instant probe_at = world.durable().breakers.begin()->second.probe_at;
  world.kill_engine();
  world.run_for(2s);
  world.boot();
  EXPECT_EQ(world.share("web", "v2"), 0U);
  EXPECT_EQ(world.engine().state().breakers.at("traffic:web/@v2").machine.open_until(), probe_at);
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") == 500; }, 1min)) << "a tenth of its share";
  world.release_errs("v2", 0);
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") == 5000; }, 2min)) << "it has proved well";
  order(world, Verb::rollout_resume);
  ASSERT_TRUE(world.run_until([&] { return world.state().phase == Phase::promoted; }, 5min)) << world.state().harm;
  ASSERT_TRUE(is_back(world));
  EXPECT_TRUE(world.engine().state().breakers.empty() || !world.engine().state().breakers.contains("traffic:web/@v2"));
}

TEST(Ejection, AVersionThatFailsAsAWholeIsRolledBackAndNoMoreAreOutThanMayBe) {
  Halfway world({1, 0});
  ASSERT_TRUE(world.ready);
  world.release_errs("v2", 80);
  ASSERT_TRUE(world.run_until([&] { return world.out().has_value(); }, 1min));
  world.run_for(5s);
  EXPECT_EQ(world.out()->kept.substr(0, 1), "0") << world.out()->kept;
  EXPECT_EQ(world.share("web", "v2"), 5000U);
  order(world, Verb::rollout_resume);
  ASSERT_TRUE(world.run_until([&] { return world.state().phase == Phase::rolled_back; }, 2min));
  EXPECT_NE(world.state().harm.find("the proxy sees it fail"), std::string::npos) << world.state().harm;
  ASSERT_TRUE(is_back(world));
}

TEST(Ejection, WhereTheOldVersionFailsAsMuchTheNewOneIsNotToBlame) {
  Halfway world({0, 50});
  ASSERT_TRUE(world.ready);
  for (const char* version : {"v1", "v2"}) world.release_errs(version, 80);
  world.run_for(2min);
  EXPECT_TRUE(world.durable().breakers.contains("traffic:web/@v2"));
  EXPECT_FALSE(world.out());
  EXPECT_EQ(world.share("web", "v2"), 5000U);
}

TEST(Ejection, AVersionsShareStaysExactWhileOneOfItsPlacesIsOut) {
  Started world(watched(routed(fifth())));
  order(world, Verb::deploy, "v2");
  ASSERT_TRUE(world.run_until([&] { return world.share("web", "v2") == 2000; }, 1min));
  world.errs("web", 0, 90);
  ASSERT_TRUE(gets(world, 0, 0, 20s));
  EXPECT_EQ(world.share("web", "v2"), 2000U) << "the others of the old version take over";
}

}  // namespace
}  // namespace homeostat::sim
