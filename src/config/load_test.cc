#include "config/load.hpp"

#include <gtest/gtest.h>

#include "config/reference.hpp"

namespace homeostat::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string all(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += render(problem) + "\n";
  return out;
}

Config good(std::string_view text) {
  auto config = load_text(text, "/etc/homeostat/h.yaml");
  if (!config) {
    ADD_FAILURE() << all(config.error());
    return {};
  }
  return std::move(*config);
}

TEST(Load, SixLinesAreEnough) {
  const Config config = good(R"(homeostat: 1
services:
  api:
    run: { process: { command: [./serve, --port, "{port}"], ports: 9001 } }
    checks:
      alive: { http: { path: /livez } }
)");
  ASSERT_EQ(config.plan.services.size(), 1U);
  const engine::ServicePlan& api = config.plan.services[0];
  EXPECT_EQ(api.name, "api");
  EXPECT_EQ(api.mode, engine::Mode::act);
  EXPECT_EQ(api.instances, 1U);
  EXPECT_EQ(api.min_healthy, 1U);
  ASSERT_EQ(api.checks.size(), 2U);
  EXPECT_EQ(api.checks[0].name, "process");
  EXPECT_TRUE(api.checks[0].process);
  EXPECT_EQ(api.checks[0].policy.failure_threshold, 1U);
  EXPECT_EQ(api.checks[0].policy.success_threshold, 2U);
  EXPECT_EQ(api.checks[0].policy.startup_grace, Duration{});
  EXPECT_EQ(api.checks[1].name, "alive");
  EXPECT_EQ(api.checks[1].policy.interval, seconds(5));
  const auto& http = std::get<probe::HttpSpec>(config.probes.at(api.checks[1].probe));
  EXPECT_EQ(http.host, "127.0.0.1");
  EXPECT_EQ(http.port, "{port}");
  EXPECT_EQ(http.path, "/livez");
  ASSERT_EQ(api.ladder.size(), 2U);
  EXPECT_EQ(api.ladder[0].strategy, engine::StrategyKind::restart);
  EXPECT_EQ(api.ladder[0].attempts, 3U);
  EXPECT_EQ(api.ladder[0].verify_within, seconds(60 + 3 + 2));
  EXPECT_EQ(api.ladder[1].strategy, engine::StrategyKind::escalate);
  EXPECT_EQ(api.ladder[1].reference, engine::kNone);
  const auto& process = std::get<runtime::ProcessSpec>(config.runtimes.at(0));
  EXPECT_EQ(process.first_port, 9001);
  EXPECT_EQ(process.last_port, 9001);
  EXPECT_EQ(process.cwd, "/etc/homeostat");
  EXPECT_TRUE(api.runtime.managed);
}

/// Beneath `homeostat: 1` and the services given: their first.
Config one_service(const std::string& text) { return good("homeostat: 1\nservices:\n  a: { " + text + " }\n"); }

TEST(Load, FillsEveryPartOfTheFullExample) {
  const std::string page = reference();
  const std::size_t begin = page.rfind("```yaml\n") + 8;
  const Config config = good(page.substr(begin, page.find("```", begin) - begin));
  ASSERT_EQ(config.plan.services.size(), 2U);
  const engine::ServicePlan& db = config.plan.services[0];
  EXPECT_EQ(db.mode, engine::Mode::approve);
  EXPECT_FALSE(db.runtime.managed);
  EXPECT_TRUE(db.runtime.restart);
  EXPECT_FALSE(db.runtime.start_stop);
  EXPECT_FALSE(db.runtime.releases);
  ASSERT_EQ(db.checks.size(), 1U);  // an alive check is there: `status` is not one as well
  EXPECT_EQ(std::get<probe::TcpSpec>(config.probes[db.checks[0].probe]).port, "5432");
  const engine::ServicePlan& api = config.plan.services[1];
  EXPECT_EQ(api.runtime.reference, 1U);
  EXPECT_EQ(api.runtime.stop_grace, seconds(30));
  EXPECT_EQ(api.release, "v1");
  EXPECT_EQ(api.min_healthy, 4U);
  EXPECT_EQ(api.max_unavailable.of(6), 2U);
  EXPECT_EQ(api.depends_on, std::vector<engine::Need>{0});
  ASSERT_EQ(api.prerequisites.size(), 2U);
  EXPECT_EQ(std::get<probe::FileSpec>(config.probes[api.prerequisites[0].probe]).path, "/srv/api/enabled");
  EXPECT_EQ(api.prerequisites[1].service, 0U);
  EXPECT_EQ(api.prerequisites[1].check, 0U);
  ASSERT_EQ(api.checks.size(), 4U);
  EXPECT_EQ(api.checks[1].policy.startup_grace, seconds(30));
  EXPECT_EQ(api.checks[2].role, Role::ready);
  const auto& ready = std::get<probe::HttpSpec>(config.probes[api.checks[2].probe]);
  ASSERT_EQ(ready.status.size(), 2U);
  EXPECT_EQ(ready.status[1].first, 204);
  EXPECT_EQ(ready.latency_below, milliseconds(500));
  ASSERT_EQ(api.ladder.size(), 4U);
  EXPECT_EQ(api.ladder[0].when.changed_within, minutes(15));
  EXPECT_EQ(api.ladder[1].verify_within, minutes(2));
  EXPECT_EQ(api.ladder[2].name, "clear-cache");
  EXPECT_TRUE(api.ladder[2].idempotent);
  EXPECT_EQ(config.commands.at(api.ladder[2].reference).argv.at(1), "{service}");
  EXPECT_EQ(api.ladder[3].reference, 0U);
  EXPECT_EQ(config.notifiers.at(0).command.name, "oncall");
  ASSERT_EQ(config.plan.notifiers.size(), 1U);
  EXPECT_EQ(config.plan.notifiers[0].name, "oncall");
  EXPECT_EQ(config.plan.default_notifier, 0U);
  EXPECT_EQ(config.plan.fleet.percent, 0U);
  const auto& process = std::get<runtime::ProcessSpec>(config.runtimes[1]);
  EXPECT_EQ(process.last_port, 9012);
  EXPECT_EQ(process.limits.size(), 2U);
  EXPECT_EQ(process.env.at(0).second, "info");
}

TEST(Load, DefaultsAreThoseOfTheLibrary) {
  const Config config = one_service("run: { process: { command: [x] } }, checks: { c: { file: /x } }");
  const CheckPolicy& read = config.plan.services[0].checks[1].policy;
  const CheckPolicy library;
  EXPECT_EQ(read.interval, library.interval);
  EXPECT_EQ(read.fast_interval, library.fast_interval);
  EXPECT_EQ(read.timeout, library.timeout);
  EXPECT_EQ(read.failure_threshold, library.failure_threshold);
  EXPECT_EQ(read.success_threshold, library.success_threshold);
  EXPECT_EQ(read.startup_grace, library.startup_grace);
  EXPECT_EQ(config.plan.fleet.percent, 10U);
  EXPECT_EQ(config.plan.services[0].rearm_after, minutes(30));
}

TEST(Load, GuardrailsOnFourLevels) {
  const Config config = good(R"(homeostat: 1
services:
  a: { run: { process: { command: [x] } }, group: pay, budget: { max_actions: 50%, per: 1h } }
  b: { run: { process: { command: [x] } } }
guardrails:
  instance: { max_actions: 2, per: 1h }
  groups: { few: {}, pay: { max_actions: 25%, per: 5m } }
  fleet: { max_actions: 10% }
  approve_within: 2h
  storm_cool_down: 5m
)");
  const engine::Plan& plan = config.plan;
  EXPECT_EQ(plan.services[0].group, 1U);
  EXPECT_EQ(plan.services[1].group, engine::kNone);
  EXPECT_EQ(plan.services[0].budget.percent, 50U);
  EXPECT_EQ(plan.services[0].budget.max_actions, 1U) << "at least one";
  EXPECT_EQ(plan.services[1].budget.max_actions, 3U);
  ASSERT_TRUE(plan.instance);
  EXPECT_EQ(plan.instance->max_actions, 2U);
  EXPECT_EQ(plan.groups[1].name, "pay");
  EXPECT_EQ(plan.groups[1].budget.percent, 25U);
  EXPECT_EQ(plan.groups[1].budget.per, minutes(5));
  EXPECT_EQ(plan.fleet.percent, 10U);
  EXPECT_EQ(plan.fleet.max_actions, 1U);
  EXPECT_EQ(plan.approval_within, std::chrono::hours(2));
  EXPECT_EQ(plan.storm_cool_down, minutes(5));
}

TEST(Load, WindowsOfMaintenance) {
  const Config config = good(R"(homeostat: 1
services:
  a:
    run: { process: { command: [x] } }
    maintenance:
      - { start: 0 2 * * sun, end: 0 4 * * sun, zone: Europe/Berlin, reason: backup }
      - { start: 0 1 * * *, end: 30 1 * * * }
guardrails: { maintenance: [{ from: 2026-07-01 22:00, to: 2026-07-02 01:00, zone: Europe/Berlin }] }
)");
  const engine::Plan& plan = config.plan;
  const auto& own = plan.services[0].maintenance;
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(plan.zones.at(own[0].zone), "Europe/Berlin");
  EXPECT_EQ(own[0].reason, "backup");
  EXPECT_EQ(plan.zones.at(own[1].zone), "UTC");
  ASSERT_EQ(plan.maintenance.size(), 1U);
  EXPECT_EQ(plan.maintenance[0].from, 1'782'936'000) << "20:00 in UTC: it is summer in Berlin";
  EXPECT_EQ(plan.maintenance[0].to - plan.maintenance[0].from, 3 * 3600);
}

TEST(Load, OwnDefaultsReachEveryCheck) {
  const Config config = good(R"(homeostat: 1
services:
  a: { run: { process: { command: [x] } }, checks: { c: { file: /x, timeout: 1s } } }
defaults: { interval: 500ms, failure_threshold: 7 }
)");
  const auto& checks = config.plan.services[0].checks;
  EXPECT_EQ(checks[0].policy.interval, milliseconds(500));
  EXPECT_EQ(checks[0].policy.fast_interval, milliseconds(500));
  EXPECT_EQ(checks[0].policy.failure_threshold, 1U);
  EXPECT_EQ(checks[1].policy.failure_threshold, 7U);
  EXPECT_EQ(checks[1].policy.timeout, seconds(1));
}

TEST(Load, StatusOfTheExecRuntimeIsACheckWhenNothingElseIsAlive) {
  const Config config = one_service("run: { exec: { status: [/s, '{instance}'] } }, instances: 2");
  const engine::ServicePlan& a = config.plan.services[0];
  ASSERT_EQ(a.checks.size(), 1U);
  EXPECT_EQ(a.checks[0].name, "status");
  EXPECT_EQ(a.checks[0].scope, Scope::instance);
  ASSERT_EQ(a.ladder.size(), 1U);  // nothing that could restart it
  EXPECT_EQ(a.ladder[0].strategy, engine::StrategyKind::escalate);
}

TEST(Load, KilledForItsMemoryIsNotTheSameAsKilled) {
  const auto condition = [](const std::string& run, const std::string& when) {
    const Config config = good("homeostat: 1\nservices:\n  a:\n    run: { " + run +
                               " }\n    remediation: [ restart: { when: " + when + " } ]\n");
    return config.plan.services.at(0).ladder[0].when;
  };
  for (const char* run : {"process: { command: [x] }", "systemd: { unit: a.service }", "podman: { container: a }",
                          "docker: { container: a }"}) {
    EXPECT_TRUE(condition(run, "signal oom").out_of_memory) << run;
    EXPECT_FALSE(condition(run, "signal KILL").out_of_memory) << run;
  }
}

TEST(Load, OneTargetForAllInstancesIsTheServiceAsAWhole) {
  const Config config = one_service(
      "run: { process: { command: [x], ports: 1-2 } }, instances: 2, checks: { c: { tcp: { port: 80 } }, d: { tcp: {} "
      "} }");
  EXPECT_EQ(config.plan.services[0].checks[1].scope, Scope::service);
  EXPECT_EQ(config.plan.services[0].checks[2].scope, Scope::instance);
}

TEST(Load, ARollbackMayNameItsVersionUnderEveryRuntimeWithReleases) {
  for (const char* run :
       {"process: { command: ['{release}/x'], releases: /r, release: v1 }",
        "systemd: { unit: x.service, releases: /r, release: v1 }", "docker: { container: x, image: shop, release: v1 }",
        "exec: { rollback: [/ctl, back, '{version}'], status: [/ctl, status] }"}) {
    const Config config = one_service("run: { " + std::string(run) + " }, remediation: [ rollback: { to: 1.10 } ]");
    EXPECT_EQ(config.plan.services[0].ladder[0].version, "1.10") << run;
  }
}

TEST(Load, AllConditionsOfAListMustHold) {
  const Config config = one_service(
      "run: { process: { command: [x] } }, remediation: [ restart: { when: [ changed_within 1h, instances_failing > "
      "50%, "
      "signal oom ] } ]");
  const engine::Condition& when = config.plan.services[0].ladder[0].when;
  EXPECT_EQ(when.changed_within, std::chrono::hours(1));
  EXPECT_EQ(when.failing_above, 50U);
  EXPECT_EQ(when.killed_by, 9);
}

TEST(Load, IdentityFollowsTheTargetAndNotTheTiming) {
  const auto identity = [](const std::string& check) {
    return one_service("run: { process: { command: [x], ports: 1 } }, checks: { c: { " + check + " } }")
        .plan.services[0]
        .checks[1]
        .identity;
  };
  const std::uint64_t base = identity("http: { path: /x }");
  EXPECT_EQ(base, identity("http: { path: /x }, interval: 1m, failure_threshold: 9, role: ready"));
  EXPECT_NE(base, identity("http: { path: /y }"));
  EXPECT_NE(base, identity("http: { path: /x, expect: { contains: ok } }"));
  EXPECT_NE(base, identity("http: { path: /x, headers: { A: b } }"));
}

TEST(Load, AddressesAreTakenApart) {
  const auto http = [](const std::string& url) {
    const Config config =
        one_service("run: { exec: { status: [x] } }, checks: { c: { http: { url: '" + url + "' } } }");
    return std::get<probe::HttpSpec>(config.probes.at(0));
  };
  EXPECT_EQ(http("http://h").port, "80");
  EXPECT_EQ(http("http://h").path, "/");
  EXPECT_EQ(http("http://h?a=b").path, "/?a=b");
  EXPECT_TRUE(http("https://h/x").tls);
  EXPECT_EQ(http("https://h/x").port, "443");
  EXPECT_EQ(http("http://[::1]:8080/x").host, "::1");
  EXPECT_EQ(http("http://[::1]:8080/x").port, "8080");
  EXPECT_EQ(http("http://[::1]/x").port, "80");
}

}  // namespace
}  // namespace homeostat::config
