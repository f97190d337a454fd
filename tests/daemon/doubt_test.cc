// Many services that fail at once, one that fails alone, and one that another needs.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <memory>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr int kServices = 6;

/// Services whose processes are always well, while what is asked about them hangs when it is told to.
struct Fleet {
  Lab lab;
  std::vector<std::unique_ptr<std::atomic<bool>>> hanging;
  std::vector<std::unique_ptr<BadServer>> servers;

  Fleet() {
    std::vector<std::string> services;
    for (int i = 0; i < kServices; ++i) {
      auto& hangs = *hanging.emplace_back(std::make_unique<std::atomic<bool>>(false));
      servers.push_back(std::make_unique<BadServer>(lab.port(8 + i), [&hangs](int fd) {
        while (read_request(fd)) {
          if (hangs) return hang(fd);
          if (!send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
        }
      }));
      services.push_back(lab.service(
          name(i),
          {.first_port = i,
           .checks = fmt::format("alive: {{ http: {{ port: {}, path: / }}, timeout: 300ms }}", lab.port(8 + i))}));
    }
    lab.configure(services);
  }
  static std::string name(int i) { return fmt::format("web{}", i); }
  bool all(const std::string& status) const {
    return eventually([&] {
      for (int i = 0; i < kServices; ++i) {
        if (lab.health(name(i)) != status) return false;
      }
      return true;
    });
  }
};

TEST(DaemonDoubt, WhenAllHangAtOnceNobodyIsTouched) {
  Fleet fleet;
  Lab& lab = fleet.lab;
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(fleet.all("healthy"));
  for (auto& hangs : fleet.hanging) *hangs = true;
  ASSERT_TRUE(eventually([&] { return !at(lab.status(), "engine.doubt").is_null(); }));
  EXPECT_TRUE(fleet.all("unknown"));
  EXPECT_FALSE(lab.escalations("cannot be reached").empty());
  EXPECT_EQ(lab.starts().size(), static_cast<std::size_t>(kServices)) << "something was repaired";

  // What is seen directly is no matter of doubt.
  send_signal([&] { return lab.pid("web0/0"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.starts().size() == kServices + 1U; }));
  EXPECT_TRUE(eventually([&] { return lab.pid("web0/0") != 0; }));
}

TEST(DaemonDoubt, OneThatHangsAloneIsRepaired) {
  Fleet fleet;
  Lab& lab = fleet.lab;
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(fleet.all("healthy"));
  const pid_t before = lab.pid("web2/0");
  *fleet.hanging[2] = true;
  EXPECT_TRUE(eventually([&] {
    const pid_t now = lab.pid("web2/0");
    return now != 0 && now != before;
  }));
  EXPECT_TRUE(at(lab.status(), "engine.doubt").is_null());
  *fleet.hanging[2] = false;
  EXPECT_TRUE(fleet.all("healthy"));
}

TEST(DaemonDependency, WhatDependsOnSomethingThatIsDownIsHeld) {
  Lab lab;
  lab.configure({lab.service("db"), lab.service("api", {.first_port = 1, .more = "depends_on: [db]"})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("db") == "healthy" && lab.health("api") == "healthy"; }));
  ASSERT_EQ(lab.post("pause", {{"service", "db"}, {"for", "forever"}}).status, 200);
  lab.break_instance(0, "500");
  ASSERT_TRUE(eventually([&] { return lab.health("db") == "unhealthy"; }));
  const pid_t before = lab.pid("api/0");
  lab.break_instance(1, "500");
  EXPECT_TRUE(eventually([&] { return lab.hold("api") == "dependency"; }));
  EXPECT_TRUE(lab.has_flag("api", "suppressed"));
  EXPECT_EQ(lab.pid("api/0"), before);
  EXPECT_EQ(lab.starts().size(), 2U);

  ASSERT_EQ(lab.post("resume", {{"service", "db"}}).status, 200);
  EXPECT_TRUE(eventually([&] { return lab.health("db") == "healthy" && lab.health("api") == "healthy"; }));
  EXPECT_EQ(lab.starts().size(), 4U);
  EXPECT_EQ(lab.starts()[2].place, "db/0") << "the dependency comes first";
}

}  // namespace
}  // namespace homeostat::lab
