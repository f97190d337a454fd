// What cannot start says so, and leaves nothing behind.
#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

struct Wrong {
  const char* name;
  const char* text;
  const char* said;  // after the file's name
};

class DaemonConfig : public ::testing::TestWithParam<Wrong> {};

TEST_P(DaemonConfig, AWrongOneStartsNothing) {
  const Wrong& wrong = GetParam();
  Lab lab;
  write_file(lab.config_file(), wrong.text);
  lab.launch();
  EXPECT_EQ(lab.wait_exit(), 2);
  EXPECT_NE(lab.log().find(lab.config_file() + wrong.said), std::string::npos) << lab.log();
  EXPECT_NE(lab.log().find("nothing was started"), std::string::npos) << lab.log();
  EXPECT_FALSE(fs::exists(lab.state()));
  EXPECT_FALSE(fs::exists(lab.socket()));
  EXPECT_TRUE(processes_of(lab.dir()).empty());
}

INSTANTIATE_TEST_SUITE_P(
    Each, DaemonConfig,
    ::testing::Values(
        Wrong{"unknown_key", "homeostat: 1\nservices:\n  web: { run: { process: { comand: [/bin/true] } } }\n",
              ":3:28"},
        Wrong{"broken_yaml", "homeostat: 1\nservices: { web: [\n", ":3:"},
        Wrong{"no_version", "services:\n  web: { run: { process: { command: [/bin/true] } } }\n", ":1:1"},
        Wrong{"newer_format", "homeostat: 2\nservices: {}\n", ":1:12"},
        Wrong{"unknown_service",
              "homeostat: 1\nservices:\n  web: { run: { process: { command: [/bin/true] } }, depends_on: [dbb] }\n",
              ":3:"},
        Wrong{"no_command", "homeostat: 1\nservices:\n  web: { run: { process: { command: [] } } }\n", ":3:"},
        Wrong{"an_alias", "homeostat: 1\nservices: &a\n  web: *a\n", ":2:"}, Wrong{"empty", "", ""},
        Wrong{"binary", "\x7f\x45\x4c\x46\x01\x02", ""}),
    [](const auto& info) { return info.param.name; });

TEST(DaemonConfigFile, MustBeAFileThatCanBeRead) {
  Lab lab;
  lab.launch();
  EXPECT_EQ(lab.wait_exit(), 2);
  EXPECT_NE(lab.log().find(lab.config_file()), std::string::npos) << lab.log();
  fs::create_directory(lab.config_file());
  lab.launch();
  EXPECT_EQ(lab.wait_exit(), 2);
  fs::remove(lab.config_file());
  ASSERT_EQ(::mkfifo(lab.config_file().c_str(), 0600), 0);
  lab.launch();
  EXPECT_EQ(lab.wait_exit(), 2) << "nobody writes into it: it must not wait for ever";
}

TEST(DaemonConfigFile, WrongOnesDoNotTouchWhatAnEarlierLifeHasLeft) {
  Lab lab;
  lab.configure({lab.service("web")});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t pid = lab.pid("web/0");
  lab.kill9();
  const auto files = [&] {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(lab.state())) {
      if (entry.is_regular_file()) all[entry.path()] = read_file(entry.path());
    }
    return all;
  };
  const auto before = files();
  lab.configure({lab.service("web", {.more = "instnces: 3"})});
  lab.launch();
  EXPECT_EQ(lab.wait_exit(), 2);
  EXPECT_TRUE(files() == before);
  EXPECT_EQ(lab.pid("web/0"), pid);
}

/// A service that cannot be started. It must be said where an operator looks, a person called, and others not
/// disturbed.
void expect_cannot_start(Lab& lab, const std::string& service, const std::string& words) {
  lab.configure({service, lab.service("other", {.first_port = 6})});
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.health("other") == "healthy"; }));
  EXPECT_TRUE(eventually([&] {
    return text_at(lab.service_status("web"), "instances.0.detail").find(words) != std::string::npos;
  })) << json::serialize(lab.service_status("web"));
  EXPECT_TRUE(eventually([&] { return !lab.escalations("web").empty(); }));
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "critical"; })) << lab.health("web");
  EXPECT_EQ(text_at(lab.service_status("web"), "instances.0.state"), "dead");
  EXPECT_TRUE(lab.pids("web/0").empty());
  EXPECT_TRUE(lab.journal_is_good());
}

constexpr const char* kTwice = "[{ restart: { attempts: 2, verify_within: 2s } }, { escalate: {} }]";

TEST(DaemonCannotStart, AProgramThatIsMissing) {
  Lab lab;
  expect_cannot_start(
      lab,
      fmt::format("  web: {{ run: {{ process: {{ command: [{0}/nothing] }} }}, remediation: {1}, backoff: {{ initial: "
                  "50ms, max: 100ms }} }}\n",
                  lab.dir(), kTwice),
      lab.dir() + "/nothing");
}

TEST(DaemonCannotStart, AUserThatDoesNotExist) {
  Lab lab;
  expect_cannot_start(lab, lab.service("web", {.run = "user: nobody-of-that-name", .remediation = kTwice}),
                      "user nobody-of-that-name does not exist");
}

TEST(DaemonCannotStart, AReleaseThatIsMissing) {
  Lab lab;
  fs::create_directories(lab.releases("web"));
  expect_cannot_start(
      lab,
      lab.service("web", {.run = fmt::format("releases: {}, release: v7", lab.releases("web")), .remediation = kTwice}),
      lab.releases("web") + "/v7");
}

TEST(DaemonCannotStart, APortThatIsTaken) {
  Lab lab;
  BadServer taken(lab.port(0), fine);
  expect_cannot_start(lab, lab.service("web", {.remediation = kTwice}), std::to_string(lab.port(0)));
}

}  // namespace
}  // namespace homeostat::lab
