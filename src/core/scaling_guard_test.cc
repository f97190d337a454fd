// What holds a change back, and what goes beyond metrics: hours, zero, fallback, hands.
#include <gtest/gtest.h>

#include "core/scaling_test_kit.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

/// Four instances of 100 each; `measure` sets what they measure.
struct Free : Scaled {
  Free() : Scaled(average_service(4, 100'000)) {
    policy.down.window = {};
    policy.up.limits = {{LimitUnit::instances, 100, 15s}};
    policy.down.limits = {{LimitUnit::percent, 100, 15s}};
  }
  void measure(std::int64_t value) {
    for (MetricSample& sample : samples) sample.value = value;
    decide();
  }
  void carry_out() {
    note_scaled(policy, history, out, now);
    counts = {out.desired, out.desired};
    instances.resize(static_cast<std::size_t>(out.desired));
    samples.resize(instances.size());
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].instance = static_cast<std::uint32_t>(i);
  }
};

TEST(ScalingGuard, HandsHoldOneDirectionOrBoth) {
  Free service;
  service.control.freeze_up = true;
  service.measure(200'000);
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.rule, ScalingRule::frozen);
  EXPECT_EQ(service.out.without, 8);
  service.measure(50'000);
  EXPECT_EQ(service.out.desired, 2);
  service.control = {.freeze_down = true};
  service.measure(50'000);
  EXPECT_EQ(service.out.desired, 4);
  service.measure(200'000);
  EXPECT_EQ(service.out.desired, 8);
  service.control = {.paused = true};
  service.measure(200'000);
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.rule, ScalingRule::paused);
  service.control = {.repairing = true};
  service.measure(50'000);
  EXPECT_EQ(service.out.rule, ScalingRule::repairing);
  service.measure(200'000);
  EXPECT_EQ(service.out.desired, 8) << "a repair takes nothing away, but it may grow";
}

TEST(ScalingGuard, ANumberByHandHoldsWithinTheBounds) {
  Free service;
  service.control.by_hand = 7;
  service.measure(50'000);
  EXPECT_EQ(service.out.desired, 7);
  EXPECT_EQ(service.out.rule, ScalingRule::by_hand);
  EXPECT_EQ(service.out.without, 2);
  service.control.by_hand = 1000;
  service.measure(50'000);
  EXPECT_EQ(service.out.desired, 100);
}

TEST(ScalingGuard, InShadowItOnlySaysWhatItWouldDo) {
  Free service;
  service.policy.shadow = true;
  service.measure(200'000);
  EXPECT_EQ(service.out.desired, 8);
  EXPECT_FALSE(service.out.act);
  EXPECT_NE(explain(service.policy, service.out).find("in shadow"), std::string::npos);
}

TEST(ScalingGuard, TurnsDownOnlyAsOftenAsItsBudgetAllows) {
  Free service;
  service.policy.flap_budget = 2;
  const auto swing = [&] {
    service.now += 60s;
    service.measure(150'000);
    service.carry_out();
    service.now += 60s;
    service.measure(50'000);
    const std::int32_t desired = service.out.desired;
    service.carry_out();
    return desired;
  };
  EXPECT_EQ(swing(), 3);
  EXPECT_EQ(swing(), 3) << "3 to 5 to 3";
  EXPECT_EQ(swing(), 5) << "it stays up";
  EXPECT_EQ(service.out.rule, ScalingRule::flap_budget);
  service.now += 1h;
  service.measure(50'000);
  EXPECT_EQ(service.out.desired, 3);
}

TEST(ScalingGuard, GoingFurtherDownIsNoTurn) {
  Free service;
  service.policy.flap_budget = 2;
  const auto go = [&](std::int64_t value) {
    service.now += 60s;
    service.measure(value);
    service.carry_out();
    return service.out.desired;
  };
  EXPECT_EQ(go(200'000), 8);
  EXPECT_EQ(go(50'000), 4);
  EXPECT_EQ(go(50'000), 2);
  EXPECT_EQ(service.history.downs.back().change, 2);
  EXPECT_EQ(go(200'000), 4);
  EXPECT_EQ(go(50'000), 2) << "the second turn";
  EXPECT_EQ(go(50'000), 1) << "the budget is spent, but this is no turn";
}

TEST(ScalingGuard, WhatDoesNotHelpIsNotDoneForEver) {
  Free service;
  service.policy.help = {.tries = 2, .improvement = 50'000, .settle = 10s, .hold = 10min};
  service.policy.up.limits = {{LimitUnit::instances, 1, 1s}};
  for (int i = 0; i < 2; ++i) {
    service.measure(200'000);
    EXPECT_FALSE(service.out.hand_over);
    service.carry_out();
    service.now += 20s;
    service.measure(200'000);
    service.now += 11s;
  }
  service.measure(200'000);
  EXPECT_TRUE(service.out.hand_over);
  EXPECT_EQ(service.out.rule, ScalingRule::no_help);
  EXPECT_EQ(service.out.desired, service.out.current);
  service.now += 10min;
  service.measure(200'000);
  EXPECT_FALSE(service.out.hand_over);
  EXPECT_GT(service.out.desired, service.out.current) << "after a while it tries again";
}

TEST(ScalingGuard, WhatHelpsIsNotHeldAgainstIt) {
  Free service;
  service.policy.help = {.tries = 1, .improvement = 50'000, .settle = 10s, .hold = 10min};
  service.policy.up.limits = {{LimitUnit::instances, 1, 1s}};
  for (std::int64_t value = 400'000; value > 200'000; value = value * 9 / 10) {
    service.measure(value);
    EXPECT_FALSE(service.out.hand_over) << value;
    service.carry_out();
    service.measure(value * 9 / 10);
    service.now += 11s;
  }
}

TEST(ScalingGuard, HelpIsJudgedOnlyOnceItHasCome) {
  Free service;
  service.policy.help = {.tries = 1, .improvement = 50'000, .settle = 10s, .hold = 10min};
  service.measure(200'000);
  service.carry_out();
  service.instances.back().ready = Readiness::no;
  service.samples.pop_back();
  service.now += 1h;
  service.measure(200'000);
  service.now += 1h;
  service.measure(200'000);
  EXPECT_FALSE(service.out.hand_over) << "one of them is still starting";
  service.instances.back().ready = Readiness::yes;
  service.samples.push_back({7, 0, {}, {}});
  service.measure(200'000);
  service.now += 9s;
  service.measure(200'000);
  EXPECT_FALSE(service.out.hand_over) << "it takes a while to show";
  service.now += 1s;
  service.measure(100'000);
  EXPECT_FALSE(service.out.hand_over);
  EXPECT_FALSE(service.history.help.waiting);
}

TEST(ScalingGuard, AFallbackHoldsWhenASourceFailsForLong) {
  Free service;
  service.policy.fallback = {.after = 3, .instances = 6};
  service.readings[0].fault = MetricFault::unread;
  service.decide();
  service.decide();
  EXPECT_EQ(service.out.desired, 4) << "held at first";
  service.decide();
  EXPECT_EQ(service.out.desired, 6);
  EXPECT_EQ(service.out.rule, ScalingRule::fallback);
  service.policy.fallback.instances = 2;
  service.decide();
  EXPECT_EQ(service.out.desired, 4) << "it is no reason to shrink";
  service.readings[0].fault = MetricFault::none;
  service.measure(100'000);
  EXPECT_EQ(service.history.failures, 0);
}

struct Sleeper : Free {
  std::int64_t requests = 0;
  Sleeper() {
    policy.range = {0, 10};
    policy.metrics.push_back({"requests", MetricKind::total_average, 100'000});
    policy.activation = {.metric = 1, .above = 0, .idle_for = 60s};
    readings.push_back({});
  }
  void look(std::int64_t value, std::int64_t load) {
    requests = value;
    readings[1].totals = std::span(&requests, 1);
    measure(load);
  }
};

TEST(ScalingZero, GoesToSleepOnlyAfterAWhileAndWakesAtOnce) {
  Sleeper service;
  service.look(5'000, 50'000);
  EXPECT_EQ(service.out.desired, 2);
  service.carry_out();
  service.now += 59s;
  service.look(0, 0);
  EXPECT_EQ(service.out.desired, 1) << "not yet idle for long enough";
  service.now += 1s;
  service.look(0, 0);
  EXPECT_EQ(service.out.desired, 0);
  EXPECT_EQ(service.out.rule, ScalingRule::idle);
  service.carry_out();
  service.now += 10s;
  service.look(0, 0);
  EXPECT_EQ(service.out.desired, 0);
  service.readings[1].fault = MetricFault::unread;
  service.look(0, 0);
  EXPECT_EQ(service.out.desired, 0) << "not knowing wakes nobody";
  service.readings[1].fault = MetricFault::none;
  service.look(1, 0);
  EXPECT_EQ(service.out.desired, 1) << "though the other metric has nobody who could measure it";
}

TEST(ScalingZero, InUseNeedsOneWhateverTheMetricsAskFor) {
  Sleeper service;
  service.policy.metrics[1].kind = MetricKind::threshold;
  service.counts = {0, 0};
  service.instances.clear();
  service.samples.clear();
  service.look(50'000, 0);
  EXPECT_EQ(service.out.metrics[1].proposal, 0) << "half of what one could do";
  EXPECT_EQ(service.out.desired, 1);
  EXPECT_EQ(service.out.rule, ScalingRule::not_idle);
}

TEST(ScalingZero, AMissingMetricLetsNobodySleep) {
  Sleeper service;
  service.look(0, 0);
  service.now += 1h;
  service.readings[1].fault = MetricFault::unread;
  service.look(0, 0);
  EXPECT_EQ(service.out.desired, 4);
}

TEST(ScalingHours, OtherBoundsHoldByTheHour) {
  Free service;
  ScalingSchedule office{"Europe/Berlin", parse_cron("0 8 * * *").value(), parse_cron("0 18 * * *").value(), 6, 20};
  service.policy.schedules = {office};
  service.local = {7 * 60};
  service.measure(100'000);
  EXPECT_EQ(service.out.desired, 4);
  service.local = {8 * 60};
  service.measure(100'000);
  EXPECT_EQ(service.out.desired, 6);
  EXPECT_EQ(service.out.rule, ScalingRule::below_min);
  EXPECT_EQ(service.out.range.max, 20);
  office.min = 8;
  office.max.reset();
  service.policy.schedules.push_back(office);
  service.local = {8 * 60, 9 * 60};
  service.measure(100'000);
  EXPECT_EQ(service.out.desired, 8) << "of several the larger";
  std::swap(service.policy.schedules[0], service.policy.schedules[1]);
  service.measure(100'000);
  EXPECT_EQ(service.out.desired, 8) << "in any order";
  service.local.clear();
  service.measure(100'000);
  EXPECT_EQ(service.out.desired, 4) << "without a time no schedule holds";
}

TEST(ScalingHours, WhatSleepsIsWokenByTheHour) {
  Free service;
  service.policy.range = {0, 10};
  service.policy.schedules = {{"", parse_cron("0 8 * * *").value(), parse_cron("0 18 * * *").value(), 2, {}}};
  service.counts = {0, 0};
  service.local = {8 * 60};
  service.decide();
  EXPECT_EQ(service.out.desired, 2) << "0 was not made by hand: the minimum allows it";
}

TEST(ScalingAdvice, SaysForEachRuleWhatItWantsAndWhyNot) {
  Free service;
  service.policy.range = {2, 6};
  service.policy.metrics.push_back({"queue", MetricKind::total_average, 100'000});
  service.readings.push_back({MetricFault::unread});
  service.measure(200'000);
  const std::vector<RuleAdvice> advice = recommend(service.policy, service.out);
  ASSERT_EQ(advice.size(), 2U);
  EXPECT_EQ(advice[0].id, "load");
  EXPECT_EQ(advice[0].current, 4);
  EXPECT_EQ(advice[0].desired, 6);
  EXPECT_EQ(advice[0].min, 2);
  EXPECT_EQ(advice[0].max, 6);
  EXPECT_EQ(advice[0].utilisation, 2000);
  EXPECT_EQ(advice[0].why_not, "");
  EXPECT_EQ(advice[1].desired, 4);
  EXPECT_FALSE(advice[1].utilisation);
  EXPECT_EQ(advice[1].why_not, "no number: unread");
  EXPECT_EQ(explain(service.policy, service.out),
            "from 4 to 6 instances; load asks for 8; the maximum is 6 (without this rule: 8)");
  service.measure(50'000);
  EXPECT_EQ(explain(service.policy, service.out),
            "stays at 4 instances; load asks for 2; the metric queue is missing (unread); without it nothing shrinks "
            "(without this rule: 2)");
}

TEST(ScalingMemory, FollowsTheRulesNotTheirPlaces) {
  Free service;
  service.policy.metrics.push_back({"queue", MetricKind::drain, 0});
  service.measure(100'000);
  service.history.metrics[1].drain.capacity = 5;
  std::swap(service.policy.metrics[0], service.policy.metrics[1]);
  service.decide();
  EXPECT_EQ(service.history.metrics[0].id, "queue");
  EXPECT_EQ(service.history.metrics[0].drain.capacity, 5);
  service.policy.metrics.pop_back();
  service.decide();
  EXPECT_EQ(service.history.metrics.size(), 1U);
}

TEST(ScalingMemory, LearnsHowLongAStartTakesFromFirstStartsOnly) {
  Free service;
  service.measure(100'000);
  service.instances[0].started = service.now;
  service.instances[0].first_ready = service.now + 40s;
  service.now += 50s;
  service.decide();
  EXPECT_EQ(service.history.start_time, 40s);
  service.instances[1].started = service.now;
  service.instances[1].first_ready = service.now + 80s;
  service.now += 90s;
  for (int i = 0; i < 5; ++i) service.decide();
  EXPECT_EQ(service.history.start_time, 50s) << "each start counts once";
  service.instances[1].started = service.now - 1h;
  service.instances[1].ready_changed = service.now;  // it was unready for a while; that is no start
  service.now += 50s;
  service.decide();
  EXPECT_EQ(service.history.start_time, 50s);
}

}  // namespace
}  // namespace homeostat
