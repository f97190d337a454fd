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
  void begin(const std::string& rollout, int servers = 3, int places = 3) {
    std::vector<int> ports;
    for (int server = 0; server < servers; ++server) ports.push_back(lab_.port(server));
    haproxy_.emplace(ports);
    lab_.make_release("web", "v1");
    lab_.make_release("web", "v2");
    ServiceText text{.instances = 2, .more_ports = places - 2};
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
  // Among the requests of the others these are a sample: half a point is one standard deviation.
  EXPECT_NEAR(share(2000), 5, 2) << "one of three instances";
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

TEST_F(RoutedRollout, AFreshBaselineGetsAsMuchAsTheNewVersionAndIsWhatItIsComparedWith) {
  begin(
      "{ baseline: fresh, stages: [{ traffic: 5%, bake: 1s, approval: true }], judge: { failed: { haproxy: errors } } "
      "}",
      4, 4);
  Crowd crowd(haproxy_->port(), 4);
  ASSERT_EQ(lab_.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(reaches("baking")) << lab_.records();
  EXPECT_EQ(lab_.starts().size(), 4U);
  EXPECT_NEAR(share(2000), 5, 2);
  const auto samples = [&](const char* side) {
    const std::string text = said(fmt::format("rollout.judge.metrics.0.samples.{}", side).c_str());
    return text.empty() ? 0 : std::stod(text);
  };
  ASSERT_TRUE(eventually([&] { return samples("0") >= 100; })) << lab_.records();
  EXPECT_NEAR(samples("1") / samples("0"), 1, 0.3) << "each gets as much as the other";
  EXPECT_NE(lab_.records().find("5 % to 2, as much to each of 3, the others to 0, 1"), std::string::npos);
  ASSERT_EQ(lab_.cli({"rollout", "approve", "web"}).code, 0);
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
  EXPECT_EQ(share(), 100);
  EXPECT_TRUE(eventually([&] { return !lab_.serves(0) + !lab_.serves(1) + !lab_.serves(2) + !lab_.serves(3) == 2; }))
      << "two are needed";
  crowd.end();
  EXPECT_EQ(crowd.failed(), 0U) << "of " << crowd.answered();
}

TEST_F(RoutedRollout, WithoutAServerForEachPlaceValidateRefusesAndNothingBegins) {
  begin("{ stages: [{ traffic: 5%, bake: 1s }] }", /*servers=*/2);
  const std::string lacking = fmt::format(
      "HAProxy's backend `pool` has 2 servers for 3 instances: 2, 1 more while a new version takes over; it has no "
      "`m{}`",
      lab_.port(2));
  const Finished refused = lab_.cli({"validate", lab_.config_file()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find(lacking + "\n1 problem\n"), std::string::npos) << refused.err;
  EXPECT_TRUE(refused.err.starts_with(lab_.config_file() + ":")) << refused.err;
  ASSERT_EQ(lab_.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(eventually([&] { return said("rollout.blocked") == lacking; })) << lab_.records();
  EXPECT_EQ(lab_.starts().size(), 2U);
  haproxy_->stop();
  const Finished unknown = lab_.cli({"validate", lab_.config_file()});
  EXPECT_EQ(unknown.code, 0) << unknown.err;
  EXPECT_NE(unknown.err.find("warning: nobody knows whether HAProxy's backend `pool` has servers for 3 instances"),
            std::string::npos)
      << unknown.err;
}

}  // namespace
}  // namespace homeostat::lab
