#include "homeostat/scaling_check.hpp"

#include <gtest/gtest.h>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

ScalingPolicy good() {
  ScalingPolicy policy;
  policy.range = {1, 10};
  policy.metrics = {{"cpu", MetricKind::utilization, 70}};
  policy.up.limits = {{LimitUnit::instances, 4, 15s}};
  policy.down.limits = {{LimitUnit::percent, 50, 60s}};
  return policy;
}

std::string problem(const ScalingPolicy& policy) {
  const auto valid = validate(policy);
  return valid ? "" : valid.error();
}

TEST(ScalingCheck, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(problem(good()), "");
  ScalingPolicy policy = good();
  policy.range = {3, 2};
  EXPECT_EQ(problem(policy), "max is at least 1, and not below min");
  policy = good();
  policy.metrics.clear();
  EXPECT_EQ(problem(policy), "metrics needs one");
  policy = good();
  policy.metrics.push_back(policy.metrics[0]);
  EXPECT_EQ(problem(policy), "two metrics are called cpu");
  policy = good();
  policy.metrics[0].target = 0;
  EXPECT_EQ(problem(policy), "cpu.target is above 0");
  policy = good();
  policy.metrics[0].kind = MetricKind::threshold;
  policy.metrics[0].threshold.down = policy.metrics[0].threshold.up;
  EXPECT_EQ(problem(policy), "cpu: scale_down_threshold is below scale_up_threshold");
  policy = good();
  policy.up.limits = {{LimitUnit::percent, 0, 15s}};
  EXPECT_EQ(problem(policy), "up.limits: a limit is at least 1");
  policy.up.limits.clear();
  EXPECT_EQ(problem(policy), "up.limits needs one; to never go up, select disabled");
  policy = good();
  policy.down.window = 2h;
  EXPECT_EQ(problem(policy), "down.window is at most 1h");
  policy = good();
  policy.activation.metric = 0;
  EXPECT_EQ(problem(policy), "activation needs min 0");
  policy = good();
  policy.fallback = {.after = 3, .instances = 11};
  EXPECT_EQ(problem(policy), "fallback.instances 11 is more than max 10");
  policy.schedules = {{.max = 11}};
  EXPECT_EQ(problem(policy), "") << "by the hour there may be so many";
}

TEST(ScalingCheck, WarnsOfWhatSwingsUnderAConstantLoad) {
  ScalingPolicy policy = good();
  EXPECT_TRUE(warnings(policy).empty()) << warnings(policy)[0];
  policy.range.min = 4;
  policy.metrics[0] = {"cpu", MetricKind::threshold, 70'000};
  EXPECT_TRUE(warnings(policy).empty()) << warnings(policy)[0];
  policy.metrics[0].threshold.up = 1'010'000;
  policy.metrics[0].threshold.down = 990'000;
  const auto said = warnings(policy);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said[0].find("cpu swings under a constant load"), std::string::npos) << said[0];
  EXPECT_NE(said[0].find("for each of 4 it goes from 4 to 5 to 4"), std::string::npos) << said[0];
  policy.range.min = 1;
  policy.metrics[0].threshold = {};
  EXPECT_NE(warnings(policy)[0].find("from 1 to 2 to 1"), std::string::npos) << "two carry half of one's load each";
}

TEST(ScalingCheck, WarnsOfLimitsThatNeverBindOrNeverMove) {
  ScalingPolicy policy = good();
  policy.up.limits.push_back({LimitUnit::instances, 9, 60s});
  auto said = warnings(policy);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0], "up: 9 instances in 60 s can never bind: it reaches from 1 to 10 at once");
  policy.up.limits = {{LimitUnit::instances, 4, 15s}, {LimitUnit::percent, 10, 15s}};
  said = warnings(policy);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0], "up: 10 % in 15 s can never bind: another of the same period always does");
  policy = good();
  policy.range.min = 0;
  policy.up.limits = {{LimitUnit::percent, 100, 15s}};
  said = warnings(policy);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said[0].find("from 0 instances it never moves"), std::string::npos);
}

TEST(ScalingCheck, TheDefaultsAreWarnedAboutOnlyWhereTheyAreOfNoUse) {
  ScalingPolicy policy = good();
  policy.range = {1, 100};
  policy.up = default_up_rules();
  policy.down = default_down_rules();
  EXPECT_TRUE(warnings(policy).empty()) << warnings(policy)[0];
  policy.range = {1, 5};
  const auto said = warnings(policy);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0], "up: 4 instances in 15 s can never bind: it reaches from 1 to 5 at once");
}

}  // namespace
}  // namespace homeostat
