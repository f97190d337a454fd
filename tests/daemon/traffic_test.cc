// A service behind a real HAProxy: who is to be stopped is taken out of the rotation before. Judged by the clients.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Client;
using traffic::testing::Crowd;
using traffic::testing::Desk;
using traffic::testing::HalfRequest;
using traffic::testing::RealHaproxy;
using traffic::testing::say_to;

class DaemonTraffic : public ::testing::Test {
 protected:
  void SetUp() override {
    haproxy_.emplace(std::vector<int>{lab_.port(0), lab_.port(1)});
    lab_.configure({web()});
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return in_rotation() == 2 && lab_.health("web") == "healthy"; }));
  }
  std::string web() const {
    ServiceText text;
    text.instances = 2;
    text.more = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 5s }} }}",
                            haproxy_->place().socket);
    return lab_.service("web", text);
  }
  int in_rotation() const {
    int count = 0;
    const auto settings = Desk(haproxy_->place()).settings();
    if (!settings) return -1;
    for (const auto& one : *settings) count += one.up && !one.drained ? 1 : 0;
    return count;
  }
  bool restarted(pid_t first, pid_t second) const {
    return within(seconds(30), [&] {
      const pid_t now[] = {lab_.pid("web/0"), lab_.pid("web/1")};
      return now[0] != 0 && now[1] != 0 && now[0] != first && now[1] != second && lab_.health("web") == "healthy";
    });
  }

  std::string server(int index) const { return fmt::format("m{}", lab_.port(index)); }
  std::optional<traffic::ServerSetting> setting(int index) const {
    return Desk(haproxy_->place()).setting(server(index));
  }
  bool drained(int index) const {
    const auto set = setting(index);
    return set && set->drained;
  }
  /// Which of the two has a request under way.
  std::optional<int> busy() const {
    const auto servers = Desk(haproxy_->place()).look();
    if (!servers) return std::nullopt;
    for (int i = 0; i < 2; ++i) {
      for (const auto& one : *servers) {
        if (one.server == server(i) && one.sessions > 0) return i;
      }
    }
    return std::nullopt;
  }
  /// Asks for a restart of the one that has a request under way, as far as its drain; which it is, and its run.
  std::pair<int, pid_t> drain_the_busy_one() const {
    EXPECT_TRUE(eventually([&] { return busy().has_value(); }));
    const int index = busy().value_or(0);
    const pid_t before = lab_.pid(place(index));
    EXPECT_EQ(lab_.cli({"restart", place(index), "--no-wait"}).code, 0);
    EXPECT_TRUE(eventually([&] { return drained(index); }));
    return {index, before};
  }
  std::string place(int index) const { return fmt::format("web/{}", index); }
  /// It has been started anew, and is well.
  bool replaced(int index, pid_t before) const {
    return within(seconds(20), [&] {
      const pid_t now = lab_.pid(place(index));
      return now != 0 && now != before && lab_.health("web") == "healthy";
    });
  }

  Lab lab_;
  std::optional<RealHaproxy> haproxy_;
};

TEST_F(DaemonTraffic, ARollingRestartLosesNoRequest) {
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  Crowd crowd(haproxy_->port(), 8);
  ASSERT_TRUE(eventually([&] { return crowd.answered() > 500; }));
  EXPECT_EQ(lab_.cli({"restart", "web"}).code, 0);
  EXPECT_TRUE(restarted(first, second)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; })) << "they are back";
  crowd.end();
  EXPECT_EQ(crowd.failed(), 0U) << "of " << crowd.answered();
}

TEST_F(DaemonTraffic, AProxyThatIsGoneHoldsNothingUp) {
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  haproxy_->stop();
  EXPECT_EQ(lab_.cli({"restart", "web"}).code, 0);
  EXPECT_TRUE(restarted(first, second)) << lab_.records();
}

TEST_F(DaemonTraffic, WhatSomebodyElseHasDrainedStaysSo) {
  // Who starts an instance puts it into the rotation. In this life nothing is started.
  const auto proved = [&](const char* what) { return lab_.records().find(what) != std::string::npos; };
  ASSERT_TRUE(eventually([&] { return proved("start of web/0 verified") && proved("start of web/1 verified"); }));
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; }));
  ASSERT_TRUE(Desk(haproxy_->place()).drain(server(1), true));
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  EXPECT_TRUE(eventually([&] { return lab_.pid("web/1") != 0 && lab_.pid("web/1") != second; })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; }));
  EXPECT_EQ(lab_.pid("web/0"), first);
  EXPECT_EQ(in_rotation(), 1);
}

TEST_F(DaemonTraffic, WhatSomebodyElseHasPutInMaintenanceStaysSoWhoeverIsRestarted) {
  say_to(*haproxy_, "set server pool/" + server(1) + " state maint");
  pid_t before = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  ASSERT_TRUE(replaced(1, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.log().find("stays in maintenance") != std::string::npos; }));
  EXPECT_TRUE(setting(1) && setting(1)->maintained) << "a planned stop";
  before = lab_.pid("web/1");
  send_signal(before, SIGKILL);
  ASSERT_TRUE(replaced(1, before)) << lab_.records();
  EXPECT_TRUE(setting(1) && setting(1)->maintained) << "a repair";
}

TEST_F(DaemonTraffic, TheLastOneThatHasAWeightIsNotStopped) {
  say_to(*haproxy_, "set server pool/" + server(0) + " weight 0");
  const pid_t before = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1", "--no-wait"}).code, 0);
  const std::string why = "web/1 waits, gate traffic: web/1 is the only one that gets requests";
  ASSERT_TRUE(eventually([&] { return lab_.records().find(why) != std::string::npos; })) << lab_.records();
  say_to(*haproxy_, "set server pool/" + server(0) + " weight 256");
  EXPECT_TRUE(replaced(1, before)) << lab_.records();
  EXPECT_EQ(lab_.log().find("is stopped though"), std::string::npos) << lab_.log();
}

TEST_F(DaemonTraffic, WhoseProxyAReloadTakesAwayInTheMiddleOfADrainIsPutBack) {
  std::optional<HalfRequest> half(haproxy_->port());
  const auto [index, before] = drain_the_busy_one();
  lab_.configure({lab_.service("web", {.instances = 2})});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  half.reset();
  EXPECT_TRUE(replaced(index, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; })) << lab_.log();
}

TEST_F(DaemonTraffic, AFrontendMayHaveTheNameOfTheBackend) {
  haproxy_->rewrite("frontend in", "frontend pool");
  ASSERT_TRUE(eventually([&] { return in_rotation() == 2; }));
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web"}).code, 0);
  EXPECT_TRUE(restarted(first, second)) << lab_.records();
  EXPECT_EQ(lab_.log().find("is stopped though"), std::string::npos) << lab_.log();
}

TEST_F(DaemonTraffic, ASocketOverWhichNothingCanBeChangedIsRefusedByValidate) {
  EXPECT_EQ(lab_.cli({"validate", lab_.config_file()}).code, 0);
  haproxy_->rewrite("level admin", "level operator");
  const Finished refused = lab_.cli({"validate", lab_.config_file()});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("is of level operator"), std::string::npos) << refused.err;
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  EXPECT_NE(lab_.log().find("it needs `level admin`"), std::string::npos) << lab_.log();
}

TEST_F(DaemonTraffic, TheLastOneThatGetsRequestsIsNotStoppedWhileSomebodyWorksOnTheOther) {
  say_to(*haproxy_, "set server pool/" + server(0) + " state maint");
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web", "--no-wait"}).code, 0);
  const std::string why = "web/1 waits, gate traffic: web/1 is the only one that gets requests";
  ASSERT_TRUE(within(seconds(20), [&] { return lab_.records().find(why) != std::string::npos; })) << lab_.records();
  EXPECT_NE(lab_.pid("web/0"), first) << "it has none to lose";
  EXPECT_FALSE(within(seconds(6), [&] { return lab_.pid("web/1") != second; })) << "longer than `drain`";
  say_to(*haproxy_, "set server pool/" + server(0) + " state ready");
  EXPECT_TRUE(replaced(1, second)) << lab_.records();
  EXPECT_EQ(lab_.log().find("is stopped though"), std::string::npos) << lab_.log();
}

TEST_F(DaemonTraffic, AServerThatHaproxysFileDisablesIsPutInOnceAndStaysWherePeoplePutItThen) {
  const auto proved = [&](const char* what) { return lab_.records().find(what) != std::string::npos; };
  ASSERT_TRUE(eventually([&] { return proved("start of web/0 verified") && proved("start of web/1 verified"); }));
  const std::filesystem::path file = std::filesystem::path(haproxy_->place().socket).parent_path() / "haproxy.cfg";
  std::string text = read_file(file.string());
  text.replace(text.find("default-server"), std::string("default-server").size(), "default-server disabled");
  write_file(file.string(), text);
  lab_.kill9();
  haproxy_->stop();
  haproxy_->start();
  ASSERT_TRUE(setting(1) && setting(1)->maintained);
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; }));
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  ASSERT_TRUE(eventually([&] { return in_rotation() == 1; })) << "it was nobody's wish: " << lab_.log();
  say_to(*haproxy_, "set server pool/" + server(1) + " state maint");
  const pid_t before = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  ASSERT_TRUE(replaced(1, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.log().find("stays in maintenance") != std::string::npos; }));
  EXPECT_TRUE(setting(1) && setting(1)->maintained);
}

TEST_F(DaemonTraffic, ARepairPutsNobodyBackWhomSomebodyElseHasDrained) {
  pid_t before = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  ASSERT_TRUE(replaced(1, before)) << lab_.records();
  ASSERT_TRUE(eventually([&] { return in_rotation() == 2; }));
  ASSERT_TRUE(Desk(haproxy_->place()).drain(server(1), true));
  before = lab_.pid("web/1");
  send_signal(before, SIGKILL);
  ASSERT_TRUE(replaced(1, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.log().find("stays drained") != std::string::npos; }));
  EXPECT_TRUE(drained(1));
}

TEST_F(DaemonTraffic, AReloadOfTheProxyInTheMiddleOfADrainDoesNotEndIt) {
  const HalfRequest half(haproxy_->port());
  const auto [index, before] = drain_the_busy_one();
  haproxy_->stop();
  haproxy_->start();
  ASSERT_TRUE(eventually([&] { return drained(index); })) << "it has forgotten it, and is told again";
  EXPECT_EQ(lab_.pid(place(index)), before) << "what the one before had is given its time";
  ASSERT_TRUE(replaced(index, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; }));
}

TEST_F(DaemonTraffic, AProxyThatIsGoneForAMomentInTheMiddleOfADrainIsWaitedFor) {
  const HalfRequest half(haproxy_->port());
  const auto [index, before] = drain_the_busy_one();
  haproxy_->stop();
  EXPECT_FALSE(within(seconds(1), [&] { return lab_.pid(place(index)) != before; })) << lab_.log();
  haproxy_->start();
  ASSERT_TRUE(eventually([&] { return drained(index); })) << "it is told";
  ASSERT_TRUE(replaced(index, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; }));
}

TEST_F(DaemonTraffic, KilledWhileItDrainsItLeavesNobodyOut) {
  std::optional<HalfRequest> half(haproxy_->port());
  const auto [index, before] = drain_the_busy_one();
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  half.reset();
  ASSERT_TRUE(replaced(index, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; }));
}

TEST_F(DaemonTraffic, AReloadInTheMiddleOfADrainEndsItWell) {
  std::optional<HalfRequest> half(haproxy_->port());
  const auto [index, before] = drain_the_busy_one();
  // It comes after another one now.
  lab_.configure({lab_.service("first", {.first_port = 8}), web()});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  ASSERT_TRUE(eventually([&] { return lab_.health("first") == "healthy"; })) << lab_.log();
  const pid_t first = lab_.pid("first/0");
  half.reset();
  EXPECT_TRUE(replaced(index, before)) << lab_.records();
  EXPECT_TRUE(eventually([&] { return in_rotation() == 2; }));
  EXPECT_EQ(lab_.pid("first/0"), first) << lab_.records();
}

TEST_F(DaemonTraffic, WhatIsReleasedOrRunOtherwiseInTheMiddleOfADrainIsNotStopped) {
  for (const bool released : {true, false}) {
    lab_.configure({lab_.service("other", {.first_port = 8}), web()});
    ASSERT_EQ(lab_.cli({"reload"}).code, 0);
    ASSERT_TRUE(eventually([&] { return lab_.health("other") == "healthy" && lab_.health("web") == "healthy"; }));
    std::optional<HalfRequest> half(haproxy_->port());
    ASSERT_TRUE(eventually([&] { return busy().has_value(); }));
    const int index = *busy();
    const pid_t before = lab_.pid(place(index));
    EXPECT_EQ(lab_.cli({"restart", place(index), "--no-wait"}).code, 0);
    ASSERT_TRUE(eventually([&] { return drained(index); }));
    std::vector<std::string> services{lab_.service("other", {.first_port = 8})};
    if (!released) services.push_back("  web: { checks: { it: { exec: { command: [/bin/true] } } } }\n");
    lab_.configure(services);
    ASSERT_EQ(lab_.cli({"reload", "--accept-shrink"}).code, 0);
    half.reset();
    EXPECT_FALSE(within(seconds(1), [&] { return lab_.pid(place(index)) != before; })) << lab_.records();
    EXPECT_EQ(lab_.health("other"), "healthy") << lab_.log();
    EXPECT_TRUE(eventually([&] { return in_rotation() == 2; })) << lab_.log();
  }
}

TEST(DaemonTrafficAtTheEnd, WhatIsDrainedIsStoppedHoweverLongItTakes) {
  Lab lab;
  const RealHaproxy haproxy(std::vector<int>{lab.port(0)});
  ServiceText text;
  text.run = "on_shutdown: stop, stop: { grace: 100ms }";
  text.more = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 8s }} }}",
                          haproxy.place().socket);
  lab.configure({lab.service("web", text)});
  ASSERT_TRUE(lab.start());
  Desk desk(haproxy.place());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy" && Client(haproxy.port()).ask() != ""; }));
  const HalfRequest half(haproxy.port());
  ASSERT_TRUE(eventually([&] {
    const auto servers = desk.look();
    return servers && servers->front().sessions > 0;
  }));
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(seconds(30)), 0) << lab.log();
  EXPECT_TRUE(lab.pids("web/0").empty());
}

}  // namespace
}  // namespace homeostat::lab
