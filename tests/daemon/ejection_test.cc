// An instance that answers 500 behind a real HAProxy, and is well as its check sees it: it gets no requests, then a
// few, then all of them again. Judged by the clients.
#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Client;
using traffic::testing::Crowd;
using traffic::testing::RealHaproxy;

constexpr const char* kBreaker = "traffic:web/1";

class Ejection : public ::testing::Test {
 protected:
  void begin(const std::string& open_for) {
    haproxy_.emplace(std::vector<int>{lab_.port(0), lab_.port(1), lab_.port(2)});
    const std::string breaker = fmt::format(
        "{{ min_requests: 10, window: 5s, open_for: {0}, open_cap: {0}, trial_requests: 5, trial: 20% }}", open_for);
    configure(
        fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 5s }}, "
                    "breaker: {} }}",
                    haproxy_->place().socket, breaker));
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy" && clean(); }));
    crowd_.emplace(haproxy_->port(), 4);
    ASSERT_TRUE(lab_.break_instance(1, "sick"));
  }
  void configure(const std::string& more) const {
    lab_.configure({lab_.service("web", {.instances = 3, .more = more})});
  }
  json::value breaker() const {
    const json::value all = at(lab_.status(), "breakers");
    if (!all.is_array()) return nullptr;
    for (const json::value& one : all.get_array()) {
      if (text_at(one, "name") == kBreaker) return one;
    }
    return nullptr;
  }
  std::string state() const { return text_at(breaker(), "state"); }
  /// So many requests of one customer are all answered.
  bool clean() const {
    Client client(haproxy_->port());
    for (int i = 0; i < 60; ++i) {
      if (client.ask().empty()) return false;
    }
    return true;
  }
  bool recorded(const std::string& words) const {
    return eventually([&] { return lab_.records().find(words) != std::string::npos; });
  }

  Lab lab_;
  std::optional<RealHaproxy> haproxy_;
  std::optional<Crowd> crowd_;
};

TEST_F(Ejection, GetsRequestsAgainWhenAReloadTakesTheProxyAway) {
  begin("10m");
  ASSERT_TRUE(eventually([&] { return state() == "open" && clean(); })) << lab_.records();
  configure("");
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  EXPECT_TRUE(eventually([&] { return !clean(); })) << "whoever leads the requests now: " << lab_.log();
}

TEST_F(Ejection, StaysOutOverACrashOfTheDaemonAndAReloadOfTheProxy) {
  begin("10m");
  ASSERT_TRUE(eventually([&] { return state() == "open" && clean(); })) << lab_.records();
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(lab_.health("web"), "healthy");
  EXPECT_TRUE(lab_.has_flag("web", "ejecting"));
  for (const char* verb : {"status", "why"}) {
    const std::string shown = lab_.cli({verb, "web"}).out;
    EXPECT_NE(shown.find("web/1 gets no requests: "), std::string::npos) << shown;
  }
  const std::string probe_at = text_at(breaker(), "probe_at");
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(text_at(breaker(), "probe_at"), probe_at);
  haproxy_->stop();
  haproxy_->start();  // with the weights of its file
  ASSERT_TRUE(eventually([&] { return clean(); })) << lab_.records();
  EXPECT_EQ(lab_.starts().size(), 3U) << "nobody is restarted for it";
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_F(Ejection, ComesBackWhenAFewRequestsHaveGoneWell) {
  begin("1s");
  ASSERT_TRUE(recorded("breaker traffic:web/1 opens: ")) << lab_.records();
  ASSERT_TRUE(recorded("breaker traffic:web/1 opens again: ")) << lab_.records();
  EXPECT_TRUE(recorded("20 % of its usual share to 1")) << lab_.records();
  ASSERT_TRUE(lab_.break_instance(1, "none"));
  ASSERT_TRUE(recorded("breaker traffic:web/1 closes: it works again")) << lab_.records();
  ASSERT_TRUE(recorded("the proxy divides the requests of web by itself again")) << lab_.records();
  EXPECT_TRUE(clean());
  EXPECT_EQ(state(), "closed");
  EXPECT_EQ(lab_.starts().size(), 3U) << "nobody is restarted for it";
}

}  // namespace
}  // namespace homeostat::lab
