// The daemon's own end, and what it must not tell.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

bool healthy(const Lab& lab, const std::string& service) {
  return eventually([&] { return lab.health(service) == "healthy"; });
}

TEST(DaemonEnd, KeepsOrStopsItsInstancesAsTheyWish) {
  Lab lab;
  lab.configure({lab.service("kept", {.run = "on_shutdown: keep"}),
                 lab.service("ended", {.instances = 2, .first_port = 1, .run = "on_shutdown: stop"})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(healthy(lab, "kept") && healthy(lab, "ended"));
  const pid_t kept = lab.pid("kept/0");
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_EQ(lab.pid("kept/0"), kept);
  EXPECT_TRUE(lab.serves(0));
  EXPECT_TRUE(lab.pids("ended/0").empty());
  EXPECT_TRUE(lab.pids("ended/1").empty());
  EXPECT_TRUE(lab.journal_is_good());

  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(healthy(lab, "kept") && healthy(lab, "ended"));
  EXPECT_EQ(lab.pid("kept/0"), kept);
  EXPECT_EQ(lab.starts().size(), 5U) << "what ended with the daemon begins with it";
  EXPECT_TRUE(lab.escalations().empty());
}

TEST(DaemonBeside, AnotherOneWithAServiceOfTheSameNameIsNotTouched) {
  Lab one;
  Lab two;
  for (Lab* lab : {&one, &two}) {
    lab->configure({lab->service("web")});
    ASSERT_TRUE(lab->start());
    ASSERT_TRUE(healthy(*lab, "web"));
  }
  const pid_t first = one.pid("web/0");
  const pid_t second = two.pid("web/0");
  ASSERT_EQ(one.cli({"restart", "web"}).code, 0);
  EXPECT_NE(one.pid("web/0"), first);
  ASSERT_EQ(one.cli({"stop", "web"}).code, 0);
  EXPECT_EQ(two.pid("web/0"), second);
  EXPECT_EQ(two.starts().size(), 1U);
  EXPECT_TRUE(two.serves(0));
}

TEST(DaemonEnd, StatusAndHistoryAreReadFromTheJournalAfterwards) {
  Lab lab;
  lab.configure({lab.service("web")});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(healthy(lab, "web"));
  lab.kill9();
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"status"}, {"why", "web"}, {"history"}, {"stats"}}) {
    const Finished read = lab.cli(verb);
    EXPECT_EQ(read.code, 0) << verb[0] << read.err;
    EXPECT_NE(read.err.find("daemon not running; read from the journal"), std::string::npos) << verb[0] << read.err;
  }
  const Finished stop = lab.cli({"stop", "web"});
  EXPECT_EQ(stop.code, 3);
  EXPECT_NE(stop.err.find("no daemon is running"), std::string::npos) << stop.err;
}

/// All files below `dir` that contain `words`.
std::string files_with(const std::string& dir, const std::string& words) {
  std::string found;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir, error)) {
    if (!entry.is_regular_file(error)) continue;
    if (read_file(entry.path()).find(words) != std::string::npos) found += entry.path().string() + "\n";
  }
  return found;
}

/// Everything that anybody is told.
std::string told(const Lab& lab) {
  std::string all = lab.log();
  for (const char* target : {"/v1/status", "/v1/why/web", "/v1/history?all=true", "/v1/journal", "/v1/stats"}) {
    all += ask_socket(lab.socket(), "GET", target).value_or(Answer{}).body;
  }
  return all;
}

TEST(DaemonSecrets, NeverLeaveTheDaemonButToTheTarget) {
  Lab lab;
  const std::string secret = "s3cr3t-0f-the-l4b";
  write_file(lab.dir() + "/token", secret + "\n", 0600);
  std::atomic<bool> received = false;
  BadServer listener(lab.port(8), [&](int fd) {
    char buffer[4096];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0 && std::string(buffer, static_cast<std::size_t>(got)).find(secret) != std::string::npos)
      received = true;
    send_text(fd, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  });
  const std::string token = fmt::format("{{ file: {}/token }}", lab.dir());
  lab.configure({lab.service(
      "web", {.run = fmt::format("env: {{ TOKEN: {} }}", token),
              .remediation = "[{ restart: { attempts: 1, verify_within: 2s } }, { escalate: {} }]",
              .checks = fmt::format("alive: {{ http: {{ port: {}, path: /, headers: {{ Authorization: {} }} }} }}",
                                    lab.port(8), token)})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return !lab.escalations("web").empty(); }));
  EXPECT_TRUE(received);
  EXPECT_EQ(told(lab).find(secret), std::string::npos);
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_EQ(files_with(lab.state(), secret), "");
}

TEST(DaemonSecrets, ThatACheckOrARepairPrintsAreNotRepeated) {
  Lab lab;
  const std::string secret = "s3cr3t-0f-the-l4b";
  write_file(lab.dir() + "/token", secret + "\n", 0600);
  lab.configure({lab.service(
      "web",
      {.remediation = fmt::format("[{{ exec: {{ command: [/bin/sh, -c, 'echo mended with; cat {}/token; exit 3'], "
                                  "attempts: 1 }} }}, {{ escalate: {{}} }}]",
                                  lab.dir()),
       .checks = fmt::format("alive: {{ exec: {{ command: [/bin/sh, -c, 'echo \"bad: $TOKEN\"; exit 2'], "
                             "env: {{ TOKEN: {{ file: {}/token }} }} }} }}",
                             lab.dir())})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return !lab.escalations("web").empty(); }));
  std::string all;
  // What it said last is told until it is asked again.
  EXPECT_TRUE(eventually([&] { return (all = told(lab)).find("bad: …") != std::string::npos; })) << all;
  EXPECT_EQ(all.find(secret), std::string::npos);
  EXPECT_NE(all.find("exit status 3: …"), std::string::npos) << all;
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_EQ(files_with(lab.state(), secret), "");
}

}  // namespace
}  // namespace homeostat::lab
