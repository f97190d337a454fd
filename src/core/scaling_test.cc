// What the vectors of others do not show: refused numbers, the trace, the counterfactual, the memory.
#include "homeostat/scaling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/scaling_test_kit.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

TEST(ScalingNumbers, FromOutsideAreRefusedWithAReason) {
  EXPECT_EQ(to_thousandths(1.5), 1500);
  EXPECT_EQ(to_thousandths(0.0004), 0);
  EXPECT_EQ(to_thousandths(std::nan("")).error(), MetricFault::not_a_number);
  EXPECT_EQ(to_thousandths(std::numeric_limits<double>::infinity()).error(), MetricFault::infinite);
  EXPECT_EQ(to_thousandths(-std::numeric_limits<double>::infinity()).error(), MetricFault::infinite);
  EXPECT_EQ(to_thousandths(-0.1).error(), MetricFault::negative);
  EXPECT_EQ(to_thousandths(1e16).error(), MetricFault::too_large);
  EXPECT_EQ(to_millionths(0.1), 100'000);
  EXPECT_FALSE(to_millionths(std::nan("")));
  EXPECT_FALSE(to_millionths(-0.1));
}

TEST(Scaling, WhatAMetricRefusesItNames) {
  Scaled service = average_service(4, 100'000);
  service.decide();
  service.samples[2].value = -1;
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::negative);
  EXPECT_EQ(service.out.rule, ScalingRule::invalid_metric);
  EXPECT_EQ(service.out.desired, 4);
  service.samples.clear();
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::no_samples);
  service.readings[0].fault = MetricFault::stale;
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::stale);
  EXPECT_FALSE(service.out.metrics[0].utilisation());
  service = average_service(4, 0);
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::bad_target);
}

TEST(Scaling, AReadingThatIsNotGivenIsNotZero) {
  Scaled service = average_service(4, 100'000);
  service.readings.clear();
  service.decide();
  EXPECT_EQ(service.out.metrics[0].fault, MetricFault::unread);
  EXPECT_EQ(service.out.desired, 4);
}

TEST(Scaling, TheTraceSaysWhatBoundAndWhatWouldBeWithoutIt) {
  Scaled service = average_service(4, 100'000);
  for (MetricSample& sample : service.samples) sample.value = 900'000;
  service.decide();
  EXPECT_EQ(service.out.proposal, 36);
  EXPECT_EQ(service.out.desired, 8);
  EXPECT_EQ(service.out.rule, ScalingRule::up_limit);
  EXPECT_EQ(service.out.without, 36);
  EXPECT_EQ(service.out.metrics[0].utilisation(), 9000);
  service.policy.range.max = 6;
  service.decide();
  EXPECT_EQ(service.out.rule, ScalingRule::max);
  EXPECT_EQ(service.out.without, 8) << "the limit of speed would still hold";
}

TEST(Scaling, TheFirstSightOfAServiceHoldsForOneWindow) {
  Scaled service = average_service(4, 100'000);
  for (MetricSample& sample : service.samples) sample.value = 10'000;
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.rule, ScalingRule::stabilized_down);
  EXPECT_EQ(service.out.without, 1);
  service.now += 300s;
  service.decide();
  EXPECT_EQ(service.out.desired, 1);
  EXPECT_EQ(service.out.rule, ScalingRule::metrics);
}

TEST(Scaling, AMissingMetricStopsOnlyTheWayDown) {
  Scaled service = average_service(4, 100'000);
  service.policy.metrics.push_back(service.policy.metrics[0]);
  service.readings.push_back({MetricFault::unread, {}, {}});
  service.policy.down.window = {};
  for (MetricSample& sample : service.samples) sample.value = 10'000;
  service.decide();
  EXPECT_EQ(service.out.desired, 4);
  EXPECT_EQ(service.out.fault_metric, 1);
  EXPECT_EQ(service.out.without, 1) << "what the other metric asks for";
  for (MetricSample& sample : service.samples) sample.value = 150'000;
  service.decide();
  EXPECT_EQ(service.out.desired, 6);
}

TEST(Scaling, TheMemoryIsBounded) {
  Scaled service = average_service(4, 100'000);
  service.policy.down.window = 1h;
  service.policy.up.limits = {{LimitUnit::instances, 4, 30min}};
  for (int i = 0; i < 5000; ++i) {
    service.now += 100ms;
    service.decide();
    service.out.desired = 5;
    note_scaled(service.policy, service.history, service.out, service.now);
  }
  EXPECT_EQ(service.history.recommendations.size(), kMostRemembered);
  EXPECT_EQ(service.history.ups.size(), kMostRemembered);
}

}  // namespace
}  // namespace homeostat
