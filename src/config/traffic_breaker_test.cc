// When an instance that fails requests is taken out of the traffic, as configured.
#include <gtest/gtest.h>

#include "config/compare.hpp"
#include "config/load.hpp"

namespace homeostat::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string service(const std::string& breaker, const std::string& more = "", int instances = 3) {
  return "homeostat: 1\nservices:\n  web:\n    run: { process: { command: [x], ports: 9001-9003 } }\n    instances: " +
         std::to_string(instances) + "\n    traffic: { haproxy: { socket: /s, backend: b, server: 'm{port}' }" +
         (breaker.empty() ? "" : ", breaker: " + breaker) + " }\n" + more;
}

std::string problem_of(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  return config ? "" : render(config.error().front());
}

TEST(TrafficBreaker, HasADefaultForEverything) {
  const auto config = load_text(service("{}"), "h.yaml");
  ASSERT_TRUE(config) << render(config.error().front());
  const engine::EjectionPlan& plan = config->plan.ejections.at("web");
  EXPECT_EQ(plan.breaker.failure_rate, 50);
  EXPECT_EQ(plan.breaker.window_time, seconds(30));
  EXPECT_EQ(plan.breaker.min_calls, 20U);
  EXPECT_EQ(plan.breaker.open_for, seconds(30));
  EXPECT_EQ(plan.breaker.open_cap, minutes(5));
  EXPECT_EQ(plan.trial, 10U);
  EXPECT_EQ(plan.breaker.success_threshold, 20U);
  EXPECT_EQ(plan.max_ejected.of(3), 1U);
  EXPECT_TRUE(validate(plan.breaker)) << validate(plan.breaker).error();
}

TEST(TrafficBreaker, IsReadAndIsNobodysWhereItIsNotSaid) {
  const auto config =
      load_text(service("{ failure_rate: 20%, min_requests: 100, window: 1m, open_for: 1m, open_cap: 15m, trial: 5%, "
                        "trial_requests: 50, max_ejected: 2 }"),
                "h.yaml");
  ASSERT_TRUE(config) << render(config.error().front());
  const engine::EjectionPlan& plan = config->plan.ejections.at("web");
  EXPECT_EQ(plan.breaker.failure_rate, 20);
  EXPECT_EQ(plan.breaker.success_threshold, 50U);
  EXPECT_EQ(plan.max_ejected.of(3), 2U);
  EXPECT_TRUE(load_text(service(""), "h.yaml")->plan.ejections.empty());
}

TEST(TrafficBreaker, SaysWhatIsWrong) {
  EXPECT_EQ(problem_of(service("{ open_for: 10m }")), "h.yaml:6:93: the first wait 10m is longer than open_cap 5m");
  EXPECT_EQ(problem_of(service("{}", "", 1)),
            "h.yaml:6:81: a single instance is never taken out: no other could take its requests. Leave `breaker` out");
  EXPECT_NE(problem_of(service("{ failure_rate: 0% }")).find("a share from `1%` to `100%`"), std::string::npos);
  const std::string ladder = "    remediation: [ restart: { when: requests_fail } ]\n";
  EXPECT_EQ(problem_of(service("{}", ladder)), "");
  EXPECT_EQ(problem_of(service("", ladder)),
            "h.yaml:7:37: `requests_fail` needs the service's `traffic: { breaker: {} }`");
}

TEST(TrafficBreaker, AChangeOfItIsAChangeOfTheTraffic) {
  const auto before = load_text(service("{}"), "h.yaml");
  const auto after = load_text(service("{ max_ejected: 1 }"), "h.yaml");
  ASSERT_TRUE(before && after);
  const Comparison found = compare(*before, *after);
  ASSERT_EQ(found.changed.size(), 1U);
  EXPECT_EQ(found.changed.front().what, std::vector<std::string>{"traffic"});
}

}  // namespace
}  // namespace homeostat::config
