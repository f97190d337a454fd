// The autoscaler's part of a configuration: what is made of it, and each mistake with its place.
#include <gtest/gtest.h>

#include "config/draft.hpp"
#include "config/load.hpp"
#include "config/warnings.hpp"

namespace homeostat::config {
namespace {

using namespace std::chrono_literals;

std::string service(const std::string& line, const std::string& run = "process: { command: [x] }") {
  return "homeostat: 1\nservices:\n  a:\n    " + line + "\n    run: { " + run + " }\n";
}

std::string problems_of(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  if (config) return "";
  std::string out;
  for (const Problem& problem : config.error()) out += render(problem) + "\n";
  return out;
}

ScalingPolicy policy_of(const std::string& text) {
  const std::string whole = service("scaling: { max: 10, " + text + " }");
  auto config = load_text(whole, "h.yaml");
  EXPECT_TRUE(config) << problems_of(whole);
  return config ? config->plan.services[0].scaling->policy : ScalingPolicy{};
}

TEST(ScalingConfig, SaysLittleAndGetsTheDefaults) {
  const ScalingPolicy policy = policy_of("metrics: { load: { cpu: 60% } }");
  EXPECT_EQ(policy.metrics[0].kind, MetricKind::average);
  EXPECT_EQ(policy.metrics[0].target, 60'000);
  EXPECT_TRUE(policy.metrics[0].cpu);
  EXPECT_EQ(policy.up.limits.size(), default_up_rules().limits.size());
  EXPECT_EQ(policy.down.window, 5min);
  EXPECT_EQ(policy.tolerance.up, 100'000);
  EXPECT_EQ(policy.help.tries, 5) << "on by itself";
  EXPECT_EQ(policy.flap_budget, 6) << "on by itself";
  EXPECT_EQ(policy.fallback.after, 0);
  EXPECT_EQ(policy.activation.metric, -1);
}

TEST(ScalingConfig, TheDefaultsShownAreThoseOfTheMetrics) {
  std::vector<Problem> problems;
  Reader reader("h.yaml", problems);
  MetricForm shown;
  metric_form_table().read(parse_default("{}"), reader, shown);
  const MetricForm used;
  EXPECT_EQ(shown.threshold.up, used.threshold.up);
  EXPECT_EQ(shown.threshold.down, used.threshold.down);
  EXPECT_EQ(shown.threshold.range.min, used.threshold.range.min);
  EXPECT_EQ(shown.drain.drain_within, used.drain.drain_within);
  EXPECT_EQ(shown.drain.spare, used.drain.spare);
  EXPECT_EQ(shown.panic.threshold, used.panic.threshold);
  EXPECT_EQ(shown.panic.up_rate, used.panic.up_rate);
  EXPECT_EQ(shown.panic.down_rate, used.panic.down_rate);
  EXPECT_EQ(shown.panic.stable_window, used.panic.stable_window);
  EXPECT_EQ(shown.panic.down_delay, used.panic.down_delay);
}

TEST(ScalingConfig, AThresholdHasItsOwnBand) {
  const MetricRule rule = policy_of(
                              "metrics: { load: { memory: 1MiB, kind: threshold, scale_up_threshold: 120%, "
                              "scale_down_threshold: 0.5, min: 2, max: 8, up_cooldown: 30s, down_cooldown: 2m } }")
                              .metrics[0];
  EXPECT_EQ(rule.kind, MetricKind::threshold);
  EXPECT_EQ(rule.threshold.up, 1'200'000);
  EXPECT_EQ(rule.threshold.down, 500'000);
  EXPECT_EQ(rule.threshold.range.min, 2);
  EXPECT_EQ(rule.threshold.range.max, 8);
  EXPECT_EQ(rule.threshold.up_cooldown, 30s);
  EXPECT_EQ(rule.threshold.down_cooldown, 2min);
}

TEST(ScalingConfig, DirectionsHaveWindowsAndLimits) {
  const ScalingPolicy policy = policy_of(
      "metrics: { a: { cpu: 50% } }, tolerance: { up: 5% }, up: { window: 10s, select: smallest, "
      "limits: [{ instances: 2, per: 1m }, { percent: 50 }] }, down: { select: disabled }");
  EXPECT_EQ(policy.tolerance.up, 50'000);
  EXPECT_EQ(policy.tolerance.down, 100'000);
  EXPECT_EQ(policy.up.window, 10s);
  EXPECT_EQ(policy.up.select, LimitSelect::smallest);
  ASSERT_EQ(policy.up.limits.size(), 2U) << "a list that is given replaces the default one";
  EXPECT_EQ(policy.up.limits[0].unit, LimitUnit::instances);
  EXPECT_EQ(policy.up.limits[0].period, 1min);
  EXPECT_EQ(policy.up.limits[1].unit, LimitUnit::percent);
  EXPECT_EQ(policy.up.limits[1].value, 50);
  EXPECT_EQ(policy.up.limits[1].period, 15s);
  EXPECT_EQ(policy.down.select, LimitSelect::disabled);
}

TEST(ScalingConfig, SchedulesMakePlacesForTheirMost) {
  const std::string text = service(
      "scaling: { max: 4, metrics: { a: { cpu: 50% } }, help: { tries: 0 }, fallback: { instances: 3 },"
      " schedules: [{ start: 0 8 * * 1-5, end: 0 18 * * 1-5, zone: Europe/Berlin, min: 3, max: 9 }] }");
  const auto config = load_text(text, "h.yaml");
  ASSERT_TRUE(config) << problems_of(text);
  const engine::ServicePlan& plan = config->plan.services[0];
  EXPECT_EQ(plan.instances, 9U);
  const ScalingPolicy& policy = plan.scaling->policy;
  EXPECT_EQ(policy.range.max, 4);
  ASSERT_EQ(policy.schedules.size(), 1U);
  EXPECT_EQ(policy.schedules[0].zone, "Europe/Berlin");
  EXPECT_EQ(policy.schedules[0].min, 3);
  EXPECT_EQ(policy.help.tries, 0);
  EXPECT_EQ(policy.fallback.after, 3);
  EXPECT_EQ(policy.fallback.instances, 3);
}

TEST(ScalingConfig, WarnsOfWhatNobodyWantsAtItsPlace) {
  const auto config = load_text(
      service("scaling:\n      max: 10\n      metrics:\n        load: { cpu: 60%, kind: threshold, "
              "scale_up_threshold: 1.1, scale_down_threshold: 0.9 }\n      up: { limits: [{ instances: 50 }] }"),
      "h.yaml");
  ASSERT_TRUE(config);
  const auto warnings = warnings_of(*config);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(render(warnings[0]).substr(0, 61), "h.yaml:7:9: a: load swings under a constant load: with 66.001");
  EXPECT_EQ(render(warnings[1]),
            "h.yaml:8:21: a: up: 50 instances in 15 s can never bind: it reaches from 1 to 10 at once");
}

TEST(ScalingConfig, TheDefaultsAreNotWarnedAbout) {
  const auto config = load_text(service("scaling: { max: 3, metrics: { load: { cpu: 60% } } }"), "h.yaml");
  ASSERT_TRUE(config);
  for (const Problem& warning : warnings_of(*config)) ADD_FAILURE() << render(warning);
}

struct Case {
  std::string text;
  std::string expected;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.text; }

class ScalingMistake : public testing::TestWithParam<Case> {};

TEST_P(ScalingMistake, IsReportedAtItsPlace) {
  EXPECT_EQ(problems_of(GetParam().text), "h.yaml:" + GetParam().expected + "\n");
}

std::string metric(const std::string& text) { return service("scaling: { max: 2, metrics: { a: { " + text + " } } }"); }
std::string rule(const std::string& text) {
  return service("scaling: { max: 2, " + text + ", metrics: { a: { cpu: 50% } } }");
}
std::string schedule(const std::string& text) {
  return rule("schedules: [{ start: 0 8 * * *, end: 0 9 * * *, " + text + " }]");
}

INSTANTIATE_TEST_SUITE_P(
    Service, ScalingMistake,
    testing::Values(
        Case{service("scaling: { min: 5, max: 2, metrics: { a: { cpu: 50% } } }"), "4:21: min 5 is more than max 2"},
        Case{service("scaling: { max: 2, metrics: {} }"), "4:33: at least one metric is needed"},
        Case{service("instances: 2\n    scaling: { max: 2, metrics: { a: { cpu: 50% } } }"),
             "4:16: `instances` and `scaling` both say how many run: `scaling` has min and max"},
        Case{service("scaling: { max: 2, metrics: { a: { cpu: 50% } } }", "exec: { restart: [x], status: [x] }"),
             "4:14: cpu and memory are measured of instances that the process runtime has started"},
        Case{service("min_healthy: 2\n    scaling: { max: 2, metrics: { a: { cpu: 50% } } }"),
             "4:18: with scaling's min of 1 instances, 2 healthy ones cannot always be"}));

INSTANTIATE_TEST_SUITE_P(
    Metric, ScalingMistake,
    testing::Values(Case{metric("cpu: 50%, kind: sum"),
                         "4:56: `sum` is not one of: average, total, total_average, threshold, drain, panic"},
                    Case{metric("cpu: 50%, kind: total"),
                         "4:56: `total` needs one number of the service; this one is measured of each instance"},
                    Case{metric("cpu: 50%, up_cooldown: 1m"),
                         "4:63: `up_cooldown` means nothing for a metric of kind `average`, only for `threshold`"},
                    Case{metric("cpu: 50%, target: 8"), "4:58: `cpu` and `memory` say themselves what they should be"},
                    Case{metric("cpu: 50%, kind: threshold, scale_down_threshold: 1.2"),
                         "4:89: scale_down_threshold 1.2 is not below scale_up_threshold 1.1"},
                    Case{metric("cpu: 50%, kind: threshold, scale_up_threshold: 1e9"),
                         "4:87: `1e9` is not a ratio from 0 to 1000 (write `110%` or `1.1`)"},
                    Case{metric("cpu: 50%, kind: threshold, min: 3, max: 2"), "4:14: a.max is below its min"},
                    Case{rule("fallback: { instances: 3 }"), "4:47: 3 are more than may ever run: max is 2"}));

INSTANTIATE_TEST_SUITE_P(
    Rules, ScalingMistake,
    testing::Values(
        Case{rule("up: { limits: [{ percent: 50, instances: 1 }] }"),
             "4:54: `instances` beside `percent`: only one unit can be given"},
        Case{rule("up: { limits: [{ percent: 0 }] }"), "4:50: `0` is not a whole number from 1 to 1000000"},
        Case{rule("up: { limits: [] }"), "4:14: up.limits needs one; to never go up, select disabled"},
        Case{rule("down: { window: 2h }"), "4:14: down.window is at most 1h"},
        Case{rule("tolerance: { up: x }"), "4:41: `x` is not a ratio from 0 to 1000 (write `110%` or `1.1`)"},
        Case{rule("fallback: { after: 2 }"), "4:34: `instances` is missing here"},
        Case{rule("min: 0"), "4:29: with min 0, `activation` must say which metric calls for the first one"},
        Case{rule("min: 0, activation: { metric: b }"), "4:54: no metric is called `b`"},
        Case{rule("min: 0, activation: { metric: a }"),
             "4:54: `a` is measured of each instance: with none there is nothing to measure"},
        Case{rule("schedules: [{ start: 0 25 * * *, end: 0 9 * * *, min: 2 }]"),
             "4:45: `0 25 * * *`: the hour of a cron expression is *, a number from 0 to 23, a range, a list or a step "
             "such as */5; not \"25\""},
        Case{schedule("zone: UTC"), "4:36: a schedule needs `min`, `max` or both"},
        Case{schedule("min: 0"), "4:77: a min of 0 by the hour needs `min: 0` of the scaling, too"},
        Case{schedule("min: 4, max: 3"), "4:85: min 4 is more than max 3 meanwhile"},
        Case{rule("schedules: [{ start: 0 8 * * *, end: 0 8 * * *, min: 2 }]"),
             "4:61: it ends when it begins: it never holds"}));

}  // namespace
}  // namespace homeostat::config
