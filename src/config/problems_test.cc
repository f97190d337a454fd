// Every class of mistake once, with its exact place.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "config/warnings.hpp"

namespace homeostat::config {
namespace {

std::string problems_of(std::string_view text, const std::string& name = "h.yaml") {
  const auto config = load_text(text, name);
  if (config) return "";
  std::string out;
  for (const Problem& problem : config.error()) out += render(problem) + "\n";
  return out;
}

/// The text of one service, behind two lines of its own: `line` is line 4, indented by 4.
std::string service(const std::string& line, const std::string& run = "process: { command: [x], ports: 9001-9002 }") {
  return "homeostat: 1\nservices:\n  a:\n    " + line + "\n    run: { " + run + " }\n";
}

std::string released(const std::string& rollout, const std::string& ports = "9001-9002") {
  return service("rollout: " + rollout, "process: { command: [x], ports: " + ports + ", releases: /r, release: v1 }");
}

struct Case {
  std::string text;
  std::string expected;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.expected; }

class Mistake : public testing::TestWithParam<Case> {};

TEST_P(Mistake, IsReportedAtItsPlace) {
  EXPECT_EQ(problems_of(GetParam().text), "h.yaml:" + GetParam().expected + "\n");
}

std::string check(const std::string& text) { return service("checks: { c: { " + text + " } }"); }
std::string ladder(const std::string& text) { return service("remediation: [ " + text + " ]"); }

INSTANTIATE_TEST_SUITE_P(
    Words, Mistake,
    testing::Values(
        Case{service("intsances: 2"), "4:5: unknown key `intsances` (did you mean `instances`?)"},
        Case{check("file: /x, intervall: 5s"),
             "4:30: unknown key `intervall` or check kind; known: http, tcp, "
             "exec, file, process, runtime, promql, haproxy, alert (did you mean `interval`?)"},
        Case{check("prometheus: {}"),
             "4:20: unknown key `prometheus` or check kind; known: http, tcp, exec, file, process, runtime, promql, "
             "haproxy, alert"},
        Case{check("interval: 5s"),
             "4:18: a check kind is missing; known: http, tcp, exec, file, process, runtime, promql, haproxy, alert"},
        Case{check("file: /x, tcp: { port: 1 }"), "4:30: `tcp` beside `file`: only one check kind can be given"},
        Case{service("mode: act", "kubernetes: {}"),
             "5:12: unknown key `kubernetes` or runtime; known: process, exec, systemd, supervisord, docker, podman"},
        Case{ladder("reboot"),
             "4:20: unknown key `reboot` or strategy; known: restart, rollback, scale_up, drain, exec, escalate"},
        Case{"homeostat: 2\nservices: { a: { run: { process: { command: [x] } } } }\n",
             "1:12: `2` is not a version of this format that this program knows: 1"},
        Case{"services: { a: { run: { process: { command: [x] } } } }\n", "1:1: `homeostat` is missing here"},
        Case{"homeostat: 1\nservices: {}\n", "2:11: at least one service is needed"},
        Case{"homeostat: 1\nservices: { A: { run: { process: { command: [x] } } } }\n",
             "2:13: `A` is no name for a service: 1 to 63 of a-z 0-9 _ -, not a dash first"},
        Case{service("mode: yes"), "4:11: `yes` is not one of: shadow, approve, act"},
        Case{service("instances: 10001"), "4:16: `10001` is not a whole number from 0 to 10000"},
        Case{service("stable_after: 5"),
             "4:19: `5` is not a span of time of at least 0s (write `150ms`, `5s`, `1h30m`)"},
        Case{service("max_unavailable: 0%"), "4:22: `0%` is not a number from 1 or a share from `1%` to `100%`"},
        Case{service("mode: act", "process: { command: x }"),
             "5:32: a list of arguments is needed here: [/usr/bin/program, argument]; it never goes through a shell"},
        Case{service("mode: act", "process: { command: [x], log: { max_size: 1 MB } }"),
             "5:54: `1 MB` is not a size (write `512KiB`, `10MiB`)"},
        Case{service("mode: act", "process: { command: [x], limits: { nofile: many } }"),
             "5:55: `many` is neither a number nor `unlimited`"}));

INSTANTIATE_TEST_SUITE_P(
    Checks, Mistake,
    testing::Values(
        Case{check("file: /x, timeout: 0s"),
             "4:39: `0s` is not a span of time of at least 1ms (write `150ms`, `5s`, `1h30m`)"},
        Case{check("file: /x, failure_threshold: 0"), "4:49: `0` is not a whole number from 1 to 1000"},
        Case{check("file: /x, interval: 1s, fast_interval: 2s"), "4:59: fast_interval 2s is longer than interval 1s"},
        Case{check("file: /x, degraded_above: 2s"), "4:46: degraded_above 2s is never reached: the timeout is 2s"},
        Case{check("http: { path: /x, expect: { latency_below: 2s } }"),
             "4:63: latency_below 2s is never reached: the timeout is 2s"},
        Case{check("http: {}"), "4:26: either `url` or `path` must be given"},
        Case{check("http: { url: 'ftp://x' }"), "4:33: not a usable address: it must begin with http:// or https://"},
        Case{check("http: { url: 'http://u:p@x/' }"),
             "4:33: not a usable address: a name and password belong into a header, from a file"},
        Case{check("http: { url: 'http://x:99999/' }"), "4:33: not a usable address: its port is not from 1 to 65535"},
        Case{check("http: { path: \"/x\\r\\nHost: y\" }"),
             "4:34: blanks, line ends and control characters cannot be part of an address"},
        Case{check("http: { path: /x, headers: { X: \"secret\\r\\nY: z\" } }"),
             "4:52: line ends and control characters cannot be part of this value"},
        Case{check("http: { path: /x, headers: { 'X Y': z } }"), "4:49: `X Y` is no name of a header"},
        Case{check("http: { path: /x, expect: { status: 20 } }"),
             "4:56: `20` is no HTTP status from 100 to 599 (write `200`, `200-299` or `[200, 204]`)"},
        Case{check("http: { path: /x, expect: { matches: '(' } }"), "4:57: `(` is no pattern: missing ): ("},
        Case{check("file: '/{release}'"), "4:18: `{release}` is used but the service has no `releases`"},
        Case{check("scope: service, tcp: {}"),
             "4:27: with `scope: service` there is no instance to look at or to fill in"},
        Case{service("checks: { process: { file: /x } }"),
             "4:15: the name `process` is kept for the check of the process itself"},
        Case{service("checks: { c: { http: { path: /x } } }", "process: { command: [x] }"),
             "4:18: `path` needs a port: give the service `ports`, or name a `port` or `url`"},
        Case{service("mode: act", "exec: { restart: [x] }"),
             "3:3: nothing observes this service: give it a check, or its runtime a `status` command"}));

INSTANTIATE_TEST_SUITE_P(
    Together, Mistake,
    testing::Values(
        Case{service("instances: 3"), "5:44: 2 ports for 3 instances"},
        Case{service("min_healthy: 2"), "4:18: min_healthy 2 of 1 instances can never be reached"},
        Case{service("max_unavailable: 2"), "4:22: max_unavailable 2 of 1 instances guards nothing"},
        Case{service("backoff: { initial: 10m }"), "4:25: the first wait 10m is longer than the longest 5m"},
        Case{
            "homeostat: 1\nservices:\n  web: { run: { exec: { status: [/bin/true] } } }\nbreakers: { open_for: 10m }\n",
            "4:23: the first wait 10m is longer than open_cap 5m"},
        Case{"homeostat: 1\nservices:\n  web: { run: { exec: { status: [/bin/true] } } }\nbreakers: { open_cap: 3y }\n",
             "4:11: open_cap: 94608000000000000 ns is not positive and at most a year"},
        Case{service("depends_on: [a]"), "4:18: a service cannot depend on itself"},
        Case{service("depends_on: [{ soft: b }]"), "4:26: no service is called `b`"},
        Case{service("depends_on: [{ any_of: [] }]"), "4:28: alternatives are two services or more"},
        Case{service("depends_on: [{ hart: b }]"),
             "4:20: unknown key `hart` or dependency; known: hard, soft, runs_on, any_of (did you mean `hard`?)"},
        Case{service("depends_on: [b]"), "4:18: no service is called `b`"},
        Case{service("prerequisites: [ { healthy: a } ]"),
             "4:33: a service that is being repaired is not healthy: this could never hold"},
        Case{service("prerequisites: [ { check: a/proces } ]"),
             "4:31: service `a` has no check `proces` (did you mean `process`?)"},
        Case{service("prerequisites: [ { min_healthy: { service: a, count: 2 } } ]"),
             "4:37: 2 healthy of 1 instances of `a` can never be reached"},
        Case{ladder("rollback"),
             "4:20: nothing to roll back to: `run:` needs `releases` or `image`, or `exec` a `rollback` command"},
        Case{ladder("escalate: { notify: pager }"), "4:40: no notifier is called `pager`"},
        Case{ladder("escalate, restart"), "4:20: `escalate` ends the ladder; the rungs after it would never be used"},
        Case{ladder("exec: [/a/x], exec: [/b/x]"), "4:34: a second exec rung called `x`; give it a `name`"},
        Case{ladder("restart: { when: changed 5m }"),
             "4:37: `changed 5m` is no condition (write `changed_within 15m`, `instances_failing > 50%`, `signal "
             "SEGV`, or `requests_fail`)"},
        Case{ladder("restart: { when: signal HUPS }"),
             "4:37: `signal HUPS` is no condition (write `changed_within 15m`, `instances_failing > 50%`, `signal "
             "SEGV`, or `requests_fail`)"},
        Case{ladder("restart: { when: instances_failing > 100% }"),
             "4:37: `instances_failing > 100%` is no condition (write `changed_within 15m`, `instances_failing > 50%`, "
             "`signal SEGV`, or `requests_fail`)"},
        Case{ladder("restart: { when: [ changed_within 1h, instance_failing > 50% ] }"),
             "4:58: `instance_failing > 50%` is no condition (write `changed_within 15m`, `instances_failing > 50%`, "
             "`signal SEGV`, or `requests_fail`) (did you mean `instances_failing`?)"},
        Case{ladder("restart: { when: [ changed_within 1h, changed_within 2h ] }"),
             "4:58: a second `changed_within`: all of a list must hold, so one is enough"},
        Case{ladder("restart: { when: [] }"), "4:37: at least one condition is needed here"},
        Case{ladder("restart: { when: { changed_within: 1h } }"),
             "4:37: this is no condition (write `changed_within 15m`, `instances_failing > 50%`, `signal SEGV`, or "
             "`requests_fail`)"},
        Case{
            service("remediation: [ rollback: { to: ../v0 } ]", "process: { command: [x], releases: /r, release: v1 }"),
            "4:36: `../v0` is no version: up to 64 of A-Z a-z 0-9 . _ -, neither a dot nor a dash first"},
        Case{service("remediation: [ rollback: { to: v0 } ]",
                     "exec: { rollback: [/ctl, back], status: [/ctl, status] }"),
             "4:36: the `rollback` command of `run: exec:` is not told which version: it needs `{version}`"},
        Case{
            service(
                "checks: { c: { file: /x, startup_grace: 9s } }\n    remediation: [ restart: { verify_within: 10s } ]"),
            "5:46: verify_within 10s is too short for check `c`: startup_grace 9s + success_threshold 2 x "
            "fast_interval "
            "1s = 11s"},
        Case{service("mode: act", "process: { command: [x, '{port}'] }"),
             "5:32: `{port}` is used but the service has no `ports`"},
        Case{service("mode: act", "process: { command: ['{release}/x'] }"),
             "5:32: `{release}` is used but the service has no `releases`"},
        Case{service("mode: act", "process: { command: [x], releases: /r }"),
             "5:47: with `releases`, the version to begin with is needed: `release: NAME`"},
        Case{"homeostat: 1\nservices:\n  a: { run: { process: { command: [x], ports: 1-2 } } }\n"
             "  b: { run: { process: { command: [x], ports: 2 } } }\n",
             "4:47: service `a` uses ports 1-2 already"}));

INSTANTIATE_TEST_SUITE_P(
    Guardrails, Mistake,
    testing::Values(
        Case{service("group: pay"), "4:12: no group of `guardrails` is called `pay`"},
        Case{service("group: pya") + "guardrails: { groups: { pay: {} } }\n",
             "4:12: no group of `guardrails` is called `pya` (did you mean `pay`?)"},
        Case{service("budget: { per: 48h }"),
             "4:20: the window of a budget is at most 24h: actions are remembered for a day"},
        Case{service("budget: { max_actions: 0 }"), "4:28: `0` is not a number from 1 or a share from `1%` to `100%`"},
        Case{service("maintenance: [{ end: 0 4 * * sun }]"),
             "4:19: a window needs `start`, such as `0 3 * * sun`; one that is open once needs `from` and `to`"},
        Case{service("maintenance: [{ start: 0 2 30 2 *, end: 0 4 * * * }]"),
             "4:28: `0 2 30 2 *`: there is no such day"},
        Case{service("maintenance: [{ start: 0 2 * * *, end: 0 2 * * * }]"), "4:44: it ends when it begins"},
        Case{service("maintenance: [{ start: 0 2 * * *, to: 2026-01-01 02:00 }]"),
             "4:19: either `start` and `end`, or `from` and `to`"},
        Case{service("maintenance: [{ from: 2026-01-01 02:00 }]"),
             "4:19: a window that is open once needs `to`, such as 2026-12-24 18:00"},
        Case{service("maintenance: [{ from: tomorrow, to: 2026-01-01 02:00 }]"),
             "4:27: `tomorrow` is no time of UTC: write it as 2026-12-24 18:00"},
        Case{service("maintenance: [{ from: 2026-01-01 02:00, to: 2026-01-01 02:00 }]"),
             "4:49: it ends before it begins"},
        Case{service("maintenance: [{ start: 0 2 * * *, end: 0 4 * * *, zone: Mars }]"),
             "4:61: `Mars` is no time zone of this machine (write `Europe/Berlin`)"}));

INSTANTIATE_TEST_SUITE_P(
    Rollouts, Mistake,
    testing::Values(
        Case{service("rollout: {}"),
             "4:14: a rollout needs the process runtime with `releases`: versions run side by side"},
        Case{released("{ stages: [{ traffic: 5 }] }"),
             "4:36: a share of the traffic from `0.01%` to `100%` is needed here"},
        Case{released("{ stages: [{ traffic: 0.123% }] }"),
             "4:36: a share of the traffic from `0.01%` to `100%` is needed here"},
        Case{released("{ stages: [{ traffic: 50% }, { traffic: 5% }] }"),
             "4:24: traffic must be more than in the stage before"},
        Case{released("{ stages: [{ traffic: 5%, pause: a while }] }"),
             "4:47: `a while` is not a span of time of at least 0s (write `150ms`, `5s`, `1h30m`)"},
        Case{released("{ surge: 0, stages: [{ traffic: 5% }] }"),
             "4:23: without a surge, a single instance cannot serve two versions"},
        Case{released("{ strategy: blue }"), "4:26: `blue` is not one of: canary, blue_green, rolling"},
        Case{released("{ judge: { latency: {} } }"), "4:23: a judge needs stages in which it can compare"},
        Case{released("{ stages: [{ traffic: 5% }], judge: { latency: { fail_above: 20% } } }"),
             "4:50: metric \"latency\": promote_below must be fail_above or more"},
        Case{released("{ strategy: blue_green }"),
             "4:14: strategy must be canary or rolling where nothing divides the traffic: blue and green "
             "would each get half"},
        Case{released("{ stages: [{ traffic: 5% }], judge: { e: { haproxy: errors } } }"),
             "4:66: it needs the service's `traffic: { haproxy: … }`"},
        Case{released("{ stages: [{ traffic: 5% }], judge: { e: { exec: [x] } } }"),
             "4:63: it must tell the versions apart: use `{version}`, `{port}` or `{instance}`"},
        Case{released("{ stages: [{ traffic: 5% }], judge: { e: { kind: errors, http: { path: /s, json: /e "
                      "} } } }"),
             "4:77: of how many? `done` says where that stands"},
        Case{released("{ stages: [{ traffic: 5% }], judge: { e: { exec: [x, '{port}'], http: { path: /s, "
                      "json: /e } } } }"),
             "4:55: a metric has one source"},
        Case{released("{ stages: [{ traffic: 5%, gates: { g: {} } }] }"),
             "4:52: a gate is either `exec`, a command that agrees, or `window`, a time of day"},
        Case{released("{ stages: [{ traffic: 5%, gates: { g: { exec: [x], window: { start: 0 9 * * *, end: 0 10 * * * "
                      "} } } }] }"),
             "4:52: a gate is either `exec`, a command that agrees, or `window`, a time of day"},
        Case{released("{ stages: [{ traffic: 5%, gates: { g: { exec: smoke } } }] }"),
             "4:60: a list of arguments is needed here: [/usr/bin/program, argument]; it never goes through a shell"},
        Case{released("{ stages: [{ traffic: 5%, gates: { g: { window: { start: 0 9 * * *, end: 0 9 * * * } } } }] }"),
             "4:87: it ends when it begins: it is never open"},
        Case{
            released("{ stages: [{ traffic: 5%, gates: { g: { window: { start: 0 9 31 2 *, end: 0 17 * * * } } } }] }"),
            "4:71: `0 9 31 2 *`: there is no such day"},
        Case{released(
                 "{ stages: [{ traffic: 5%, gates: { g: { window: { start: 0 9 31 2 *, end: 0 17 31 4 * } } } }] }"),
             "4:71: `0 9 31 2 *`: there is no such day\nh.yaml:4:88: `0 17 31 4 *`: there is no such day"},
        Case{released("{ stages: [{ traffic: 5%, gates: { g: { window: { start: 0 9 * * *, end: 0 17 * * *, zone: Mars "
                      "} } } }] }"),
             "4:105: `Mars` is no time zone of this machine (write `Europe/Berlin`)"},
        Case{released("{ stages: [{ traffic: 5%, gates: { judge: { exec: [x] } } }] }"),
             "4:56: `judge` is a gate of Homeostat's own: give it another name"},
        Case{released("{ baseline: fresh, stages: [{ traffic: 5% }] }", "1-3"),
             "4:26: without a `judge` nothing is compared"},
        Case{released("{ surge: 0, baseline: fresh, stages: [{ traffic: 5% }], judge: { e: {} } }"),
             "4:23: without a surge, a single instance cannot serve two versions\nh.yaml:4:36: a fresh baseline is as "
             "many as `surge`: 0"},
        Case{released("{ surge: 2 }", "1-2"),
             "5:44: 2 ports for 3 instances: 1, 2 more while a new version takes over"},
        Case{released("{ baseline: fresh, stages: [{ traffic: 5% }], judge: { e: {} } }", "1-2"),
             "5:44: 2 ports for 3 instances: 1, 1 more while a new version takes over and 1 to compare with"}));

TEST(Problems, AllAreReportedNotOnlyTheFirst) {
  EXPECT_EQ(problems_of("homeostat: 1\n"
                        "services:\n"
                        "  a:\n"
                        "    run: { process: { comand: [x] } }\n"
                        "    checks: { c: { tcp: { port: 0 }, intervall: 1s } }\n"
                        "gaurdrails: {}\n"),
            "h.yaml:6:1: unknown key `gaurdrails` (did you mean `guardrails`?)\n"
            "h.yaml:4:21: `command` is missing here\n"
            "h.yaml:4:23: unknown key `comand` (did you mean `command`?)\n"
            "h.yaml:5:38: unknown key `intervall` or check kind; known: http, tcp, exec, file, process, runtime, "
            "promql, haproxy, alert (did "
            "you mean `interval`?)\n"
            "h.yaml:5:33: `0` is not a port from 1 to 65535\n");
}

TEST(Problems, AreBounded) {
  std::string text = "homeostat: 1\nservices:\n";
  for (int i = 0; i < 500; ++i) text += "  s" + std::to_string(i) + ": {}\n";
  const auto config = load_text(text, "h.yaml");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().size(), 101U);
  EXPECT_EQ(render(config.error().back()), "h.yaml: there are more problems");
}

TEST(Problems, AServiceHasAtMostTenThousandChecks) {
  std::string checks;
  for (int i = 0; i < 10'001; ++i) checks += fmt::format("      c{}: {{ tcp: {{ port: 80 }} }}\n", i);
  EXPECT_EQ(problems_of(service("checks:\n" + checks)), "h.yaml:5:7: more than 10000 checks\n");
}

TEST(Problems, ARollbackToAReleaseThatIsNotThereIsWarnedOf) {
  std::string folder = std::filesystem::temp_directory_path() / "homeostat-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directory(folder + "/v0");
  const auto warnings = [](const std::string& releases) {
    const auto config = load_text(service("remediation: [ rollback: { to: v0 }, rollback: { to: v9 } ]",
                                          "process: { command: [x], releases: " + releases + ", release: v1 }"),
                                  "h.yaml");
    std::vector<std::string> out;
    for (const Problem& warning : warnings_of(config.value())) out.push_back(render(warning));
    return out;
  };
  EXPECT_EQ(warnings(folder), (std::vector<std::string>{"h.yaml:4:58: a: there is no release v9 in " + folder +
                                                        ": this rung will fail"}));
  EXPECT_TRUE(warnings("/nowhere/releases").empty());
  std::filesystem::remove_all(folder);
}

TEST(Problems, SecretsAreReadAndNeverShown) {
  std::string folder = std::filesystem::temp_directory_path() / "homeostat-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/token") << "s3cret\n";
  std::ofstream(folder + "/split") << "s3cret\nX: y\n";
  const auto text = [](const std::string& file) {
    return check("http: { path: /x, headers: { Authorization: { file: " + file + " } } }");
  };
  const auto config = load_text(text("token"), folder + "/h.yaml");
  ASSERT_TRUE(config.has_value());
  const auto& http = std::get<probe::HttpSpec>(config->probes.at(config->plan.services[0].checks[1].probe));
  EXPECT_EQ(http.headers.at(0).second, "s3cret");
  EXPECT_EQ(config->text.find("s3cret"), std::string::npos);
  EXPECT_EQ(problems_of(text("split"), folder + "/h.yaml"),
            folder + "/h.yaml:4:72: `" + folder + "/split` holds more than one line, or control characters\n");
  EXPECT_EQ(problems_of(text("gone"), folder + "/h.yaml"),
            folder + "/h.yaml:4:72: cannot read " + folder + "/gone: No such file or directory\n");
  std::filesystem::remove_all(folder);
}

std::string unit(const std::string& text, const std::string& more = "mode: act") {
  return service(more, "systemd: { " + text + " }");
}

INSTANTIATE_TEST_SUITE_P(
    Units, Mistake,
    testing::Values(
        Case{unit("unit: web"), "5:29: `web` is no name of a service unit, such as `web.service`"},
        Case{unit("unit: 'a b.service'"), "5:29: `a b.service` is no name of a service unit, such as `web.service`"},
        Case{unit("unit: web.service", "instances: 2"),
             "5:29: one unit cannot be 2 instances: name a template, such as `web@{instance}.service`"},
        Case{unit("unit: web.service, link: /l"), "5:48: `link` means nothing without `releases`"},
        Case{unit("unit: w.service, releases: /r"),
             "5:50: with `releases`, the version to begin with is needed: `release: NAME`"},
        Case{unit("unit: 'w@{instance}.service', releases: /r, release: v1", "instances: 2"),
             "5:63: one link cannot be several versions: `releases` needs `instances: 1`"},
        Case{unit("unit: w.service", "checks: { c: { http: { path: / } } }"),
             "4:18: `path` needs a port: give the service `ports`, or name a `port` or `url`"},
        Case{unit("unit: 'w@{instance}.service'", "scaling: { min: 1, max: 2, metrics: { m: { cpu: 50% } } }"),
             "4:14: cpu and memory are measured of instances that the process runtime has started"},
        Case{check("runtime: {}"),
             "4:18: this runtime has no view of its own: a `runtime` check is for `systemd`, "
             "`supervisord`, `docker` and `podman`"},
        Case{"homeostat: 1\nservices:\n  a: { run: { systemd: { unit: w.service } } }\n"
             "  b: { run: { systemd: { unit: w.service } } }\n",
             "4:32: service `a` is this unit already"}));

std::string container(const std::string& text, const std::string& more = "mode: act") {
  return service(more, "podman: { " + text + " }");
}

INSTANTIATE_TEST_SUITE_P(
    Containers, Mistake,
    testing::Values(
        Case{container("container: 'a/b'"), "5:33: `a/b` is no name of a container: up to 100 of A-Z a-z 0-9 _ . -"},
        Case{container("container: web", "instances: 2"),
             "5:33: one container cannot be 2 instances: name a template, such as `web-{instance}`"},
        Case{container("container: web, image: 'localhost/web:v1', release: v1"),
             "5:45: the tag is the version: `image: localhost/web, release: v1`"},
        Case{container("container: web, image: 'localhost:5000/web'"),
             "5:45: with `image`, the version to begin with is needed: `release: TAG`"},
        Case{container("container: web, release: v1"), "5:47: `release` means nothing without `image`"},
        Case{container("container: web, image: w, release: 'a b'"),
             "5:57: `a b` is no tag: up to 64 of A-Z a-z 0-9 . _ -"},
        Case{container("container: web, socket: /" + std::string(107, 's')),
             "5:46: the path of a socket has at most 107 bytes"},
        Case{container("container: web", "remediation: [ { rollback: {} } ]"),
             "4:20: nothing to roll back to: `run:` needs `releases` or `image`, or `exec` a `rollback` command"},
        Case{container("container: w", "checks: { c: { http: { path: / } } }"),
             "4:18: `path` needs a port: give the service `ports`, or name a `port` or `url`"},
        Case{"homeostat: 1\nservices:\n  a: { run: { docker: { container: w } } }\n"
             "  b: { run: { docker: { container: w } } }\n",
             "4:36: service `a` is this container already"}));

std::string program(const std::string& text) { return service("mode: act", "supervisord: { " + text + " }"); }
std::string alerts(const std::string& text) {
  return "homeostat: 1\nalerts: { " + text + " }\nservices: { a: { run: { process: { command: [x] } } } }\n";
}

INSTANTIATE_TEST_SUITE_P(
    Outside, Mistake,
    testing::Values(
        Case{program("program: 'a b'"), "5:36: `a b` is no name of a program"},
        Case{program("program: a, server: here"),
             "5:47: `here` is neither `unix:/PATH` nor `ADDRESS:PORT` with a numeric address"},
        Case{program("program: a, user: u"), "5:25: `user` and `password` belong together"},
        Case{alerts("listen: nowhere"), "2:19: `nowhere` is no ADDRESS:PORT with a numeric address"},
        Case{alerts("listen: '0.0.0.0:9096'"),
             "2:19: anybody could post here: give a `token`, or `user` and `password`"},
        Case{alerts("listen: '[::1]:9096', user: u"), "2:9: `user` and `password` belong together"},
        Case{program("program: a, password: p"), "5:25: `user` and `password` belong together"},
        Case{program("program: a, user: u, password: { file: /nowhere/p }"),
             "5:66: cannot read /nowhere/p: No such file or directory"},
        Case{alerts("listen: '[::1]:9096', user: u, password: { file: /nowhere/p }"),
             "2:60: cannot read /nowhere/p: No such file or directory"},
        Case{alerts("listen: '0.0.0.0:9096', token: { file: /nowhere/p }"),
             "2:50: cannot read /nowhere/p: No such file or directory"},
        Case{"homeostat: 1\nnotify: { m: { email: { server: mx, from: a@b, to: [c@d], user: u, "
             "password: { file: /nowhere/p } } } }\nservices: { a: { run: { process: { command: [x] } } } }\n",
             "2:86: cannot read /nowhere/p: No such file or directory"},
        Case{check("alert: { labels: {} }"), "4:37: labels are needed here: { alertname: Down }"},
        Case{check("promql: { url: 'http://h', query: up, expect: 'about 5' }"),
             "4:66: `about 5` is no condition, such as `< 0.05`"},
        Case{check("promql: { url: 'http://h', query: 'sum(', expect: '< 5' }"),
             "4:54: no query of a Prometheus: `(` is not closed"},
        Case{check("promql: { url: 'http://h', query: 'up)', expect: '< 5' }"),
             "4:54: no query of a Prometheus: `)` closes nothing"},
        Case{check("promql: { url: 'http://h', query: 'sum(up{a=\"(\"]) # )', expect: '< 5' }"),
             "4:54: no query of a Prometheus: `]` closes nothing"},
        Case{check("promql: { url: 'http://h', query: 'up{a=\"b\\\"}', expect: '< 5' }"),
             "4:54: no query of a Prometheus: a text is not closed"}));

/// A service with the checks `alive` and `lag` (line 5), and the issue `slow` (line 1).
std::string with_issue(const std::string& slow, const std::string& named = "[slow]",
                       const std::string& lag = "tcp: { port: 1 }") {
  return "issues: { slow: " + slow + " }\nhomeostat: 1\nservices:\n  a:\n    issues: " + named +
         "\n    checks: { alive: { tcp: { port: 1 } }, lag: { " + lag +
         " } }\n    run: { process: { command: [x] } }\n";
}

INSTANTIATE_TEST_SUITE_P(
    Ladders, Mistake,
    testing::Values(
        Case{ladder("scale_up"), "4:20: it has a fixed number of instances: `scale_up` needs `scaling`"},
        Case{ladder("scale_up: { factor: 0.5 }"),
             "4:40: a factor above 1 makes it more (write `1.5` or `150%`)\n"
             "h.yaml:4:20: it has a fixed number of instances: `scale_up` needs `scaling`"},
        Case{ladder("drain"), "4:20: nothing leads requests to it: `drain` needs `traffic`"},
        Case{ladder("restart: { instances: al }"), "4:42: `al` is not one of: one, rolling, all (did you mean `all`?)"},
        Case{service("remediation: { witihn: 3m }"), "4:20: unknown key `witihn` (did you mean `within`?)"},
        Case{service("remediation: [restart: { when: signal KILL }]", "supervisord: { program: a }"),
             "4:19: only `process`, `systemd`, `docker` and `podman` can tell by what signal an instance was killed"},
        Case{service("completion: { ok: [300] }"), "4:24: `300` is not a whole number from 0 to 255"},
        Case{service("completion: {}", "exec: { status: [x] }"),
             "4:17: this runtime does not tell how a run ended (`status` of `exec` tells how it is now): `completion` "
             "needs `process`, `systemd`, `supervisord`, `docker` or `podman`"},
        Case{with_issue("{ checks: [lag] }", "[slwo]"), "5:14: no issue is called `slwo` (did you mean `slow`?)"},
        Case{with_issue("{ checks: [lag] }", "[slow, slow]"), "5:20: `slow` is named twice"},
        Case{with_issue("{ checks: [lag, alvie] }"),
             "1:33: no service with this issue has a check `alvie` (did you mean `alive`?)"},
        Case{with_issue("{ checks: [lag] }", "[slow]", "role: watch, tcp: { port: 1 }"),
             "5:14: check `lag` of `slow` is of the role `watch`, which never repairs"},
        Case{with_issue("{ alerts: [HighLatency] }"),
             "5:14: service `a` has none of the checks and alerts of `slow`: `HighLatency`"},
        Case{with_issue("{ ladder: [restart] }", "[]"), "1:11: `checks` or `alerts` must say by what `slow` is known"},
        Case{with_issue("{ checks: [lag], ladder: [drain] }"),
             "1:43: nothing leads requests to it: `drain` needs `traffic`"}));

}  // namespace
}  // namespace homeostat::config
