// A check by what a real Prometheus computes: a failure when the condition does not hold for long enough, unknown when
// nobody answers.
#include <fmt/format.h>

#include <ctime>

#include "http.hpp"
#include "lab.hpp"
#include "os/child.hpp"

namespace homeostat::lab {
namespace {

class DaemonPromql : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(lab_.dir() + "/prometheus.yml", "scrape_configs: []\n");
    os::ChildSpec spec;
    spec.argv = {"prometheus", "--config.file=" + lab_.dir() + "/prometheus.yml",
                 "--storage.tsdb.path=" + lab_.dir() + "/tsdb",
                 fmt::format("--web.listen-address=127.0.0.1:{}", lab_.port(1))};
    auto child = os::spawn(spec);
    ASSERT_TRUE(child) << child.error().text;
    prometheus_ = std::move(*child);
    const std::string ready = fmt::format("http://127.0.0.1:{}/-/ready", lab_.port(1));
    ASSERT_TRUE(eventually([&] { return run_program({"/usr/bin/curl", "-sf", "-m", "2", ready}).code == 0; }));
  }
  void TearDown() override { end_prometheus(); }

  void end_prometheus() {
    if (!prometheus_) return;
    os::signal_group(prometheus_->pid, SIGKILL);
    os::reap(*prometheus_);
    prometheus_.reset();
  }
  std::string check() const { return text_at(lab_.check_status("web", "grown"), "status"); }

  Lab lab_;
  std::time_t since_ = std::time(nullptr);
  std::optional<os::Child> prometheus_;
};

TEST_F(DaemonPromql, FailsAfterAWhileAndIsUnknownWithoutAnAnswer) {
  ServiceText text;
  // A number that grows by one a second, and its bound.
  text.checks = fmt::format(
      "alive: {{ http: {{ path: /healthz }} }}, grown: {{ interval: 250ms, promql: {{ url: 'http://127.0.0.1:{}', "
      "query: 'vector(time() - {})', expect: '<= 4.0005', for: 1s }} }}",
      lab_.port(1), std::time(nullptr));
  text.remediation = fmt::format(
      "[{{ exec: {{ command: [/bin/sh, -c, 'echo once >> {}/cured'], verify_within: 3s }} }}, {{ escalate: {{}} }}]",
      lab_.dir());
  lab_.configure({lab_.service("web", text)});
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(eventually([&] { return check() == "healthy"; })) << lab_.cli({"status"}).out;
  EXPECT_TRUE(eventually([&] { return check() == "unhealthy"; })) << lab_.cli({"status"}).out;
  const std::string detail = text_at(lab_.check_status("web", "grown"), "last_words");
  EXPECT_NE(detail.find("is not <= 4.0005"), std::string::npos) << detail;
  EXPECT_TRUE(eventually([&] { return read_file(lab_.dir() + "/cured") == "once\n"; })) << lab_.records();
  // It did nothing, so nothing is proved, though `for` has not passed again.
  const auto recorded = [&](const char* words) { return lab_.records().find(words) != std::string::npos; };
  EXPECT_TRUE(eventually([&] { return recorded("exec sh of web/0 did not prove well"); })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return recorded("escalated"); })) << lab_.records();
  EXPECT_FALSE(recorded("exec sh of web/0 verified")) << lab_.records();
  EXPECT_EQ(check(), "unhealthy");

  end_prometheus();
  EXPECT_TRUE(eventually([&] { return check() == "unknown"; })) << lab_.cli({"status"}).out;
  const std::string done = read_file(lab_.dir() + "/cured");
  EXPECT_FALSE(within(seconds(4), [&] { return read_file(lab_.dir() + "/cured") != done; })) << lab_.records();
}

TEST_F(DaemonPromql, AReloadIsNoReasonToWaitAnew) {
  const auto configure = [&](const char* within) {
    ServiceText text;
    text.checks = fmt::format(
        "alive: {{ http: {{ path: /healthz }} }}, grown: {{ interval: 250ms, promql: {{ url: 'http://127.0.0.1:{}', "
        "query: 'vector(time() - {})', expect: '<= 4.0005', for: {} }} }}",
        lab_.port(1), since_, within);
    text.remediation = "[{ escalate: {} }]";
    lab_.configure({lab_.service("web", text), lab_.service("other", {.first_port = 2})});
  };
  const auto words = [&] { return text_at(lab_.check_status("web", "grown"), "last_words"); };
  configure("1h");
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(eventually([&] { return words().find("is not <= 4.0005") != std::string::npos; }));
  ASSERT_EQ(check(), "healthy") << "it is not so for long";
  configure("1h");
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  ASSERT_TRUE(eventually([&] { return words().find("is not <= 4.0005") != std::string::npos; }));
  EXPECT_EQ(words().find("not known yet"), std::string::npos) << words();
  configure("2h");
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  EXPECT_TRUE(eventually([&] { return words().find("it is not known yet for how long") != std::string::npos; }))
      << words();
}

}  // namespace
}  // namespace homeostat::lab
