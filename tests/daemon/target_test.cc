// Targets and plugins that behave badly: each has a defined status, and disturbs nobody else.
#include <fmt/format.h>

#include <csignal>
#include <sstream>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr const char* kOnce = "[{ restart: { attempts: 1, verify_within: 5s } }, { escalate: {} }]";

/// A service whose only instance is well; what its check asks is somewhere else.
std::string looking_at(const Lab& lab, const std::string& check) {
  return lab.service("web", {.remediation = kOnce, .checks = "alive: { " + check + " }"});
}

struct Bad {
  const char* name;
  BadServer::Serve serve;
  const char* timeout;
};

class DaemonTarget : public ::testing::TestWithParam<Bad> {};

// A server that answers nonsense has failed: it is repaired, a person is called, and the daemon is none the worse.
TEST_P(DaemonTarget, ThatBehavesBadlyHasFailed) {
  Lab lab;
  BadServer server(lab.port(8), GetParam().serve);
  lab.configure({looking_at(lab, fmt::format("http: {{ port: {}, path: /, expect: {{ contains: fine }} }}, timeout: {}",
                                             lab.port(8), GetParam().timeout)),
                 lab.service("other", {.first_port = 1})});
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "critical"; })) << lab.health("web");
  EXPECT_FALSE(lab.escalations("web").empty());
  EXPECT_EQ(lab.health("other"), "healthy");
  EXPECT_NE(text_at(lab.check_status("web", "alive"), "last"), "");
  EXPECT_EQ(lab.starts().size(), 3U) << "one repair, then a person";
}

INSTANTIATE_TEST_SUITE_P(Each, DaemonTarget,
                         ::testing::Values(Bad{"resets", reset, "300ms"}, Bad{"garbage", garbage, "300ms"},
                                           Bad{"endless", endless_body, "300ms"},
                                           Bad{"one_byte_a_second", one_byte_a_second, "300ms"},
                                           Bad{"hangs", hang, "300ms"}),
                         [](const auto& info) { return info.param.name; });

TEST(DaemonTargetName, ThatDoesNotResolveIsUnknownAndNobodyIsTouched) {
  Lab lab;
  lab.configure({looking_at(lab, "http: { url: 'http://no-such-host.invalid:80/' }, timeout: 500ms"),
                 lab.service("other", {.first_port = 1})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return text_at(lab.check_status("web", "alive"), "last_result") == "unknown"; }))
      << json::serialize(lab.check_status("web", "alive"));
  ASSERT_TRUE(eventually([&] { return lab.health("other") == "healthy"; })) << lab.health("other");
  const pid_t other = lab.pid("other/0");
  send_signal(other, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(1) && lab.health("other") == "healthy"; }));
  EXPECT_EQ(text_at(lab.check_status("web", "alive"), "status"), "unknown");
  EXPECT_EQ(lab.health("web"), "unknown");
  EXPECT_EQ(lab.starts().size(), 3U);
  EXPECT_TRUE(lab.escalations("web").empty());
}

/// What a process holds in memory, in megabytes.
long memory_of(pid_t pid) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6) / 1024;
  }
  return -1;
}

/// The commands of all processes that are neither the daemon nor an instance.
std::string strangers(const Lab& lab) {
  std::string found;
  for (const Process& process : processes_of(lab.dir())) {
    if (process.pid != lab.daemon() && process.command.find("quickstart_service") == std::string::npos) {
      found += process.command + "\n";
    }
  }
  return found;
}

struct Plugin {
  const char* name;
  const char* script;
  const char* status;
};

class DaemonPlugin : public ::testing::TestWithParam<Plugin> {};

TEST_P(DaemonPlugin, IsBoundedInTimeMemoryAndProcesses) {
  Lab lab;
  lab.configure({lab.service("web", {.checks = fmt::format("alive: {{ http: {{ path: /healthz }} }}, plugin: {{ role: "
                                                           "watch, exec: [/bin/sh, -c, '{}'], timeout: 500ms }}",
                                                           GetParam().script)})});
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return text_at(lab.check_status("web", "plugin"), "status") == GetParam().status; }))
      << json::serialize(lab.check_status("web", "plugin"));
  EXPECT_LT(memory_of(lab.daemon()), 150);
  EXPECT_TRUE(eventually([&] { return text_at(lab.check_status("web", "alive"), "status") == "healthy"; }));
  // What a run has left behind is gone before long, while others run.
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_TRUE(eventually([&] { return strangers(lab).empty(); })) << strangers(lab);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DaemonPlugin,
    ::testing::Values(Plugin{"forks", "(while :; do sleep 0.1; done) & (setsid sleep 300 &) ; exit 0", "healthy"},
                      Plugin{"never_ends", "sleep 300 & wait", "unhealthy"},
                      Plugin{"prints_without_end", "cat /dev/zero", "unhealthy"},
                      Plugin{"prints_much", "head -c 20000000 /dev/zero", "healthy"},
                      Plugin{"ignores_SIGTERM", "trap \"\" TERM; while :; do sleep 0.05; done", "unhealthy"},
                      Plugin{"cannot_tell", "exit 3", "unknown"}, Plugin{"dies", "kill -9 $$", "unhealthy"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace homeostat::lab
