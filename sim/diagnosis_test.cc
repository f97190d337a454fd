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

/// Two that nobody says need each other, below a third.
Plan two_beside_each_other() {
  ServicePlan a = web("a", 1);
  ServicePlan b = web("b", 1);
  a.checks = b.checks = {http_check()};
  ServicePlan c = web("c", 1);
  c.depends_on = {0, 1};
  return plan_of({std::move(a), std::move(b), std::move(c)});
}

TEST(Diagnosis, OfThoseThatWaitForEachOtherOneIsRepairedAndTheOtherIsGivenTimeToRecover) {
  Started world(two_beside_each_other());
  const std::size_t effects = world.effects().size();
  world.behave("a", 0, Behaviour::hang);
  world.behave("b", 0, Behaviour::hang);
  world.run_for(50s);
  ASSERT_TRUE(fails(world, "a") && fails(world, "b"));
  ASSERT_EQ(world.effects().size(), effects) << "nobody can say which was hit by which";
  ASSERT_TRUE(world.run_until([&] { return world.effects().size() > effects; }, 30s));
  const std::string first = world.effects()[effects].service;
  const std::string other = first == "a" ? "b" : "a";
  world.run_for(5500ms);  // it is asked about again after 5 s
  world.behave(other, 0, Behaviour::well);
  world.run_for(3min);
  for (std::size_t i = effects; i < world.effects().size(); ++i) EXPECT_EQ(world.effects()[i].service, first);
  EXPECT_EQ(world.status(other), Status::healthy);
}

TEST(Diagnosis, OfThoseThatWaitForEachOtherTheSecondHasItsTurn) {
  Started world(two_beside_each_other());
  const std::size_t effects = world.effects().size();
  world.behave("a", 0, Behaviour::hang);
  world.behave("b", 0, Behaviour::hang);
  const auto repaired = [&](std::string_view service) {
    const auto& all = world.effects();
    return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(effects), all.end(),
                       [&](const auto& effect) { return effect.service == service; });
  };
  ASSERT_TRUE(world.run_until([&] { return repaired("a") && repaired("b"); }, 3min));
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
