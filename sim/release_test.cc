// Stories of releases: deployments, bad ones, rollbacks.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

ServicePlan released(std::uint32_t instances = 2) {
  ServicePlan service = web("web", instances);
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = 2s;
  RungPlan rollback = rung(StrategyKind::rollback);
  rollback.when.changed_within = 15min;
  service.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), rollback); });
  return service;
}

void deploy(World& world, const std::string& version, bool force = false) {
  Operator in;
  in.verb = Verb::deploy;
  in.service = "web";
  in.version = version;
  in.force = force;
  in.by = "test";
  world.input(in);
}

const OperationMoved& last_operation(const World& world) {
  static OperationMoved last;
  last = world.all<OperationMoved>().back();
  return last;
}

TEST(Release, DeploymentMovesInstanceByInstanceVerified) {
  Started world(plan_of({released(3)}));
  deploy(world, "v2");
  world.run_for(10s);
  for (Slot slot = 0; slot < 3; ++slot) EXPECT_EQ(world.version("web", slot), "v2");
  EXPECT_EQ(last_operation(world).phase, OperationPhase::done);
  EXPECT_EQ(world.durable().services.at("web").stable, (std::vector<std::string>{"v1", "v2"}));
  EXPECT_TRUE(world.durable().incidents.empty());
  // One at a time: a stop comes only after the one before was verified.
  Instant verified = kLongAgo;
  for (const Record& record : world.records()) {
    if (std::get_if<Verified>(&record.body) != nullptr) verified = record.at;
    const auto* intent = std::get_if<Intent>(&record.body);
    if (intent != nullptr && intent->origin == Origin::operation && intent->slot > 0) {
      EXPECT_GE(record.at, verified);
    }
  }
}

TEST(Release, BadReleaseStopsAtTheFirstInstanceAndIsRolledBack) {
  Started world(plan_of({released()}));
  world.release_behaves("bad", Behaviour::error500);
  deploy(world, "bad");
  world.run_for(20s);
  EXPECT_EQ(world.version("web", 0), "v1");
  EXPECT_EQ(world.version("web", 1), "v1");
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_TRUE(world.durable().services.at("web").quarantined.contains("bad"));
  // The second instance was never touched.
  for (const Effect& effect : world.effects()) {
    EXPECT_FALSE(effect.slot == 1 && effect.version == "bad");
  }
  deploy(world, "bad");
  world.run_for(1s);
  EXPECT_EQ(world.version("web", 0), "v1") << "a quarantined release needs force";
}

TEST(Release, WithoutAStableReleaseTheRollbackIsSkippedWithAReason) {
  ServicePlan service = released(1);
  service.stable_after = 1h;
  Started world(plan_of({service}));
  world.release_behaves("bad", Behaviour::error500);
  deploy(world, "bad");
  world.run_for(1min);
  bool skipped = false;
  for (const Skipped& skip : world.all<Skipped>()) skipped = skipped || skip.strategy == "rollback";
  EXPECT_TRUE(skipped);
  EXPECT_EQ(world.version("web", 0), "bad");
}

ServicePlan back_to(const std::string& version) {
  ServicePlan service = released();
  RungPlan named = rung(StrategyKind::rollback);
  named.version = version;
  service.ladder = {named, rung(StrategyKind::restart), rung(StrategyKind::escalate)};
  return service;
}

TEST(Release, ARollbackToANamedVersionLeavesAProvedOneWithoutQuarantine) {
  Started world(plan_of({back_to("v0")}));
  world.run_for(5s);
  ASSERT_TRUE(world.durable().services.at("web").is_stable("v1"));
  world.release_behaves("v1", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(1min);
  for (Slot slot = 0; slot < 2; ++slot) EXPECT_EQ(world.version("web", slot), "v0") << slot;
  EXPECT_EQ(world.durable().services.at("web").version, "v0") << "it outlives the configuration";
  EXPECT_TRUE(world.durable().services.at("web").quarantined.empty());
}

std::string reason_of_the_skip(World& world) {
  world.release_behaves("", Behaviour::error500);
  world.behave("web", 0, Behaviour::error500);
  world.run_until([&] { return !world.all<Skipped>().empty(); }, 1min);
  const auto skipped = world.all<Skipped>();
  return skipped.empty() ? "" : skipped.front().reason;
}

TEST(Release, ARollbackToANamedVersionSaysWhyItDoesNotApply) {
  Started there(plan_of({back_to("v1")}));
  EXPECT_EQ(reason_of_the_skip(there), "it is on v1 already");
  // A deployment that fails is rolled back to the last stable one, and its version quarantined.
  Started world(plan_of({released()}));
  world.release_behaves("v0", Behaviour::error500);
  deploy(world, "v0");
  world.run_for(20s);
  ASSERT_TRUE(world.durable().services.at("web").quarantined.contains("v0"));
  world.run_for(1h);  // its next ladder begins anew
  world.reload(plan_of({back_to("v0")}));
  EXPECT_EQ(reason_of_the_skip(world), "release v0 is quarantined");
  Plan plain = plan_of({back_to("v0")});
  plain.services[0].runtime.releases = false;
  Started without(plain);
  EXPECT_EQ(reason_of_the_skip(without), "the runtime has no releases");
}

TEST(Release, EngineKilledInTheMiddleGoesOn) {
  Started world(plan_of({released(3)}));
  deploy(world, "v2");
  ASSERT_TRUE(world.run_until([&] { return world.version("web", 0) == "v2"; }, 5s));
  world.run_for(2ms);
  world.kill_engine();
  world.boot();
  world.run_for(20s);
  for (Slot slot = 0; slot < 3; ++slot) EXPECT_EQ(world.version("web", slot), "v2") << slot;
  std::map<Slot, int> starts;
  for (const Effect& effect : world.effects()) starts[effect.slot] += effect.op != Op::stop && effect.version == "v2";
  for (const auto& [slot, count] : starts) EXPECT_EQ(count, 1) << slot;
}

TEST(Release, DeployedVersionOutlivesTheConfiguration) {
  Started world(plan_of({released()}));
  deploy(world, "v2");
  world.run_for(10s);
  world.kill_engine();
  world.boot();
  world.crash("web", 0);
  world.run_for(10s);
  EXPECT_EQ(world.version("web", 0), "v2");
}

TEST(Release, RollingRestartKeepsWithinMaxUnavailable) {
  Started world(plan_of({web("web", 3)}));
  Operator in;
  in.verb = Verb::restart;
  in.service = "web";
  in.by = "test";
  world.input(in);
  const bool ever_two = world.run_until(
      [&] {
        int down = 0;
        for (Slot slot = 0; slot < 3; ++slot) down += world.running("web", slot) ? 0 : 1;
        return down > 1;
      },
      20s);
  EXPECT_FALSE(ever_two);
  EXPECT_EQ(world.status("web"), Status::healthy);
  EXPECT_EQ(last_operation(world).phase, OperationPhase::done);
}

TEST(Release, AReloadThatForgetsWhatWasSeenTakesNoHealthyInstanceAway) {
  Started world(plan_of({web("web", 2)}));
  world.fail_starts("web", true);
  world.crash("web", 0);
  world.run_for(5s);
  Operator in;
  in.verb = Verb::restart;
  in.service = "web";
  in.slot = 1;
  in.by = "test";
  world.input(in);
  world.run_for(1s);
  ASSERT_TRUE(world.running("web", 1)) << "it is the last one";
  ServicePlan changed = web("web", 2);
  for (CheckPlan& check : changed.checks) check.identity = 7;  // they look elsewhere: nothing is known yet
  world.reload(plan_of({changed}));
  EXPECT_FALSE(world.run_until([&] { return !world.running("web", 1); }, 30s));
}

}  // namespace
}  // namespace homeostat::sim
