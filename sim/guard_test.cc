// Stories of guardrails: maintenance and its windows, approvals, budgets that are shared, the calm after a storm.
#include <gtest/gtest.h>

#include "engine/maintenance.hpp"
#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

void maintain(World& world, Verb verb, const std::string& service, Duration length = {}) {
  Operator in;
  in.verb = verb;
  in.service = service;
  in.length = length;
  in.reason = "new disk";
  in.by = "ann";
  world.input(in);
}

std::string hold_of(const World& world, const std::string& service) {
  const auto& holds = world.durable().services.at(service).holds;
  return holds.empty() ? "" : holds.begin()->second.gate;
}

/// A window that is open from half past one (a world begins at one o'clock).
Plan windowed(const char* start = "30 1 * * *", const char* end = "40 1 * * *") {
  Plan plan = plan_of({web("web", 1), web("other", 1)});
  MaintenanceWindow window;
  window.start = *parse_cron(start);
  window.end = *parse_cron(end);
  plan.zones = {"UTC"};
  plan.services[0].maintenance = {window};
  return plan;
}

TEST(Maintenance, TakesBackWhatWaitsForAnApprovalAndNothingIsUsedUp) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].mode = Mode::approve;
  Started world(plan);
  world.crash("web", 0);
  world.run_for(1s);
  ASSERT_EQ(world.durable().actions.size(), 1U);
  ASSERT_EQ(world.all<Escalated>().size(), 1U) << "somebody is told that an approval is waited for";
  maintain(world, Verb::maintenance_begin, "web", 1h);
  world.run_for(1s);
  EXPECT_TRUE(world.durable().actions.empty());
  EXPECT_EQ(world.all<Outcome>().back().outcome, OutcomeKind::not_started);
  EXPECT_EQ(world.durable().services.at("web").ladders.begin()->second.attempts, 0U);
  world.run_for(50min);
  EXPECT_EQ(world.all<Escalated>().size(), 1U) << "somebody was called about an approval that nobody needs";
  maintain(world, Verb::maintenance_end, "web");
  world.run_for(1s);
  EXPECT_EQ(world.durable().actions.size(), 1U) << "it is asked anew";
}

TEST(Maintenance, ANewEndTakesTheOldOnesPlace) {
  Started world(plan_of({web("web", 1)}));
  const Instant since = world.now();
  maintain(world, Verb::maintenance_begin, "web", 10min);
  world.run_for(5min);
  maintain(world, Verb::maintenance_begin, "web", 10min);
  world.run_for(9min);
  const auto& state = world.durable().maintenance.at("web");
  EXPECT_EQ(state.since, since);
  EXPECT_EQ(state.reason, "new disk");
  world.run_for(2min);
  EXPECT_TRUE(world.durable().maintenance.empty());
  ASSERT_EQ(world.durable().maintained.size(), 1U);
  EXPECT_EQ(world.durable().maintained[0].span.to - since, 15min);
}

TEST(Maintenance, AWindowIsOpenFromMinuteToMinute) {
  Started world(windowed());
  world.run_for(30min - 5s - 1ms);
  EXPECT_TRUE(world.durable().windows.empty());
  world.run_for(20ms);
  ASSERT_TRUE(world.durable().windows.contains("web"));
  EXPECT_EQ(world.durable().windows.at("web").until, Instant(1h + 40min));
  world.run_for(10min - 40ms);
  EXPECT_TRUE(world.durable().windows.contains("web"));
  world.run_for(40ms);
  EXPECT_TRUE(world.durable().windows.empty());
}

TEST(Maintenance, AWindowThatWasEndedByHandStaysEndedUntilTheNext) {
  Started world(windowed("*/30 1-2 * * *", "10-59/30 1-2 * * *"));
  world.run_for(30min);
  ASSERT_TRUE(world.durable().windows.contains("web"));
  maintain(world, Verb::maintenance_end, "web");
  world.crash("web", 0);
  world.run_for(5s);
  EXPECT_TRUE(world.running("web", 0)) << "it is over";
  world.run_for(20min);
  EXPECT_TRUE(world.durable().windows.empty());
  world.run_for(12min);
  world.crash("web", 0);
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0)) << "the next window is open";
}

TEST(Maintenance, WithoutAWindowInTheConfigurationItIsOver) {
  Started world(windowed());
  world.run_for(31min);
  world.crash("web", 0);
  world.run_for(10s);
  ASSERT_FALSE(world.running("web", 0));
  world.reload(plan_of({web("web", 1), web("other", 1)}));
  world.run_for(5s);
  EXPECT_TRUE(world.durable().windows.empty());
  EXPECT_TRUE(world.running("web", 0));
}

TEST(Maintenance, AWindowThatOpenedWhileHomeostatWasAwayHoldsFromItsStart) {
  Started world(windowed());
  world.kill_engine();
  world.run_for(31min);
  world.crash("web", 0);
  world.boot();
  world.run_for(1min);
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_EQ(hold_of(world, "web"), "maintenance");
}

TEST(Maintenance, WithoutAClockNothingIsDoneToWhatHasWindows) {
  Plan plan = windowed();
  plan.zones.push_back("Mars");  // the world tells of one zone less than this
  plan.services[0].maintenance[0].zone = 1;
  Started world(windowed());
  ASSERT_TRUE(world.running("web", 0));
  world.only_zones(1);
  world.reload(plan);
  world.crash("web", 0);
  world.crash("other", 0);
  world.run_for(10s);
  EXPECT_TRUE(world.running("other", 0));
  EXPECT_FALSE(world.running("web", 0));
  EXPECT_EQ(hold_of(world, "web"), "clock");
  world.run_for(6min);
  EXPECT_FALSE(world.all<Escalated>().empty()) << "somebody is told";
}

TEST(Maintenance, TellsWhenTheNextWindowOpens) {
  Started world(windowed());
  world.run_for(3min);
  const auto planned = planned_maintenance(world.engine().state(), world.now());
  ASSERT_EQ(planned.size(), 1U);
  EXPECT_EQ(planned[0].service, "web");
  EXPECT_EQ(planned[0].from, Instant(1h + 30min));
}

TEST(GroupBudget, WhatWasDoneToAGroupCountsWhenItsServiceHasLeftIt) {
  Plan plan = plan_of({web("a", 1), web("b", 1)});
  plan.groups = {{"pair", Budget{1, 0, 10min}}};
  plan.services[0].group = plan.services[1].group = 0;
  Started world(plan);
  world.behave("a", 0, Behaviour::error500);
  world.run_for(10s);
  ASSERT_EQ(world.durable().disruptions.size(), 1U);
  plan.services[0].group = kNone;
  world.reload(plan);
  world.behave("b", 0, Behaviour::error500);
  world.run_for(10s);
  EXPECT_EQ(hold_of(world, "b"), "budget");
  world.run_for(10min);
  EXPECT_EQ(world.status("b"), Status::healthy);
}

TEST(Approval, IsForTheRunThatWasSeen) {
  Plan plan = plan_of({web("web", 1)});
  plan.services[0].mode = Mode::approve;
  Started world(plan);
  world.behave("web", 0, Behaviour::error500);
  world.run_for(5s);
  ASSERT_EQ(world.durable().actions.size(), 1U);
  const Intent intent = world.durable().actions.begin()->second.intent;
  EXPECT_FALSE(intent.expected.none());
  Operator restart;
  restart.verb = Verb::restart;
  restart.service = "web";
  restart.by = "ann";
  world.input(restart);
  world.run_for(10s);
  const std::size_t effects = world.effects().size();
  Operator approve;
  approve.verb = Verb::approve;
  approve.id = intent.id;
  approve.by = "bob";
  world.input(approve);
  world.run_for(10s);
  EXPECT_EQ(world.effects().size(), effects) << "another run is there by now";
}

}  // namespace
}  // namespace homeostat::sim
