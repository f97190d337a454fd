// Many services behind one real HAProxy, whose runtime socket has room for few at once; and two HAProxies at once.
#include <fmt/format.h>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Desk;
using traffic::testing::RealHaproxy;

constexpr int kServices = 30;

TEST(CrowdedProxy, AtTheFirstStartOfManyServicesAllArePutBackAndNothingIsComplainedOf) {
  std::vector<std::string> names;
  for (int i = 0; i < kServices; ++i) {
    for (int place = 0; place < 2; ++place) names.push_back(fmt::format("s{}-{}", i, place));
  }
  const RealHaproxy haproxy(names);
  Desk desk(haproxy.place());
  // As a stop of the life before has left them: each has to be told something.
  for (const std::string& name : names) ASSERT_TRUE(desk.drain(name, true));
  std::vector<std::string> services;
  for (int i = 0; i < kServices; ++i) {
    services.push_back(fmt::format(
        "  s{}: {{ run: {{ process: {{ command: [/bin/sleep, infinity] }} }}, instances: 2, checks: {{ alive: {{ "
        "process: {{}} }} }}, traffic: {{ haproxy: {{ socket: {}, backend: pool, server: '{{service}}-{{instance}}' "
        "}}, "
        "breaker: {{}} }} }}\n",
        i, haproxy.place().socket));
  }
  Lab lab;
  lab.configure(services);
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(within(seconds(30), [&] {
    const auto servers = desk.settings();
    return servers && std::ranges::none_of(*servers, &traffic::ServerSetting::drained);
  }));
  const auto servers = desk.settings();
  ASSERT_TRUE(servers) << servers.error().text;
  for (const auto& server : *servers) EXPECT_EQ(server.weight, 256) << server.server;
  EXPECT_EQ(lab.log().find("traffic:"), std::string::npos);
}

TEST(TwoProxies, WithTheSameNamesAreNotTakenForOne) {
  const RealHaproxy proxies[] = {RealHaproxy(1), RealHaproxy(1)};
  Lab lab;
  std::vector<std::string> services;
  for (const int i : {0, 1}) {
    ASSERT_TRUE(Desk(proxies[i].place()).drain("s1", true));
    services.push_back(fmt::format(
        "  web{}: {{ run: {{ process: {{ command: [/bin/sleep, infinity] }} }}, checks: {{ alive: {{ process: {{}} }} "
        "}}, traffic: {{ haproxy: {{ socket: {}, backend: pool, server: s1 }} }} }}\n",
        i, proxies[i].place().socket));
  }
  lab.configure(services);
  ASSERT_TRUE(lab.start());
  for (const RealHaproxy& proxy : proxies) {
    EXPECT_TRUE(eventually([&] {
      const auto server = Desk(proxy.place()).setting("s1");
      return server && !server->drained;
    })) << lab.log();
  }
}

}  // namespace
}  // namespace homeostat::lab
