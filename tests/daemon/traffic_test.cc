// A service behind a real HAProxy: who is to be stopped is taken out of the rotation before. Judged by the clients.
#include <fmt/format.h>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Client;
using traffic::testing::Crowd;
using traffic::testing::Desk;
using traffic::testing::RealHaproxy;

class DaemonTraffic : public ::testing::Test {
 protected:
  void SetUp() override {
    haproxy_.emplace(std::vector<int>{lab_.port(0), lab_.port(1)});
    ServiceText text;
    text.instances = 2;
    text.more = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 5s }} }}",
                            haproxy_->place().socket);
    lab_.configure({lab_.service("web", text)});
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return in_rotation() == 2 && lab_.health("web") == "healthy"; }));
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
  const std::string server = fmt::format("m{}", lab_.port(1));
  ASSERT_TRUE(Desk(haproxy_->place()).drain(server, true));
  const pid_t first = lab_.pid("web/0");
  const pid_t second = lab_.pid("web/1");
  EXPECT_EQ(lab_.cli({"restart", "web/1"}).code, 0);
  EXPECT_TRUE(eventually([&] { return lab_.pid("web/1") != 0 && lab_.pid("web/1") != second; })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; }));
  EXPECT_EQ(lab_.pid("web/0"), first);
  EXPECT_EQ(in_rotation(), 1);
}

}  // namespace
}  // namespace homeostat::lab
