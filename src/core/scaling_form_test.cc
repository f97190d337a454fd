// Thresholds, queues and two windows, as metrics of a service.
#include <gtest/gtest.h>

#include "core/scaling_test_kit.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

/// Four instances, target 100, up above 110, down below 70.
Scaled classic(std::int64_t value) {
  Scaled service = average_service(4, 100'000);
  service.policy.metrics[0].kind = MetricKind::threshold;
  service.policy.down.window = {};
  service.policy.up.limits = {{LimitUnit::instances, 100, 15s}};
  for (MetricSample& sample : service.samples) sample.value = value;
  return service;
}

std::int32_t decided(Scaled service) {
  service.decide();
  return service.out.desired;
}

TEST(ScalingThreshold, UpIsRoundedUpAndDownIsRoundedDown) {
  EXPECT_EQ(decided(classic(110'000)), 4) << "the edge is within";
  EXPECT_EQ(decided(classic(110'001)), 5) << "4.4";
  EXPECT_EQ(decided(classic(250'000)), 10);
  EXPECT_EQ(decided(classic(70'000)), 4) << "the edge is within";
  EXPECT_EQ(decided(classic(69'999)), 2) << "2.8";
  EXPECT_EQ(decided(classic(25'000)), 1);
}

TEST(ScalingThreshold, ZeroAndLessAreDefined) {
  EXPECT_EQ(decided(classic(0)), 1) << "nothing to do: the minimum";
  Scaled service = classic(-1);
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::negative);
  EXPECT_EQ(service.out.desired, 4);
  service = classic(50'000);
  service.policy.metrics[0].target = 0;
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::bad_target);
  EXPECT_EQ(service.out.desired, 4);
}

TEST(ScalingThreshold, EachRuleHasItsOwnBoundsAndTheLargestWins) {
  Scaled service = classic(250'000);
  service.policy.metrics[0].threshold.range = {2, 6};
  service.decide();
  EXPECT_EQ(service.out.desired, 6);
  EXPECT_EQ(service.out.metrics[0].reason, ProposalReason::rule_bound);
  MetricRule queue = service.policy.metrics[0];
  queue.id = "queue";
  queue.threshold.range = {3, 8};
  service.policy.metrics.push_back(queue);
  const std::int64_t waiting = 300'000;
  service.readings.push_back({MetricFault::none, {}, std::span(&waiting, 1)});
  service.decide();
  EXPECT_EQ(service.out.desired, 8);
  EXPECT_EQ(service.out.winner, 1);
}

TEST(ScalingThreshold, EachDirectionCoolsDownByItself) {
  Scaled service = classic(200'000);
  service.policy.metrics[0].threshold.up_cooldown = 60s;
  service.policy.metrics[0].threshold.down_cooldown = 300s;
  service.decide();
  EXPECT_EQ(service.out.desired, 8);
  note_scaled(service.policy, service.history, service.out, service.now);
  service.now += 59s;
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.metrics[0].reason, ProposalReason::cooling_down);
  for (MetricSample& sample : service.samples) sample.value = 50'000;
  service.decide();
  EXPECT_EQ(service.out.desired, 2) << "down was not scaled yet";
  note_scaled(service.policy, service.history, service.out, service.now);
  service.now += 299s;
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  service.now += 1s;
  service.decide();
  EXPECT_EQ(service.out.desired, 2);
}

TEST(ScalingThreshold, StartingInstancesAreCredited) {
  Scaled service = classic(300'000);
  for (std::size_t i : {1U, 2U, 3U}) service.instances[i].ready = Readiness::no;
  service.decide();
  EXPECT_EQ(service.out.desired, 4) << "one serves three times its target: three are enough, and four are coming";
  EXPECT_EQ(service.out.metrics[0].reason, ProposalReason::starting_credited);
}

TEST(ScalingThreshold, WhoServesAndWasNotMeasuredMayBeBusy) {
  Scaled service = classic(10'000);
  service.samples.pop_back();
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.metrics[0].reason, ProposalReason::some_unmeasured);
}

Scaled queue_service(std::vector<std::int64_t>& totals) {
  Scaled service;
  service.policy.range = {0, 100};
  service.policy.metrics = {{"queue", MetricKind::drain, 0}};
  service.policy.down.window = {};
  service.policy.up.limits = {{LimitUnit::instances, 100, 15s}};
  service.counts = {1, 1};
  service.instances.resize(1);
  service.readings.push_back({MetricFault::none, {}, totals});
  return service;
}

TEST(ScalingDrain, LearnsWhatAnInstanceDoesAndCountsWhatStarts) {
  std::vector<std::int64_t> totals{0, 0};
  Scaled service = queue_service(totals);
  const auto look = [&](std::int64_t backlog, std::int64_t completed) {
    totals = {backlog * 1000, completed * 1000};
    service.readings[0].totals = totals;
    homeostat::decide(service.policy, service.history, {service.readings, service.instances, service.counts, {}, {}},
                      service.now, service.out);
  };
  look(0, 0);
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::unlearned);
  EXPECT_EQ(service.out.desired, 1) << "not knowing is no reason to change";
  service.now += 10s;
  look(900, 100);
  EXPECT_EQ(service.history.metrics[0].drain.capacity, 10'000);
  EXPECT_EQ(service.history.metrics[0].drain.arrivals, 100'000);
  EXPECT_EQ(service.out.desired, 12) << "(100/s + 900 / 60 s) / 10, rounded up";
  // Eleven are starting, for 30 s by now; an instance that is started now serves in 30 s.
  service.counts = {12, 12};
  for (int i = 0; i < 11; ++i) {
    ScalingInstance starting;
    starting.ready = Readiness::no;
    starting.started = service.now;
    service.instances.push_back(starting);
  }
  service.now += 30s;
  look(3600, 400);
  // By then 3600 + 100/s * 30 s - 10/s * (30 + 11 * 30) s = 3000 wait.
  EXPECT_EQ(service.out.desired, 15);
}

// The queue stands still whatever is added: what limits it is elsewhere.
TEST(ScalingDrain, WhatIsAddedInVainIsNoticed) {
  std::vector<std::int64_t> totals{0, 0};
  Scaled service = queue_service(totals);
  service.policy.help = {.tries = 2, .improvement = 50'000, .settle = 10s, .hold = 1h};
  std::int32_t most = 0;
  for (int i = 0; i < 100; ++i, service.now += 5s) {
    totals = {i * 100'000, i * 50'000};  // 30 a second arrive, 10 are done
    service.readings[0].totals = totals;
    homeostat::decide(service.policy, service.history, {service.readings, service.instances, service.counts, {}, {}},
                      service.now, service.out);
    note_scaled(service.policy, service.history, service.out, service.now);
    service.counts = {service.out.desired, service.out.desired};
    service.instances.resize(static_cast<std::size_t>(service.out.desired));
    most = std::max(most, service.out.desired);
  }
  EXPECT_TRUE(service.out.hand_over);
  EXPECT_EQ(service.out.rule, ScalingRule::no_help);
  EXPECT_LT(most, 100) << "it did not go to the maximum first";
}

TEST(ScalingDrain, BeginsFromZeroAsSoonAsSomethingWaits) {
  std::vector<std::int64_t> totals{0, 0};
  Scaled service = queue_service(totals);
  service.counts = {0, 0};
  service.instances.clear();
  service.decide();
  EXPECT_EQ(service.out.desired, 0);
  totals = {1000, 0};
  service.now += 10s;
  service.decide();
  EXPECT_EQ(service.out.desired, 1);
}

TEST(ScalingDrain, WhoHasPausesTeachesNothing) {
  std::vector<std::int64_t> totals{0, 0};
  Scaled service = queue_service(totals);
  service.decide();
  service.now += 10s;
  totals = {0, 20'000};
  service.decide();
  EXPECT_EQ(service.history.metrics[0].drain.arrivals, 2'000);
  EXPECT_EQ(service.history.metrics[0].drain.capacity, 0) << "two a second came, and it may do more";
}

TEST(ScalingDrain, ACounterThatBeginsAnewTeachesNothing) {
  std::vector<std::int64_t> totals{5000, 900'000};
  Scaled service = queue_service(totals);
  service.decide();
  service.now += 10s;
  totals = {5000, 1000};
  service.decide();
  EXPECT_EQ(service.history.metrics[0].drain.capacity, 0);
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::unlearned);
}

TEST(ScalingPanic, AsAMetricKeepsItsOwnWindows) {
  Scaled service = average_service(1, 10'000);
  service.policy.metrics[0].kind = MetricKind::panic;
  service.policy.down.window = {};
  service.policy.up.limits = {{LimitUnit::instances, 100, 15s}};
  std::int64_t load = 10'000;
  const auto look = [&] {
    service.readings[0].samples = {};
    service.readings[0].totals = std::span(&load, 1);
    homeostat::decide(service.policy, service.history, {service.readings, service.instances, {1, 1}, {}, {}},
                      service.now, service.out);
  };
  for (int i = 0; i < 60; ++i, service.now += 1s) look();
  EXPECT_EQ(service.out.desired, 1);
  load = 100'000;
  for (int i = 0; i < 6; ++i, service.now += 1s) look();
  EXPECT_EQ(service.out.desired, 10) << "six seconds are enough";
  EXPECT_EQ(service.out.metrics[0].reason, ProposalReason::panics);
  load = 0;
  for (int i = 0; i < 30; ++i, service.now += 1s) look();
  EXPECT_EQ(service.out.desired, 10) << "and nothing shrinks in panic";
  for (int i = 0; i < 120; ++i, service.now += 1s) look();
  EXPECT_EQ(service.out.desired, 1);
  EXPECT_LE(service.history.metrics[0].load.slices.size(), 60U);
}

TEST(ScalingPanic, AMetricThatIsNewKeepsWhatRunsForOneWindow) {
  Scaled service = average_service(6, 10'000);
  service.policy.metrics[0].kind = MetricKind::panic;
  service.policy.down.window = {};
  const std::int64_t load = 0;
  service.readings[0].totals = std::span(&load, 1);
  service.decide();
  EXPECT_EQ(service.out.desired, 6);
  service.now += 61s;
  service.decide();
  EXPECT_EQ(service.out.desired, 3);
}

TEST(ScalingPanic, AServiceThatRunsBeginsInPanic) {
  const Instant start(1h);
  PanicState state = begin_panic_state(5, start);
  const PanicReading idle{0, 0, 10};
  EXPECT_EQ(decide_panic({}, state, idle, 5, start + 60s).wanted, 5);
  EXPECT_EQ(decide_panic({}, state, idle, 5, start + 61s).wanted, 2) << "half of what is ready, at most";
  PanicState one = begin_panic_state(1, start);
  EXPECT_EQ(decide_panic({}, one, idle, 1, start).wanted, 0);
}

TEST(ScalingPanic, ShrinksToTheMostOfTheDelay) {
  PanicPolicy policy;
  policy.threshold = 100'000'000;
  policy.up_rate = 10'000'000;
  policy.down_rate = 10'000'000;
  policy.down_delay = 300s;
  PanicState state;
  const auto wanted = [&](std::int64_t load, Duration at) {
    return decide_panic(policy, state, {load, load, 10}, 0, Instant(1h) + at).wanted;
  };
  EXPECT_EQ(wanted(40, 2s), 4);
  EXPECT_EQ(wanted(0, 300s), 4);
  EXPECT_EQ(wanted(0, 302s), 0);
  EXPECT_EQ(wanted(50, 400s), 5);
  EXPECT_EQ(wanted(30, 401s), 5) << "of one slice the largest";
  EXPECT_EQ(wanted(30, 500s), 5);
  EXPECT_EQ(wanted(10, 699s), 5);
  EXPECT_EQ(wanted(10, 700s), 3);
  EXPECT_EQ(wanted(10, 800s), 1);
}

}  // namespace
}  // namespace homeostat
