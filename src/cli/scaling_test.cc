// What `eval scaling` reads, refuses and says.
#include <gtest/gtest.h>

#include "cli/scaling_input.hpp"

namespace homeostat::cli {
namespace {

std::string problem(const std::string& text) {
  const auto read = read_scaling_json(text);
  return read ? "" : read.error().text;
}

json::object answer(const std::string& text) {
  auto read = read_scaling_json(text);
  EXPECT_TRUE(read) << read.error().text;
  return read ? decide_scaling(*read) : json::object{};
}

TEST(ScalingJson, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(problem("{").find("is not JSON"), std::string::npos);
  EXPECT_EQ(problem("[]"), "the input is not an object");
  EXPECT_EQ(problem("{}"), "metrics needs one");
  EXPECT_EQ(problem(R"({"min":-1,"metrics":[{}]})"), "min is not a whole number from 0");
  EXPECT_EQ(problem(R"({"min":3,"max":2,"metrics":[{}]})"), "max is at least 1, and not below min");
  EXPECT_EQ(problem(R"({"metrics":[{"knd":"drain"}]})"), "metrics[0].`knd` is not known; did you mean `kind`?");
  EXPECT_EQ(problem(R"({"metrics":[{"kind":"guess"}]})"),
            "metrics[0].kind is not one of utilization, average, total, total_average, threshold, drain, panic");
  EXPECT_EQ(problem(R"({"metrics":[{"target":-1}]})"), "metrics[0].target is not a number from 0");
  EXPECT_EQ(problem(R"({"metrics":[{"capacity":1}]})"), "metrics[0].`capacity` is not known") << "of another kind";
  EXPECT_EQ(problem(R"({"up":{"limits":[{"percent":5,"instances":1}]},"metrics":[{}]})"),
            "up.limits[0] needs either instances or percent");
  EXPECT_EQ(problem(R"({"instances":[{"started":"soon"}],"metrics":[{}]})"),
            "instances[0].started is not one of durations such as 15s");
  EXPECT_EQ(problem(R"({"history":{"added":[{"instances":"x"}]},"metrics":[{}]})"),
            "history.added[0].instances is not a whole number from 0");
}

TEST(ScalingJson, RefusesAPolicyThatCannotBeMeant) {
  EXPECT_EQ(problem(R"({"metrics":[{"id":"load"}]})"), "load.target is above 0");
  EXPECT_EQ(problem(R"({"metrics":[{"id":"load","target":1},{"id":"load","target":2}]})"),
            "two metrics are called load");
  const std::string good = R"("metrics":[{"target":1}]})";
  EXPECT_EQ(problem(R"({"up":{"limits":[{"percent":10,"per":"0s"}]},)" + good),
            "up.limits: a period is above 0 and at most 30m");
  EXPECT_EQ(problem(R"({"down":{"limits":[]},)" + good), "down.limits needs one; to never go down, select disabled");
  EXPECT_EQ(problem(R"({"metrics":[{"id":"load","kind":"threshold","target":1,"min":9,"max":2}]})"),
            "load.max is below its min");
}

TEST(ScalingJson, DecidesAndTellsEveryNumber) {
  const json::object said = answer(
      R"({"max":20,"instances":[{"id":"a"},{"id":"b"},{"id":"c","leaving":true},{"id":"d"}],"current":3,
          "metrics":[{"id":"load","target":10,"samples":{"a":25,"b":35,"c":90}}]})");
  EXPECT_EQ(said.at("desired"), 6) << json::serialize(said);
  const json::object& metric = said.at("metrics").as_array().at(0).as_object();
  EXPECT_EQ(metric.at("measured"), 30);
  EXPECT_EQ(metric.at("utilisation"), 3);
  EXPECT_EQ(metric.at("instances"), json::parse(R"({"a":"ready","b":"ready","c":"ignored","d":"missing"})"));
}

TEST(ScalingJson, WhatIsNoNumberIsAMetricThatIsMissing) {
  const auto fault = [](const std::string& value) {
    const json::object said = answer(R"({"current":2,"metrics":[{"kind":"total","target":1,"value":)" + value + "}]}");
    EXPECT_EQ(said.at("desired"), 2);
    return std::string(said.at("metrics").as_array().at(0).as_object().at("fault").as_string());
  };
  EXPECT_EQ(fault("null"), "absent");
  EXPECT_EQ(fault("-1"), "negative");
  EXPECT_EQ(fault("\"NaN\""), "not_a_number");
  EXPECT_EQ(fault("\"inf\""), "infinite");
  EXPECT_EQ(fault("1e300"), "too_large");
}

TEST(ScalingJson, WarnsOfWhatNobodyWants) {
  const json::object said = answer(
      R"({"current":2,"min":1,"max":5,"metrics":[{"id":"cpu","kind":"threshold","target":70,"samples":[60,60]}],
          "up":{"limits":[{"instances":2}]}})");
  const json::array& warnings = said.at("warnings").as_array();
  ASSERT_EQ(warnings.size(), 1U) << json::serialize(warnings);
  EXPECT_NE(show_scaling(said, false).find("warning: cpu swings under a constant load"), std::string::npos);
}

TEST(ScalingJson, TakesWhatHappenedBefore) {
  const std::string metric = R"("metrics":[{"kind":"total_average","target":1,"value":50}]})";
  EXPECT_EQ(answer(R"({"current":4,)" + metric).at("desired"), 8);
  EXPECT_EQ(answer(R"({"current":4,"history":{"added":[{"instances":2,"ago":"5s"}]},)" + metric).at("desired"), 6);
  EXPECT_EQ(answer(R"({"current":4,"paused":true,)" + metric).at("desired"), 4);
  EXPECT_EQ(answer(R"({"current":4,"by_hand":9,)" + metric).at("desired"), 9);
  EXPECT_EQ(answer(R"({"current":4,"at_least":7,"metrics":[{"target":1,"samples":[1,1,1,1]}]})").at("desired"), 7);
}

std::string rule_of(const std::string& text) { return std::string(answer(text).at("rule").as_string()); }

TEST(ScalingJson, TakesBoundsByTheHour) {
  const std::string rest =
      R"("min":1,"max":8,"current":2,"metrics":[{"kind":"total_average","target":1,"value":1}],
         "schedules":[{"start":"0 8 * * mon-fri","end":"0 18 * * mon-fri","min":5,"max":12}],)";
  EXPECT_EQ(answer("{" + rest + R"("local":"2026-03-02 09:30"})").at("desired"), 5) << "a Monday";
  EXPECT_EQ(answer("{" + rest + R"("local":"2026-03-02 09:30"})").at("max"), 12);
  EXPECT_EQ(answer("{" + rest + R"("local":"2026-03-01 09:30"})").at("desired"), 2) << "a Sunday";
  const std::string none = "{" + rest.substr(0, rest.size() - 1) + "}";
  EXPECT_EQ(problem(none), "schedules need `local`, what the clock on the wall shows, such as 2026-03-02 09:30");
  for (const char* wrong : {"2026-02-30 09:30", "2026-03-02 24:00", "2026-03-02T09:30", "monday"}) {
    EXPECT_EQ(problem("{" + rest + R"("local":")" + wrong + "\"}"),
              "local is not one of local times such as 2026-03-02 09:30");
  }
  EXPECT_EQ(problem(R"({"schedules":[{"start":"0 8 * * *"}],"local":"2026-03-02 09:30","metrics":[{"target":1}]})"),
            "schedules[0] needs `end`");
  EXPECT_NE(problem(R"({"schedules":[{"start":"0 25 * * *","end":"0 1 * * *"}],"metrics":[{"target":1}]})")
                .find("schedules[0].start is no cron expression"),
            std::string::npos);
}

TEST(ScalingJson, TakesWhatHoldsItBack) {
  const std::string missing = R"("current":3,"max":8,"metrics":[{"kind":"total","target":1,"value":null}],)";
  EXPECT_EQ(rule_of("{" + missing + R"("fallback":{"after":4,"instances":6},"history":{"failures":2}})"),
            "invalid_metric");
  EXPECT_EQ(answer("{" + missing + R"("fallback":{"after":4,"instances":6},"history":{"failures":3}})").at("desired"),
            6);
  EXPECT_EQ(problem("{" + missing + R"("fallback":{"instances":9}})"), "fallback.instances 9 is more than max 8");

  const std::string idle =
      R"({"min":0,"current":2,"metrics":[{"id":"waiting","kind":"total_average","target":1,"value":0}],
                              "down":{"window":"0s"},"activation":{"metric":"waiting","idle_for":"5m"},"history":)";
  EXPECT_EQ(rule_of(idle + R"({"active":"4m"}})"), "not_idle");
  EXPECT_EQ(answer(idle + R"({"active":"6m"}})").at("desired"), 0);
  EXPECT_EQ(problem(R"({"min":0,"activation":{"metric":"x"},"metrics":[{"target":1}]})"),
            "activation.metric is not one of the metrics");

  const std::string flap = R"({"current":4,"metrics":[{"target":10,"samples":[1,1,1,1]}],"down":{"window":"0s"},
                              "flap_budget":2,"history":{"added":[{"instances":1,"ago":"10m"}],"turns":)";
  EXPECT_EQ(rule_of(flap + R"(["20m"]}})"), "metrics");
  EXPECT_EQ(rule_of(flap + R"(["20m","40m"]}})"), "flap_budget");
  EXPECT_EQ(problem(flap + R"(["soon"]}})"), "history.turns[0] is not one of durations such as 15s");
}

TEST(ScalingJson, TakesWhetherMoreInstancesHelped) {
  const std::string busy = R"({"current":2,"max":9,"metrics":[{"id":"wait","target":10,"samples":[30,30]}],
                              "help":{"tries":3,"settle":"30s"},"history":{"help":)";
  const std::string asked = R"({"metric":"wait","wanted":2,"before":3,"ready":"40s","failed":)";
  EXPECT_EQ(rule_of(busy + asked + "1}}}"), "metrics") << "twice in a row";
  EXPECT_EQ(rule_of(busy + asked + "2}}}"), "no_help");
  EXPECT_EQ(rule_of(busy + R"({"hold_left":"5m"}}})"), "no_help");
}

TEST(ScalingJson, TakesTheFormsThatTheConfigurationHas) {
  const json::object panic = answer(
      R"({"current":4,"max":100,"metrics":[{"id":"load","kind":"panic","target":1,"values":[4,9],"panic_threshold":3,
          "up_rate":10,"down_rate":2,"stable_window":"60s","down_delay":"0s"}]})");
  EXPECT_EQ(panic.at("desired"), 4) << "the short window asks for less than three times what is ready";
  EXPECT_EQ(problem(R"({"metrics":[{"id":"a","kind":"panic","target":1,"up_rate":1}]})"), "a: both rates are above 1");
  EXPECT_EQ(problem(R"({"metrics":[{"kind":"average","target":1,"credit_starting":true}]})"),
            "metrics[0].`credit_starting` is not known")
      << "of another kind";
}

}  // namespace
}  // namespace homeostat::cli
