// A new version behind a real HAProxy: its share of the requests is exact, no request is lost, and nothing moves while
// the proxy is gone. Judged by the clients.
#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Client;
using traffic::testing::Crowd;
using traffic::testing::RealHaproxy;

class RoutedRollout : public ::testing::Test {
 protected:
  void begin(const std::string& rollout) {
    haproxy_.emplace(std::vector<int>{lab_.port(0), lab_.port(1), lab_.port(2)});
    lab_.make_release("web", "v1");
    lab_.make_release("web", "v2");
    ServiceText text{.instances = 2, .more_ports = 1};
    text.run = fmt::format("releases: {}, release: v1", lab_.releases("web"));
    text.more = fmt::format(
        "rollout: {}, traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 5s }} }}", rollout,
        haproxy_->place().socket);
    lab_.configure({lab_.service("web", text)});
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return share() == 0 && lab_.health("web") == "healthy"; }));
  }
  /// Of so many requests, how many percent the new version answered; below 0: one was not answered.
  double share(int requests = 40) const {
    Client client(haproxy_->port());
    int fresh = 0;
    for (int i = 0; i < requests; ++i) {
      const std::string answer = client.ask();
      if (answer.empty()) return -1;
      fresh += answer.find("\"version\":\"v2\"") != std::string::npos ? 1 : 0;
    }
    return 100.0 * fresh / requests;
  }
  std::string said(const char* what) const { return text_at(lab_.service_status("web"), what); }
  bool reaches(const std::string& phase) const {
    return within(seconds(30), [&] { return said("rollout.phase") == phase; });
  }

  Lab lab_;
  std::optional<RealHaproxy> haproxy_;
};

TEST_F(RoutedRollout, AStageGetsItsShareOfTheRequestsAndNoneIsLost) {
  begin("{ stages: [{ traffic: 5%, bake: 1s, approval: true }] }");
  Crowd crowd(haproxy_->port(), 4);
  ASSERT_EQ(lab_.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(reaches("baking")) << lab_.records();
  EXPECT_NEAR(share(2000), 5, 0.5) << "one of three instances";
  const std::string status = lab_.cli({"rollout", "status", "web"}).out;
  EXPECT_NE(status.find("proxy: divides the requests as it was told"), std::string::npos) << status;
  ASSERT_EQ(lab_.cli({"rollout", "approve", "web"}).code, 0);
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
  EXPECT_EQ(share(), 100);
  crowd.end();
  EXPECT_EQ(crowd.failed(), 0U) << "of " << crowd.answered();
}

TEST_F(RoutedRollout, WhileTheProxyIsGoneNothingMovesAndItsWeightsComeBack) {
  begin("{ stages: [{ traffic: 5%, bake: 1s, approval: true }] }");
  ASSERT_EQ(lab_.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(reaches("baking")) << lab_.records();
  haproxy_->stop();
  ASSERT_TRUE(eventually([&] { return !said("rollout.blocked").empty(); })) << lab_.records();
  ASSERT_EQ(lab_.cli({"rollout", "approve", "web"}).code, 0);
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy" && said("rollout.phase") == "baking"; }));
  haproxy_->start();  // with the weights of its file: a third of the requests for the new version
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
  EXPECT_EQ(share(), 100);
  EXPECT_TRUE(lab_.journal_is_good());
}

}  // namespace
}  // namespace homeostat::lab
