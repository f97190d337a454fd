// Stories of the diagnosis that need an exact moment.
#include <gtest/gtest.h>

#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

/// Two tiers; the upper one is looked at so seldom that nothing else comes between its verdict and its repair.
Plan two_tiers() {
  ServicePlan db = web("db", 1);
  ServicePlan api = web("api", 1);
  api.checks = {http_check()};
  api.checks[0].policy.interval = api.checks[0].policy.fast_interval = 10s;
  api.depends_on = {0};
  return plan_of({std::move(db), std::move(api)});
}

bool fails(const World& world, std::string_view service) {
  for (const IncidentFailing& one : world.all<IncidentFailing>()) {
    if (one.service == service) return true;
  }
  return false;
}

TEST(Diagnosis, ACandidateIsLookedAtAgainBeforeItIsRepaired) {
  Started world(two_tiers());
  const std::size_t effects = world.effects().size();
  const std::size_t looks = world.probes("api");
  world.behave("api", 0, Behaviour::hang);
  ASSERT_TRUE(world.run_until([&] { return world.probes("api") == looks + 3; }, 2min));
  world.behave("api", 0, Behaviour::well);  // the third look is under way, and will end in vain
  world.run_for(5s);
  ASSERT_TRUE(fails(world, "api"));
  EXPECT_EQ(world.effects().size(), effects) << "it answers again, and is repaired all the same";
  world.run_for(1min);
  EXPECT_EQ(world.status("api"), Status::healthy);
}

TEST(Diagnosis, WhatItNeedsIsLookedAtAgainToo) {
  Started world(two_tiers());
  const std::size_t effects = world.effects().size();
  world.behave("api", 0, Behaviour::hang);
  ASSERT_TRUE(world.run_until([&] { return fails(world, "api"); }, 2min));
  world.behave("db", 0, Behaviour::refuse);
  world.run_for(1s);
  ASSERT_FALSE(world.effects().size() > effects && world.effects()[effects].service == "api") << "db is the cause";
  ASSERT_TRUE(world.run_until([&] { return world.effects().size() > effects; }, 1min));
  EXPECT_EQ(world.effects()[effects].service, "db");
}

TEST(Diagnosis, WhoWaitsStillWaitsAfterAReload) {
  Started world(two_tiers());
  world.fail_starts("db", true);
  world.crash("db", 0);
  world.crash("api", 0);
  world.run_for(2s);
  const std::size_t effects = world.effects().size();
  Plan plan = two_tiers();
  plan.generation = 2;
  world.reload(std::move(plan));
  world.run_for(20s);
  for (std::size_t i = effects; i < world.effects().size(); ++i) EXPECT_EQ(world.effects()[i].service, "db");
  world.fail_starts("db", false);
  EXPECT_TRUE(world.run_until([&] { return world.running("api", 0); }, 6min));
}

}  // namespace
}  // namespace homeostat::sim
