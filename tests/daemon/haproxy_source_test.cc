// A service that follows what a real HAProxy counts of its servers: under load, while HAProxy is gone, and without
// load.
#include <fmt/format.h>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Crowd;
using traffic::testing::RealHaproxy;

class DaemonHaproxySource : public ::testing::Test {
 protected:
  void SetUp() override {
    haproxy_.emplace(std::vector<int>{lab_.port(0), lab_.port(1), lab_.port(2)});
    ServiceText text;
    text.instances = 0;
    text.more_ports = 2;
    text.more = fmt::format(
        "scaling: {{ min: 1, max: 3, every: 1s, down: {{ window: 2s }}, metrics: {{ requests: {{"
        " haproxy: {{ field: req_tot, timeout: 500ms }}, target: 30 }} }} }},"
        " traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 1s }} }}",
        haproxy_->place().socket);
    lab_.configure({lab_.service("web", text)}, "breakers: { failures: 3, open_for: 1s, open_cap: 1s }\n");
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(becomes(1)) << lab_.records();
  }
  bool becomes(int count) const {
    return within(seconds(30), [&] {
      int running = 0;
      for (int slot = 0; slot < 3; ++slot) running += lab_.serves(slot) ? 1 : 0;
      return running == count;
    });
  }
  bool says(const std::string& words) const {
    return eventually([&] { return lab_.cli({"scale", "web"}).out.find(words) != std::string::npos; });
  }

  Lab lab_;
  std::optional<RealHaproxy> haproxy_;
};

TEST_F(DaemonHaproxySource, RequestsASecondAreFollowedAndHeldWhileHaproxyIsGone) {
  Crowd crowd(haproxy_->port(), 4);
  ASSERT_TRUE(becomes(3)) << lab_.records() << lab_.cli({"scale", "web"}).out;
  crowd.end();
  haproxy_->stop();
  ASSERT_TRUE(says("HAProxy's socket")) << lab_.cli({"scale", "web"}).out;
  ASSERT_TRUE(says("it failed too often and is asked again in")) << lab_.cli({"scale", "web"}).out;
  EXPECT_NE(lab_.cli({"status"}).out.find("metric:web/requests"), std::string::npos) << lab_.cli({"status"}).out;
  EXPECT_TRUE(becomes(3)) << "nobody says that they are not needed";
  haproxy_->start();
  EXPECT_TRUE(becomes(1)) << lab_.records() << lab_.cli({"scale", "web"}).out;
}

}  // namespace
}  // namespace homeostat::lab
