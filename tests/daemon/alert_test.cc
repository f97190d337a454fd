// Alerts from a real Alertmanager, and from everybody who would like to be one.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "faults.hpp"
#include "http.hpp"
#include "lab.hpp"
#include "os/child.hpp"

namespace homeostat::lab {
namespace {

class DaemonAlerts : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(lab_.dir() + "/token", "its-own-secret\n");
    ServiceText text;
    text.checks = "alive: { http: { path: /healthz } }, told: { alert: { labels: { alertname: Sad, service: web } } }";
    text.remediation = fmt::format(
        "[{{ exec: {{ command: [/bin/sh, -c, 'echo \"$1; $HOMEOSTAT_SUMMARY\" >> {}/cured', x, '{{alert}}'], "
        "verify_within: 3s }} }}, {{ escalate: {{}} }}]",
        lab_.dir());
    lab_.configure({lab_.service("web", text)},
                   fmt::format("alerts: {{ listen: '127.0.0.1:{}', token: {{ file: {}/token }}, repeat: 1h }}",
                               lab_.port(1), lab_.dir()));
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(becomes("healthy"));
  }
  void TearDown() override {
    if (!alertmanager_) return;
    os::signal_group(alertmanager_->pid, SIGKILL);
    os::reap(*alertmanager_);
  }

  bool becomes(const std::string& status) const {
    return eventually([&] { return lab_.health("web") == status; });
  }
  std::string url(int port, const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", port, path); }
  /// The status of what curl gets.
  int post(const std::string& path, const std::string& body, const std::string& authorization) const {
    std::vector<std::string> argv{"/usr/bin/curl", "-s", "-m",           "10", "-o",
                                  "/dev/null",     "-w", "%{http_code}", "-H", "Content-Type: application/json",
                                  "--data-binary", body};
    if (!authorization.empty()) argv.insert(argv.end(), {"-H", "Authorization: " + authorization});
    argv.push_back(url(lab_.port(1), path));
    return std::atoi(run_program(argv).out.c_str());
  }
  static std::string alert(const std::string& status, const std::string& starts = "2026-01-02T03:04:05.678Z",
                           const std::string& ends = "2026-01-03T00:00:00Z") {
    return fmt::format(R"({{"version":"4","status":"firing","alerts":[{{"status":"{}","labels":{{"alertname":"Sad",)"
                       R"("service":"web"}},"annotations":{{"summary":"$(id); it is \"sad\""}},"startsAt":"{}",)"
                       R"("endsAt":"{}","fingerprint":"c0ffee"}}]}})",
                       status, starts, ends);
  }

  Lab lab_;
  std::optional<os::Child> alertmanager_;
};

TEST_F(DaemonAlerts, OfARealAlertmanagerAreEvidenceUntilTheyAreResolved) {
  write_file(lab_.dir() + "/am.yml",
             fmt::format("route: {{ receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n"
                         "receivers: [{{ name: hook, webhook_configs: [{{ url: '{}', http_config: {{ authorization: "
                         "{{ type: Bearer, credentials_file: {}/token }} }} }}] }}]\n",
                         url(lab_.port(1), "/v1/alerts"), lab_.dir()));
  os::ChildSpec spec;
  spec.argv = {"prometheus-alertmanager", "--config.file=" + lab_.dir() + "/am.yml",
               "--storage.path=" + lab_.dir() + "/am", fmt::format("--web.listen-address=127.0.0.1:{}", lab_.port(2)),
               "--cluster.listen-address="};
  auto child = os::spawn(spec);
  ASSERT_TRUE(child) << child.error().text;
  alertmanager_ = std::move(*child);
  const auto tell = [&](const std::string& more) {
    const std::string body =
        R"([{"labels":{"alertname":"Sad","service":"web","severity":"page"},"annotations":{"summary":"very sad"})" +
        more + "}]";
    return run_program({"/usr/bin/curl", "-sf", "-m", "5", "-H", "Content-Type: application/json", "-d", body,
                        url(lab_.port(2), "/api/v2/alerts")})
        .code;
  };
  ASSERT_TRUE(eventually([&] { return tell("") == 0; }));
  EXPECT_TRUE(becomes("unhealthy")) << lab_.cli({"status"}).out;
  EXPECT_TRUE(eventually([&] {
    return read_file(lab_.dir() + "/cured") ==
           "very sad; told: others say so. Last seen: told: alert Sad fires: very sad (service=web, severity=page)\n";
  })) << read_file(lab_.dir() + "/cured")
      << lab_.records();
  // Told once: an end that comes after an end would begin another alert.
  EXPECT_EQ(tell(fmt::format(R"(,"endsAt":"{:%FT%TZ}")", fmt::gmtime(std::time(nullptr) + 1))), 0);
  EXPECT_TRUE(becomes("healthy")) << lab_.cli({"status"}).out;
}

TEST_F(DaemonAlerts, AreConfirmedOnceTheyAreOnTheDisk) {
  lab_.kill9();
  Faults faults(lab_);
  ASSERT_TRUE(lab_.start());
  const std::string right = "Bearer its-own-secret";
  faults.page()->sync_error = EIO;
  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 503) << lab_.log();
  faults.page()->sync_error = 0;
  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 200) << "sent again";
}

TEST_F(DaemonAlerts, ThatAreOverDoNotBeginAgainByAnOldPost) {
  const std::string right = "Bearer its-own-secret";
  const auto told = [&] { return text_at(lab_.check_status("web", "told"), "status"); };
  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 200);
  EXPECT_TRUE(eventually([&] { return told() == "unhealthy"; }));
  EXPECT_EQ(post("/v1/alerts", alert("resolved"), right), 200);
  EXPECT_TRUE(becomes("healthy")) << lab_.cli({"status"}).out;
  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 200) << "the same once more";
  EXPECT_FALSE(within(seconds(1), [&] { return told() != "healthy"; })) << lab_.cli({"status", "web"}).out;
  EXPECT_EQ(post("/v1/alerts", alert("firing", "2026-01-03T00:00:01Z"), right), 200) << "begun anew";
  EXPECT_TRUE(eventually([&] { return told() == "unhealthy"; }));
}

TEST_F(DaemonAlerts, ThatNoCheckLooksForAreShown) {
  std::string other = alert("firing");
  other.replace(other.find("Sad"), 3, "Nobody's");
  EXPECT_EQ(post("/v1/alerts", other, "Bearer its-own-secret"), 200);
  EXPECT_TRUE(eventually([&] {
    return lab_.cli({"status"})
               .out.find(
                   "! 1 of 1 alerts that fire are looked for by no check:\n"
                   "    Nobody's service=web, told at ") != std::string::npos;
  })) << lab_.cli({"status"}).out;
  EXPECT_EQ(post("/v1/alerts", other, "Bearer its-own-secret"), 200);
  const std::string said = "the alert Nobody's fires, but no check looks for it";
  EXPECT_NE(lab_.log().find(said), std::string::npos) << lab_.log();
  EXPECT_EQ(lab_.log().find(said), lab_.log().rfind(said)) << "once";
}

TEST_F(DaemonAlerts, AReloadSaysWhatOnlyTheNextStartTakesUp) {
  const auto reload_with = [&](const std::string& key, const std::string& other) {
    std::string text = read_file(lab_.config_file());
    write_file(lab_.config_file(), text.replace(text.find(key), key.size(), other));
    const Finished done = lab_.cli({"reload"});
    EXPECT_EQ(done.code, 0) << done.err;
    return done.out;
  };
  EXPECT_EQ(reload_with("repeat: 1h", "repeat: 2h").find("next start"), std::string::npos);
  const std::string others = fmt::format("'127.0.0.1:{}'", lab_.port(2));
  EXPECT_NE(reload_with(fmt::format("'127.0.0.1:{}'", lab_.port(1)), others).find("next start"), std::string::npos);
  EXPECT_EQ(post("/v1/alerts", alert("firing"), "Bearer its-own-secret"), 200) << "until then all is as it was";
}

TEST_F(DaemonAlerts, AreTakenOnlyFromWhoMayAndOnlyWellFormed) {
  const std::string right = "Bearer its-own-secret";
  EXPECT_EQ(post("/v1/alerts", alert("firing"), ""), 401);
  EXPECT_EQ(post("/v1/alerts", alert("firing"), "Bearer its-own-secreT"), 401);
  EXPECT_EQ(post("/v1/stop", R"({"service":"web"})", right), 404);
  for (const char* body : {"", "[]", "{}", R"({"version":"3","alerts":[]})", R"({"version":"4","alerts":[{}]})",
                           R"({"version":"4","alerts":[{"status":"firing","labels":{"a":1},"fingerprint":"x",)"
                           R"("startsAt":"2026-01-02T03:04:05Z"}]})"}) {
    EXPECT_EQ(post("/v1/alerts", body, right), 400) << body;
  }
  EXPECT_EQ(post("/v1/alerts", alert("firing", "yesterday"), right), 400);
  EXPECT_EQ(lab_.health("web"), "healthy");

  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 200);
  EXPECT_EQ(post("/v1/alerts", alert("firing"), right), 200) << "a repetition";
  EXPECT_TRUE(becomes("unhealthy"));
  EXPECT_EQ(post("/v1/alerts", alert("resolved", "2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"), right), 200);
  // What a label or a summary says stays one argument.
  EXPECT_TRUE(eventually([&] { return !read_file(lab_.dir() + "/cured").empty(); }));
  EXPECT_NE(read_file(lab_.dir() + "/cured").find("$(id)"), std::string::npos) << read_file(lab_.dir() + "/cured");
  EXPECT_EQ(lab_.health("web") == "healthy", false) << "what was resolved is an older one";

  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(eventually([&] { return text_at(lab_.check_status("web", "told"), "status") == "unhealthy"; }))
      << "it still fires";
  EXPECT_EQ(post("/v1/alerts", alert("resolved"), right), 200);
  EXPECT_TRUE(becomes("healthy")) << lab_.cli({"status"}).out;
  const std::string everything = lab_.log() + lab_.records() + lab_.cli({"status", "--json"}).out;
  EXPECT_EQ(everything.find("its-own-secret"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::lab
