#include "config/compare.hpp"

#include <gtest/gtest.h>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

Config config(const std::string& services, const std::string& rest = "") {
  auto loaded = load_text("homeostat: 1\n" + rest + "services:\n" + services, "h.yaml");
  if (!loaded) {
    ADD_FAILURE() << render(loaded.error().front());
    return {};
  }
  return std::move(*loaded);
}

std::string service(const std::string& name, const std::string& more = "", const std::string& command = "x") {
  return "  " + name + ": { run: { process: { command: [" + command + "] } }" + more + " }\n";
}

std::vector<std::string> what(const std::string& before, const std::string& after) {
  const Comparison found = compare(config(before), config(after));
  return found.changed.empty() ? std::vector<std::string>{} : found.changed.front().what;
}

using Words = std::vector<std::string>;

TEST(Compare, TheSameIsEmpty) {
  EXPECT_TRUE(compare(config(service("a")), config(service("a"))).empty());
  EXPECT_TRUE(compare(config(service("a") + service("b", ", depends_on: [a]")),
                      config(service("b", ", depends_on: [a]") + service("a")))
                  .empty());
}

TEST(Compare, NamesWhatChanged) {
  const std::string file = ", checks: { c: { file: /x } }";
  EXPECT_EQ(what(service("a"), service("a", "", "y")), Words{"command"});
  const std::string watched = ", checks: { c: { role: watch, file: /x } }";
  EXPECT_EQ(what(service("a"), service("a", watched)), Words{"check c: added"});
  EXPECT_EQ(what(service("a", watched), service("a")), Words{"check c: removed"});
  EXPECT_EQ(what(service("a", file), service("a", ", checks: { c: { file: /y } }")), Words{"check c: target"});
  // The default ladder waits for the slowest check, so a threshold moves its verify_within too.
  EXPECT_EQ(what(service("a", file), service("a", ", checks: { c: { file: /x, failure_threshold: 9 } }")),
            Words{"check c: timing"});
  EXPECT_EQ(what(service("a", file), service("a", ", checks: { c: { file: /x, startup_grace: 5m } }")),
            (Words{"check c: timing", "remediation"}));
  EXPECT_EQ(what(service("a"), service("a", ", instances: 2")), Words{"instances 1 -> 2"});
  EXPECT_EQ(what(service("a"), service("a", ", mode: shadow")), Words{"mode"});
  EXPECT_EQ(what(service("a"), service("a", ", budget: { max_actions: 9 }")), Words{"limits"});
  EXPECT_EQ(what(service("a"), service("a", ", remediation: [ exec: [/fix] ]")), Words{"remediation"});
  EXPECT_EQ(what(service("a", ", remediation: [ exec: [/fix] ]"), service("a", ", remediation: [ exec: [/fix, now] ]")),
            Words{"remediation"});
  const std::string released =
      "  a: { run: { process: { command: [x], releases: /r, release: v1 } }, remediation: [ rollback: { to: ";
  EXPECT_EQ(what(released + "v0 } ] }\n", released + "v1 } ] }\n"), Words{"remediation"});
  EXPECT_EQ(what(service("a"), service("a", ", prerequisites: [ file: /go ]")), Words{"dependencies"});
}

std::string scaled(const std::string& metrics, const std::string& more = "min: 1, max: 4") {
  return service("a", ", scaling: { " + more + ", metrics: { " + metrics + " } }");
}

TEST(Compare, NamesWhatChangedOfTheScaling) {
  const std::string load = "load: { cpu: 60% }";
  const std::string queue = "queue: { http: { url: 'http://q/', json: /waiting }, target: 8 }";
  EXPECT_TRUE(what(scaled(load + ", " + queue), scaled(load + ", " + queue)).empty());
  EXPECT_EQ(what(service("a"), scaled(load)), Words{"scaling: added"});
  EXPECT_EQ(what(scaled(load), service("a")), Words{"scaling: removed"});
  EXPECT_EQ(what(scaled(load), scaled(load, "min: 2, max: 8")), Words{"scaling: 1 to 4 instances -> 2 to 8"});
  EXPECT_EQ(what(scaled(load), scaled(load + ", " + queue)), Words{"scaling metric queue: added"});
  EXPECT_EQ(what(scaled(load + ", " + queue), scaled(queue)), Words{"scaling metric load: removed"});
  EXPECT_EQ(what(scaled(load), scaled("load: { cpu: 70% }")), Words{"scaling metric load: changed"});
  EXPECT_EQ(what(scaled(load), scaled("load: { memory: 1GiB }")), Words{"scaling metric load: changed"});
  EXPECT_EQ(what(scaled(queue), scaled("queue: { http: { url: 'http://r/', json: /waiting }, target: 8 }")),
            Words{"scaling metric queue: changed"});
  EXPECT_EQ(
      what(scaled(queue), scaled("queue: { http: { url: 'http://q/', json: /waiting, timeout: 1s }, target: 8 }")),
      Words{"scaling metric queue: changed"});
  EXPECT_EQ(what(scaled(load), scaled(load, "min: 1, max: 4, down: { window: 1m }")), Words{"scaling: rules"});
  EXPECT_EQ(what(scaled(load), scaled(load, "min: 1, max: 4, every: 30s")), Words{"scaling: rules"});
}

std::string rolled_out(const std::string& rollout) {
  return "  a: { instances: 3, run: { process: { command: [x], ports: 9001-9009, releases: /r, release: v1 } }, "
         "rollout: { " +
         rollout + " } }\n";
}

TEST(Compare, NamesWhatChangedOfTheRollout) {
  const std::string stages = "stages: [ { traffic: 25%, bake: 1m } ]";
  EXPECT_EQ(what(rolled_out(stages), rolled_out("stages: [ { traffic: 50%, bake: 1m } ]")), Words{"rollout: stages"});
  EXPECT_EQ(what(rolled_out(stages), rolled_out(stages + ", surge: 2")), Words{"rollout: rules"});
  const std::string gate = "stages: [ { traffic: 5%, gates: { smoke: { exec: [smoke], every: ";
  EXPECT_EQ(what(rolled_out(gate + "1m } } } ]"), rolled_out(gate + "2m } } } ]")), Words{"rollout: stages"});
  EXPECT_EQ(what(rolled_out(stages), rolled_out(stages + ", judge: { errors: { kind: errors } }")),
            (Words{"rollout: stages", "rollout: judge"}));
  const std::string none =
      "  a: { instances: 3, run: { process: { command: [x], ports: 9001-9009, releases: /r, release: v1 } } }\n";
  EXPECT_EQ(what(none, rolled_out(stages)), Words{"rollout: added"});
}

TEST(Compare, NamesTheTraffic) {
  const auto traffic = [](const std::string& backend) {
    return service("a", ", traffic: { haproxy: { socket: /s, backend: " + backend + " } }");
  };
  EXPECT_EQ(what(traffic("b"), traffic("c")), Words{"traffic"});
}

TEST(Compare, OnlyACommandMakesInstancesOutdated) {
  EXPECT_TRUE(compare(config(service("a")), config(service("a", "", "y"))).changed.at(0).command);
  EXPECT_FALSE(compare(config(service("a")), config(service("a", ", mode: shadow"))).changed.at(0).command);
}

TEST(Compare, LosingMoreThanThirtyPercentNeedsConsent) {
  std::string ten;
  for (char c = 'a'; c < 'k'; ++c) ten += service(std::string(1, c));
  const auto without = [&](int lost) {
    std::string rest;
    for (char c = static_cast<char>('a' + lost); c < 'k'; ++c) rest += service(std::string(1, c));
    return compare(config(ten), config(rest + service("new")));
  };
  EXPECT_EQ(without(3).removed, (Words{"a", "b", "c"}));
  EXPECT_EQ(without(3).added, Words{"new"});
  EXPECT_FALSE(without(3).needs_accept());
  EXPECT_TRUE(without(4).needs_accept());
}

TEST(Compare, WhatLiesOutsideTheServices) {
  const Comparison found =
      compare(config(service("a")), config(service("a"), "guardrails: { fleet: { max_actions: 9 } }\n"));
  EXPECT_EQ(found.other, Words{"guardrails"});
}

TEST(Compare, GuardrailsOfEveryKind) {
  const auto other = [](const std::string& guardrails) {
    return compare(config(service("a")), config(service("a"), "guardrails: " + guardrails + "\n")).other;
  };
  EXPECT_EQ(other("{ instance: { max_actions: 3 } }"), Words{"guardrails"});
  EXPECT_EQ(other("{ groups: { g: { max_actions: 50% } } }"), Words{"guardrails"});
  EXPECT_EQ(other("{ maintenance: [{ start: 0 2 * * *, end: 0 3 * * * }] }"), Words{"guardrails"});
  EXPECT_EQ(other("{ approve_within: 1h }"), Words{"guardrails"});
  EXPECT_EQ(other("{ storm_cool_down: 1h }"), Words{"guardrails"});
  EXPECT_EQ(other("{ approve_within: 30m }"), Words{}) << "that is the default";
}

TEST(Compare, GroupsAndWindowsOfAService) {
  const std::string groups = "guardrails: { groups: { g: {}, h: {} } }\n";
  const auto changed = [&](const std::string& before, const std::string& after) {
    return compare(config(service("a", before), groups), config(service("a", after), groups)).changed.at(0).what;
  };
  EXPECT_EQ(changed("", ", group: g"), Words{"group"});
  EXPECT_EQ(changed(", group: h", ", group: g"), Words{"group"});
  const std::string window = ", maintenance: [{ start: 0 2 * * *, end: 0 3 * * *, zone: ";
  EXPECT_EQ(changed("", window + "UTC }]"), Words{"maintenance"});
  EXPECT_EQ(changed(window + "Europe/Berlin }]", window + "UTC }]"), Words{"maintenance"});
}

}  // namespace
}  // namespace homeostat::config
