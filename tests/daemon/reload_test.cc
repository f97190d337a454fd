// Going over to another configuration while everything runs.
#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

const std::string kNames = "abcd";

struct Four {
  Lab lab;
  std::string text(char name, const std::string& more = "") const {
    return lab.service(std::string(1, name), {.first_port = static_cast<int>(kNames.find(name)), .more = more});
  }
  void configure(const std::string& names) const {
    std::vector<std::string> services;
    for (const char name : names) services.push_back(text(name));
    lab.configure(services);
  }
  bool healthy(const std::string& names) const {
    return eventually([&] {
      return std::ranges::all_of(names, [&](char name) { return lab.health(std::string(1, name)) == "healthy"; });
    });
  }
  [[nodiscard]] bool start() {
    configure(kNames);
    return lab.start() && healthy(kNames);
  }
  Finished reload(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), "reload");
    return lab.cli(more);
  }
  json::value generation() const { return at(lab.status(), "engine.generation"); }
};

TEST(DaemonReload, ABrokenFileChangesNothing) {
  Four four;
  ASSERT_TRUE(four.start());
  const pid_t pid = four.lab.pid("a/0");
  const json::value generation = four.generation();
  four.lab.configure({four.text('a'), four.text('b', "min_helthy: 1")});
  const Finished reload = four.reload();
  EXPECT_EQ(reload.code, 4);
  EXPECT_NE(reload.err.find(four.lab.config_file() + ":"), std::string::npos) << reload.err;
  EXPECT_NE(reload.err.find("min_healthy"), std::string::npos) << reload.err;

  write_file(four.lab.config_file(), "homeostat: 1\nservices: [\n");
  four.lab.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return four.lab.log().find("not reloaded") != std::string::npos; }));
  EXPECT_NE(four.lab.log().find(four.lab.config_file() + ":3:"), std::string::npos) << four.lab.log();
  EXPECT_EQ(four.generation(), generation);
  EXPECT_EQ(four.lab.pid("a/0"), pid);
  EXPECT_TRUE(four.healthy(kNames));
}

TEST(DaemonReload, AHangupLoadsTheFile) {
  Four four;
  ASSERT_TRUE(four.start());
  four.configure("abc");
  four.lab.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return four.lab.service_status("d").is_null(); }));
}

TEST(DaemonReload, ARemovedServiceIsReleasedAndTakenUpAgain) {
  Four four;
  Lab& lab = four.lab;
  ASSERT_TRUE(four.start());
  const pid_t released = lab.pid("d/0");
  four.configure("abc");
  ASSERT_EQ(four.reload().code, 0);
  EXPECT_TRUE(eventually([&] { return lab.service_status("d").is_null(); }));
  const pid_t other = lab.pid("c/0");
  send_signal(other, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(2) && lab.pid("c/0") != other; }));
  EXPECT_EQ(lab.pid("d/0"), released) << "a released service goes on running";
  EXPECT_TRUE(lab.serves(3));

  four.configure(kNames);
  ASSERT_EQ(four.reload().code, 0);
  EXPECT_TRUE(four.healthy(kNames));
  EXPECT_EQ(lab.pid("d/0"), released) << "it was not taken up again";
  EXPECT_EQ(lab.starts().size(), 5U);
  send_signal(released, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.serves(3) && lab.pid("d/0") != released; }));
}

TEST(DaemonReload, AReleasedServiceStaysReleasedWhenItDies) {
  Four four;
  Lab& lab = four.lab;
  ASSERT_TRUE(four.start());
  four.configure("abc");
  ASSERT_EQ(four.reload().code, 0);
  send_signal([&] { return lab.pid("d/0"); }, SIGKILL);
  const pid_t other = lab.pid("c/0");
  send_signal(other, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(2) && lab.pid("c/0") != other; }));
  EXPECT_TRUE(lab.pids("d/0").empty());
  EXPECT_EQ(lab.starts().size(), 5U);
}

TEST(DaemonReload, LosingTooManyServicesMustBeAccepted) {
  Four four;
  ASSERT_TRUE(four.start());
  four.configure("ab");
  const Finished refused = four.reload();
  EXPECT_EQ(refused.code, 4);
  EXPECT_NE(refused.err.find("2 of 4 services would be released"), std::string::npos) << refused.err;
  EXPECT_FALSE(four.lab.service_status("d").is_null());
  EXPECT_EQ(four.reload({"--accept-shrink"}).code, 0);
  EXPECT_TRUE(eventually([&] { return four.lab.service_status("d").is_null(); }));
  EXPECT_NE(four.lab.pid("d/0"), 0);
}

TEST(DaemonReload, AChangedCommandIsOutdatedUntilItIsRolled) {
  Lab lab;
  lab.configure({lab.service("web", {.instances = 2})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t first = lab.pid("web/0");
  const pid_t second = lab.pid("web/1");
  EXPECT_FALSE(lab.has_flag("web", "outdated"));
  lab.configure({lab.service("web", {.instances = 2, .run = "env: { NEW: yes }"})});
  ASSERT_EQ(lab.cli({"reload"}).code, 0);
  EXPECT_TRUE(eventually([&] { return lab.has_flag("web", "outdated"); }));
  EXPECT_EQ(lab.pid("web/0"), first);
  EXPECT_EQ(lab.pid("web/1"), second);
  lab.kill9();
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.has_flag("web", "outdated"); })) << "the flag outlives the daemon";

  ASSERT_EQ(lab.cli({"reload", "--roll"}).code, 0);
  EXPECT_TRUE(eventually([&] { return !lab.has_flag("web", "outdated") && lab.health("web") == "healthy"; }));
  EXPECT_TRUE(eventually([&] { return lab.pid("web/0") != 0 && lab.pid("web/1") != 0; }));
  EXPECT_NE(lab.pid("web/0"), first);
  EXPECT_NE(lab.pid("web/1"), second);
  EXPECT_NE(read_file("/proc/" + std::to_string(lab.pid("web/0")) + "/environ").find("NEW=yes"), std::string::npos);
}

TEST(DaemonReload, AChangedThresholdKeepsTheStreakAndAChangedTargetForgetsIt) {
  Lab lab;
  const auto configure = [&](int port, int threshold) {
    lab.configure({lab.service(
        "web", {.checks = fmt::format("alive: {{ http: {{ path: /healthz }} }}, side: {{ role: watch, interval: 100ms, "
                                      "tcp: {{ port: {} }}, failure_threshold: {} }}",
                                      lab.port(port), threshold)})});
  };
  const auto failures = [&] { return at(lab.check_status("web", "side"), "failures"); };
  const auto count = [&] { return failures().is_int64() ? failures().get_int64() : 0; };
  configure(8, 1000);
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return count() >= 20; }));
  configure(8, 5);
  ASSERT_EQ(lab.cli({"reload"}).code, 0);
  EXPECT_GE(count(), 20);
  EXPECT_TRUE(eventually([&] { return text_at(lab.check_status("web", "side"), "status") == "unhealthy"; }));
  configure(9, 1000);
  ASSERT_EQ(lab.cli({"reload"}).code, 0);
  EXPECT_LT(count(), 20);
}

TEST(DaemonReload, ADeployedVersionOutlivesTheFile) {
  Lab lab;
  lab.make_release("web", "v1");
  lab.make_release("web", "v2");
  const auto configure = [&](const std::string& more) {
    lab.configure(
        {lab.service("web", {.run = fmt::format("releases: {}, release: v1", lab.releases("web")), .more = more})});
  };
  configure("");
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  ASSERT_EQ(lab.cli({"deploy", "web", "v2"}).code, 0);
  const pid_t pid = lab.pid("web/0");
  configure("depends_on: []");
  ASSERT_EQ(lab.cli({"reload"}).code, 0);
  EXPECT_EQ(text_at(lab.service_status("web"), "version"), "v2");
  EXPECT_FALSE(lab.has_flag("web", "outdated"));
  EXPECT_EQ(lab.pid("web/0"), pid);
  send_signal(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(0) && lab.pid("web/0") != pid; }));
  EXPECT_NE(ask_port(lab.port(0), "GET", "/")->body.find("\"v2\""), std::string::npos);
}

}  // namespace
}  // namespace homeostat::lab
