// An instance that answers 500 behind a real HAProxy and is well as its own check sees it: it is the counters of its
// server that fail it, and only it is repaired.
#include <fmt/format.h>

#include "lab.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Crowd;
using traffic::testing::RealHaproxy;

TEST(DaemonHaproxyCheck, WhoFailsItsClientsIsRepairedAndAHaproxyThatIsGoneIsNobodysFault) {
  Lab lab;
  RealHaproxy haproxy(std::vector<int>{lab.port(0), lab.port(1), lab.port(2)});
  lab.configure({lab.service(
      "web",
      {.instances = 3,
       .more = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: 'm{{port}}', drain: 1s }} }}",
                           haproxy.place().socket),
       .checks = "alive: { http: { path: /healthz } }, errors: { haproxy: { field: hrsp_5xx, expect: '< 1' } }"})});
  ASSERT_TRUE(lab.start());
  Crowd crowd(haproxy.port(), 4);
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; })) << lab.records();
  const std::size_t before = lab.starts().size();
  ASSERT_TRUE(lab.break_instance(1, "sick"));
  ASSERT_TRUE(eventually([&] { return lab.starts().size() > before; })) << lab.records();
  EXPECT_EQ(lab.starts().back().place, "web/1");
  EXPECT_NE(lab.records().find("web/1 failed check errors: others say so"), std::string::npos) << lab.records();
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "healthy"; })) << lab.records();

  const std::size_t repaired = lab.starts().size();
  haproxy.stop();
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "unknown"; })) << lab.records();
  haproxy.start();
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "healthy"; })) << lab.records();
  EXPECT_EQ(lab.starts().size(), repaired) << "nobody is repaired for what HAProxy does not tell";
}

}  // namespace
}  // namespace homeostat::lab
