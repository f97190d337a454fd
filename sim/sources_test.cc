// What stands between the autoscaler and the sources of its metrics: breakers, and how old a number may be.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

/// Ten at most, each takes a load of 10; the load is told by somebody else, and may be a minute old.
ServicePlan scaled() {
  ServicePlan service = web("web", 10);
  ScalingPlan scaling;
  scaling.policy.range = {2, 10};
  MetricRule rule;
  rule.id = "load";
  rule.kind = MetricKind::average;
  rule.target = 10'000;
  scaling.policy.metrics = {rule};
  scaling.policy.down.window = 0s;
  scaling.sources = {{.kind = MetricSource::outside, .reference = 0, .identity = 7, .fresh_within = 1min}};
  service.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
  return service;
}

struct Fleet : Started {
  Fleet() : Started(plan_of({scaled()})) {
    on_command([this](const Command& command) {
      const auto* measure = std::get_if<Measure>(&command);
      if (measure != nullptr && measure->held == 0) ++asked;
    });
  }

  std::size_t asked = 0;

  std::string why() const { return engine().state().services[0].scaling->advice.at(0).why_not; }
  std::optional<std::string> breaker() const {
    const auto found = durable().breakers.find("metric:web/load");
    return found == durable().breakers.end() ? std::nullopt : std::optional(found->first);
  }
};

TEST(Sources, ThatFailAgainAndAgainAreLeftAlone) {
  Fleet world;
  world.load("web", 50'000);
  world.run_for(1min);
  EXPECT_EQ(world.durable().services.at("web").spare.size(), 5U);
  world.load("web", std::nullopt);
  world.run_for(90s);
  EXPECT_TRUE(world.breaker());
  const std::size_t before = world.asked;
  world.run_for(15s);
  EXPECT_EQ(world.asked, before) << "nobody is asked while it is open";
  EXPECT_NE(world.why().find("asked again in"), std::string::npos) << world.why();
  EXPECT_EQ(world.durable().services.at("web").spare.size(), 5U);
}

TEST(Sources, ThatWorkAgainAreHeardAgain) {
  Fleet world;
  world.load("web", std::nullopt);
  world.run_for(90s);
  ASSERT_TRUE(world.breaker());
  world.load("web", 50'000);
  world.run_for(3min);
  EXPECT_FALSE(world.breaker());
  EXPECT_EQ(world.durable().services.at("web").spare.size(), 5U);
}

TEST(Sources, AnOpenBreakerSurvivesAKill) {
  Fleet world;
  world.load("web", std::nullopt);
  world.run_for(90s);
  ASSERT_TRUE(world.breaker());
  world.kill_engine();
  world.boot();
  EXPECT_TRUE(world.breaker());
}

TEST(Sources, AReloadWhileTheyAreAskedLeavesNoProbeBehind) {
  Fleet world;
  world.load("web", std::nullopt);
  world.run_for(90s);
  ASSERT_TRUE(world.breaker());
  world.load("web", 50'000);
  const std::size_t before = world.asked;
  for (int i = 0; i < 300'000 && world.asked == before; ++i) world.run_for(1ms);
  ASSERT_GT(world.asked, before) << "the probe has been let through, and is not answered yet";
  world.reload(world.plan());
  world.run_for(1min);
  EXPECT_FALSE(world.breaker());
}

TEST(Sources, ANumberThatIsTooOldIsNotUsed) {
  Fleet world;
  world.load("web", 50'000);
  world.run_for(1min);
  world.load("web", 10'000, 61s);
  world.run_for(2min);
  EXPECT_EQ(world.durable().services.at("web").spare.size(), 5U) << "what is old takes nothing away";
  EXPECT_NE(world.why().find("no number: stale: measured 62 s ago, and may be 60 s old"), std::string::npos)
      << world.why();
  EXPECT_FALSE(world.breaker()) << "an answer is an answer";
  world.load("web", 10'000, 59s);
  world.run_for(2min);
  EXPECT_EQ(world.durable().services.at("web").spare.size(), 8U);
}

}  // namespace
}  // namespace homeostat::sim
