// What a file could say that is noticed only when something fails: refused where it is a mistake, warned of where it
// may be meant.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "config/warnings.hpp"

namespace homeostat::config {
namespace {

constexpr const char* kRun = "run: { process: { command: [x], ports: 9001-9003 } }";

std::string file(const std::string& service, const std::string& more = "") {
  return "homeostat: 1\nservices:\n  a:\n    { " + std::string(kRun) + ",\n" + service + " }\n" + more;
}

std::string problem_of(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  return config ? "" : render(config.error().front());
}

std::string warnings_in(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  if (!config) return "refused: " + render(config.error().front());
  std::string out;
  for (const Problem& warning : warnings_of(*config)) out += render(warning) + "\n";
  return out;
}

const std::string kReceiver = "alerts: { listen: '127.0.0.1:9096' }\n";

TEST(Night, AnAlertThatNobodyCanPostNeverFires) {
  const std::string service = "checks: { c: { alert: { labels: { alertname: Down, instance: '127.0.0.1:{port}' } } } }";
  EXPECT_EQ(warnings_in(file(service, kReceiver)), "");
  EXPECT_EQ(warnings_in(file(service)), "h.yaml:5:23: nobody can post this alert: without `alerts` it never fires\n");
}

TEST(Night, LabelsThatNoAlertHas) {
  const auto labels = [](const std::string& text) {
    return problem_of(file("checks: { c: { alert: { labels: { " + text + " } } } }", kReceiver));
  };
  EXPECT_EQ(
      labels("alert-name: Down"),
      "h.yaml:5:35: `alert-name` is no name of a label that is looked at: letters, digits and `_`, no digit first");
  EXPECT_EQ(labels("1st: Down"),
            "h.yaml:5:35: `1st` is no name of a label that is looked at: letters, digits and `_`, no digit first");
  EXPECT_EQ(labels("severity: ''"), "h.yaml:5:45: no alert has an empty label");
  EXPECT_EQ(labels("service: '{service}'"),
            "h.yaml:5:44: `{service}` is not filled in here: what is, is `{port}`, `{instance}`");
}

TEST(Night, APortThatTheAlertsNeed) {
  const std::string alerts = "alerts: { listen: '127.0.0.1:9002' }\n";
  EXPECT_EQ(problem_of(file("instances: 3", alerts)), "h.yaml:4:46: `alerts` uses port 9002 already");
  EXPECT_EQ(problem_of(file("instances: 2", alerts)), "") << "ports that are taken are left out";
}

TEST(Night, ATokenThatIsEmptyKeepsNobodyOut) {
  const std::string path = std::filesystem::temp_directory_path() / "homeostat-night-token";
  std::ofstream(path) << "\n";
  EXPECT_EQ(problem_of(file("instances: 2", "alerts: { listen: '127.0.0.1:9096', token: { file: " + path + " } }\n")),
            "h.yaml:6:44: file " + path + " is empty");
  EXPECT_EQ(problem_of(file("instances: 2", "alerts: { listen: '127.0.0.1:9096', token: '' }\n")),
            "h.yaml:6:44: an empty text means nothing here");
  std::filesystem::remove(path);
}

TEST(Night, AnIssueThatIsMisspeltOrNobodyHas) {
  const std::string service =
      "issues: [slow], checks: { latency: { file: /x }, told: { alert: { labels: { alertname: Slow } } } }";
  const auto issue = [&](const std::string& alert) {
    return file(service, kReceiver + "issues: { slow: { checks: [latency], alerts: [" + alert + "] } }\n");
  };
  EXPECT_EQ(problem_of(issue("Slow")), "");
  EXPECT_EQ(problem_of(issue("Slwo")),
            "h.yaml:7:47: no service with this issue has a check of the alert `Slwo` (did you mean `Slow`?)");
  EXPECT_EQ(warnings_in(file("instances: 2", "issues: { slow: { checks: [latency] } }\n")),
            "h.yaml:6:11: no service has `slow` among its `issues`: its ladder is never taken\n");
}

TEST(Night, ARungThatNeverApplies) {
  const std::string traffic = "traffic: { haproxy: { socket: /run/h.sock, backend: b, server: 'm{port}' } }, ";
  EXPECT_EQ(problem_of(file(traffic + "instances: 2, remediation: [ drain ]")), "");
  EXPECT_NE(problem_of(file(traffic + "remediation: [ drain ]"))
                .find("no other instance would serve: `drain` needs `instances: 2` or more"),
            std::string::npos);
  const auto raised = [](const std::string& most) {
    return problem_of(
        file("scaling: { min: 2, max: 3, metrics: { cpu: { cpu: 60% } } },\nremediation: [ scale_up: { max: " + most +
             " } ]"));
  };
  EXPECT_EQ(raised("3"), "");
  EXPECT_EQ(raised("2"), "h.yaml:6:33: 2 is never more than the `min` 2 of `scaling`");
  const auto by_night = [](const std::string& bounds, const std::string& most) {
    return problem_of(
        file("scaling: { min: 2, max: 2, metrics: { cpu: { cpu: 60% } }, schedules: [ { start: 0 1 * * "
             "*, end: 0 2 * * *, " +
             bounds + " } ] },\nremediation: [ scale_up: { max: " + most + " } ]"));
  };
  EXPECT_EQ(by_night("min: 1", "2"), "");
  EXPECT_EQ(by_night("min: 1", "1"), "h.yaml:6:33: 1 is never more than the `min` 1 of `scaling`");
  EXPECT_EQ(by_night("max: 3", "3"), "");
  EXPECT_EQ(by_night("min: 3", "3"), "") << "it lifts the maximum, too";
  EXPECT_EQ(by_night("max: 3", "4"), "h.yaml:6:33: 4 is beyond the 3 of `scaling`");
}

TEST(Night, ARollbackThatDoesNotKnowWhere) {
  const auto ladder = [](const std::string& command, const std::string& rung) {
    return problem_of("homeostat: 1\nservices:\n  a:\n    run: { exec: { rollback: " + command +
                      ", status: [ctl] } }\n    remediation: [ " + rung + " ]\n");
  };
  const std::string problem =
      "h.yaml:5:20: Homeostat does not know what was proved well of what `run: exec:` runs, and its `rollback` command "
      "needs `{version}`: name one with `to`, or let the command find it";
  EXPECT_EQ(ladder("[ctl, '{version}']", "rollback"), problem);
  EXPECT_EQ(ladder("[ctl, 'to={version}']", "rollback: { attempts: 2 }"), problem);
  EXPECT_EQ(ladder("[ctl, '{version}']", "rollback: { to: v1 }"), "");
  EXPECT_EQ(ladder("[ctl, back]", "rollback"), "");
  EXPECT_EQ(problem_of("homeostat: 1\nservices:\n  a:\n    run: { exec: { rollback: [ctl, '{version}'] } }\n"
                       "    checks: { c: { file: /x } }\n    issues: [i]\n"
                       "issues: { i: { checks: [c], ladder: [ rollback ] } }\n"),
            "h.yaml:7:39: " + problem.substr(problem.find("Homeostat")));
}

TEST(Night, AVersionThatNoRuntimeWouldTake) {
  for (const char* version : {"1.0+build", "-rf", ".v1"}) {
    EXPECT_EQ(problem_of("homeostat: 1\nservices:\n  a:\n    run: { process: { command: [x], releases: /r, release: '" +
                         std::string(version) + "' } }\n"),
              "h.yaml:4:60: `" + std::string(version) +
                  "` is no version: up to 64 of A-Z a-z 0-9 . _ -, neither a dot nor a dash first");
  }
}

TEST(Night, ANameThatLooksLikeAnOption) {
  EXPECT_EQ(problem_of("homeostat: 1\nservices:\n  -a: { run: { process: { command: [x] } } }\n"),
            "h.yaml:3:3: `-a` is no name for a service: 1 to 63 of a-z 0-9 _ -, not a dash first");
}

TEST(Night, AWindowThatIsOverOrHardlyEnds) {
  const auto window = [](const std::string& text) { return warnings_in(file("maintenance: [ { " + text + " } ]")); };
  EXPECT_EQ(window("from: 2001-12-24 18:00, to: 2001-12-24 20:00"), "h.yaml:5:46: this window is over\n");
  EXPECT_EQ(window("from: 2199-12-24 18:00, to: 2199-12-24 20:00"), "");
  EXPECT_EQ(window("from: 2198-12-24 18:00, to: 2199-12-24 20:00"),
            "h.yaml:5:46: nothing is repaired for 365d2h while this window is open\n");
  EXPECT_EQ(window("start: 0 2 * * sun, end: 0 4 * * sun"), "");
  EXPECT_EQ(window("start: 0 22 * * fri, end: 0 6 * * mon"), "");
  EXPECT_EQ(window("start: 0 2 * * *, end: 0 4 * * sun"), "") << "only the last beginning before an end counts";
  EXPECT_EQ(window("start: 0 2 * * sun, end: 0 4 * * sat"),
            "h.yaml:5:43: nothing is repaired for 6d2h while this window is open\n");
}

TEST(Night, ANotifierWithoutTimeToSend) {
  EXPECT_EQ(problem_of(file("instances: 2", "notify: { page: { exec: [page], timeout: 10ms } }\n")),
            "h.yaml:6:42: `10ms` is not a span of time of at least 1s (write `150ms`, `5s`, `1h30m`)");
}

}  // namespace
}  // namespace homeostat::config
