// The rules of the HorizontalPodAutoscaler where its published cases do not tell one from the other.
#include "core/scaling_metric.hpp"

#include <gtest/gtest.h>

#include "core/scaling_limits.hpp"
#include "core/scaling_test_kit.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1000h};

/// Instances that measured `values`; a negative value: it has no sample. Each was promised 1000.
struct Told {
  std::vector<ScalingInstance> instances;
  std::vector<MetricSample> samples;
  MetricTrace trace;

  explicit Told(const std::vector<std::int64_t>& values) : instances(values.size()) {
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      instances[i].request = 1000;
      if (values[i] >= 0) samples.push_back({i, values[i], kNow, {}});
    }
  }
  std::int32_t ask(MetricKind kind, std::int64_t target, std::int32_t current) {
    propose({}, {"m", kind, target}, {MetricFault::none, samples, {}}, instances, {current, current}, kNow, trace);
    EXPECT_EQ(trace.fault, MetricFault::none) << to_string(trace.fault);
    return trace.proposal;
  }
  MetricFault fault(MetricKind kind) {
    propose({}, {"m", kind, 100}, {MetricFault::none, samples, {}}, instances, {4, 4}, kNow, trace);
    return trace.fault;
  }
};

InstanceClass class_of(const ScalingInstance& instance, Instant sampled, Duration window) {
  const MetricSample sample{0, 1, sampled, window};
  return classify({}, true, instance, &sample, kNow);
}

TEST(ScalingClasses, TheStartUpPeriodAndTheFirstDelayEndExactly) {
  ScalingInstance instance;
  instance.ready = Readiness::no;
  instance.started = kNow - 5min;
  instance.ready_changed = *instance.started + 30s;
  EXPECT_EQ(class_of(instance, kNow, 15s), InstanceClass::ready) << "it was ready once, and the period is over";
  instance.started = kNow - 5min + 1ns;
  EXPECT_EQ(class_of(instance, kNow, 15s), InstanceClass::unready) << "not ready while it starts";
  instance.started = kNow - 1h;
  instance.ready_changed = *instance.started + 30s;
  EXPECT_EQ(class_of(instance, kNow, 15s), InstanceClass::ready);
  instance.ready_changed -= 1ns;
  EXPECT_EQ(class_of(instance, kNow, 15s), InstanceClass::unready) << "it has never been ready";
}

TEST(ScalingClasses, WhileItStartsAWholeWindowMustBeMeasured) {
  ScalingInstance instance;
  instance.started = kNow - 1min;
  instance.ready_changed = kNow - 30s;
  EXPECT_EQ(class_of(instance, kNow - 15s, 15s), InstanceClass::ready);
  EXPECT_EQ(class_of(instance, kNow - 15s - 1ns, 15s), InstanceClass::unready);
  instance.started.reset();
  EXPECT_EQ(class_of(instance, kNow, 15s), InstanceClass::unready) << "nobody knows when it started";
}

TEST(ScalingFill, UnreadyInstancesCountAsIdleBeforeGrowingOnly) {
  Told four({135, 135, 135, 135, 500});
  four.instances[4].phase = InstancePhase::pending;
  EXPECT_EQ(four.ask(MetricKind::average, 100, 5), 5) << "with the fifth it is 108 %: near enough";
  Told low({95, 95, 95, 95, 500});
  low.instances[4].phase = InstancePhase::pending;
  EXPECT_EQ(low.ask(MetricKind::average, 100, 5), 5) << "95 % is near enough";
}

TEST(ScalingFill, MissingInstancesCountAsFullBeforeShrinking) {
  Told three({100, 100, 100, -1});
  EXPECT_EQ(three.ask(MetricKind::utilization, 50, 4), 3) << "the whole request, not the target";
  Told average({20, 20, 20, -1});
  EXPECT_EQ(average.ask(MetricKind::average, 100, 4), 2) << "the target";
}

TEST(ScalingFill, DoesNotTurnTheChangeAround) {
  Told falling({100, -1, -1, -1});
  EXPECT_EQ(falling.ask(MetricKind::utilization, 50, 4), 4) << "20 % of the target; filled 155 %";
  EXPECT_EQ(falling.trace.reason, ProposalReason::would_turn_around);
  Told rising({200, -1, -1, -1});
  EXPECT_EQ(rising.ask(MetricKind::average, 100, 4), 4) << "200 %; filled 50 %";
  Told few({300, 300, -1});
  EXPECT_EQ(few.ask(MetricKind::average, 100, 10), 10) << "it asks for more, but six would be fewer";
  Told many({70, 70, 70, 70, 70, -1});
  EXPECT_EQ(many.ask(MetricKind::average, 100, 3), 3) << "it asks for fewer, but five would be more";
}

TEST(ScalingRefuses, WithTheReason) {
  Told none({-1, -1});
  EXPECT_EQ(none.fault(MetricKind::average), MetricFault::no_samples);
  none.instances.clear();
  EXPECT_EQ(none.fault(MetricKind::average), MetricFault::no_samples) << "the source is to blame first";
  Told stranger({});
  stranger.samples = {{kUnknownInstance, 50, kNow, {}}};
  EXPECT_EQ(stranger.fault(MetricKind::average), MetricFault::no_instances);
  Told pending({50});
  pending.instances[0].phase = InstancePhase::pending;
  EXPECT_EQ(pending.fault(MetricKind::average), MetricFault::no_samples);
}

MetricTrace total(std::vector<std::int64_t> totals, const std::vector<ScalingInstance>& instances) {
  MetricTrace trace;
  propose({}, {"m", MetricKind::total, 1000}, {MetricFault::none, {}, totals}, instances, {4, 4}, kNow, trace);
  return trace;
}

TEST(ScalingTotal, IsTheSumOfAllSeries) {
  std::vector<ScalingInstance> instances(4);
  EXPECT_EQ(total({1000, 500, 500}, instances).proposal, 8);
  EXPECT_EQ(total({}, instances).fault, MetricFault::absent) << "no answer is not 0";
  EXPECT_EQ(total({2000, -1}, instances).fault, MetricFault::negative);
  EXPECT_EQ(total({2000}, {}).fault, MetricFault::no_instances);
  instances[0].phase = InstancePhase::succeeded;
  instances[1].ready = Readiness::no;
  EXPECT_EQ(total({2000}, instances).proposal, 4) << "two run and are ready";
}

TEST(ScalingTotal, WhatStartsIsNotTakenAwayWhileMoreIsAskedFor) {
  std::vector<ScalingInstance> instances(4);
  instances[2].ready = instances[3].ready = Readiness::no;
  const std::int64_t value = 1500;
  const MetricReading reading{MetricFault::none, {}, std::span(&value, 1)};
  MetricRule rule{"m", MetricKind::total, 1000};
  MetricTrace trace;
  propose({}, rule, reading, instances, {4, 4}, kNow, trace);
  EXPECT_EQ(trace.proposal, 3) << "as Kubernetes would: one and a half times the two that are ready";
  rule.credit_starting = true;
  propose({}, rule, reading, instances, {4, 4}, kNow, trace);
  EXPECT_EQ(trace.proposal, 4);
  EXPECT_EQ(trace.reason, ProposalReason::starting_credited);
}

TEST(ScalingSeveral, TheFirstThatIsMissingIsNamed) {
  Scaled service = average_service(4, 100'000);
  service.policy.metrics.resize(3, service.policy.metrics[0]);
  service.readings.resize(3, {MetricFault::stale, {}, {}});
  service.readings[2].fault = MetricFault::absent;
  service.decide();
  EXPECT_EQ(service.out.fault_metric, 1);
  EXPECT_EQ(service.out.fault, MetricFault::stale);
}

TEST(ScalingWindows, WhatWasAskedForIsRememberedNotTheResult) {
  Scaled service = average_service(4, 100'000);
  for (MetricSample& sample : service.samples) sample.value = 10'000;
  service.decide();
  service.now += 200s;
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  service.now += 101s;
  service.decide();
  EXPECT_EQ(service.out.desired, 1);
}

TEST(ScalingWindows, APlainWindowHoldsWhatIsExactlyAsOld) {
  ScalingHistory history;
  history.recommendations = {{9, kNow - 300s}};
  EXPECT_EQ(stabilize_plain(history, 3, 300s, kNow).result, 9);
  EXPECT_EQ(stabilize_plain(history, 3, 300s, kNow + 1ns).result, 3);
  remember(history, 3, 300s, kNow);
  EXPECT_EQ(history.recommendations.size(), 2U) << "its place is not free yet";
}

TEST(ScalingLimits, WhereBoundAndLimitAreTheSameTheBoundIsNamed) {
  ScalingPolicy policy;
  policy.down.limits = {{LimitUnit::percent, 50, 60s}};
  policy.up.limits = {{LimitUnit::percent, 100, 60s}};
  EXPECT_EQ(limit_rate(policy, {5, 20}, {}, 10, 1, kNow).rule, ScalingRule::min);
  EXPECT_EQ(limit_rate(policy, {4, 20}, {}, 10, 1, kNow).rule, ScalingRule::down_limit);
  EXPECT_EQ(limit_rate(policy, {5, 20}, {}, 10, 90, kNow).rule, ScalingRule::max);
  EXPECT_EQ(limit_rate(policy, {5, 21}, {}, 10, 90, kNow).rule, ScalingRule::up_limit);
}

TEST(ScalingLimits, PlainTwiceAsManyOrFour) {
  EXPECT_EQ(limit_plain({1, 100}, 1, 90).result, 4);
  EXPECT_EQ(limit_plain({1, 100}, 3, 90).result, 6);
  EXPECT_EQ(limit_plain({1, 4}, 1, 90).rule, ScalingRule::max);
}

TEST(ScalingLimits, WhatWasRemovedWithinThePeriodMayBeAddedAgain) {
  ScalingHistory history;
  history.downs = {{6, kNow - 10s, false}};
  const DirectionRules rules{LimitSelect::largest, {}, {{LimitUnit::instances, 4, 60s}}};
  EXPECT_EQ(up_limit(history, rules, 10, kNow), 20);
  history.ups = {{3, kNow - 10s, false}};
  EXPECT_EQ(up_limit(history, rules, 10, kNow), 17);
  EXPECT_EQ(down_limit(history, rules, 10, kNow), 9);
}

TEST(ScalingPanic, BeginsAtTheThresholdTakesTheLargerAndForgets) {
  PanicPolicy policy;
  PanicState state;
  EXPECT_FALSE(decide_panic(policy, state, {50, 99, 10}, 6, kNow).panicking);
  EXPECT_EQ(decide_panic(policy, state, {50, 100, 10}, 5, kNow).wanted, 10);
  EXPECT_TRUE(state.panicking);
  EXPECT_EQ(decide_panic(policy, state, {150, 90, 10}, 10, kNow + 1s).wanted, 15) << "the long window asks for more";
  EXPECT_EQ(decide_panic(policy, state, {60, 60, 10}, 10, kNow + 62s).wanted, 6);
  EXPECT_EQ(decide_panic(policy, state, {60, 90, 10}, 4, kNow + 63s).wanted, 9) << "another panic begins anew";
}

}  // namespace
}  // namespace homeostat
