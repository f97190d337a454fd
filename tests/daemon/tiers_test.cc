// From the symptom to the cause with real programs: an nginx before an nginx before a database, all of them units of a
// real systemd; and a fleet of units.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "systemd.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

constexpr int kFleet = 6;

class Tiers : public ::testing::Test {
 protected:
  // What systemd sees of this machine's /tmp is the lab alone.
  Tiers() {
    for (const char* folder : {"/units", "/bin"}) fs::create_directories(lab_.dir() + folder);
    fs::copy_file(build_dir() + "/quickstart_service", lab_.dir() + "/bin/quickstart_service");
  }

  /// A unit that notes each of its starts. Homeostat looks at its port.
  void add(const std::string& name, int port, const std::string& command, const std::string& lines = "",
           const std::string& run = "", const std::string& more = "") {
    write_file(fmt::format("{}/units/{}.service", lab_.dir(), name),
               fmt::format("[Service]\nEnvironment=HOMEOSTAT_LAB={0} HOMEOSTAT_SERVICE={1} HOMEOSTAT_INSTANCE=0\n"
                           "ExecStartPre=/bin/sh -c 'echo started >> {0}/starts.{1}'\n{3}\nExecStart={2}\n"
                           "TimeoutStopSec=5s\n",
                           lab_.dir(), name, command, lines));
    services_.push_back(fmt::format(
        "  {0}: {{ run: {{ systemd: {{ unit: {0}.service, bus: 'unix:path={1}/bus/system_bus_socket'{3} }} }}, "
        "checks: {{ alive: {{ http: {{ url: 'http://127.0.0.1:{2}/healthz' }}, timeout: 300ms }} }}, "
        "backoff: {{ initial: 50ms, max: 200ms }}{4} }}\n",
        name, lab_.dir(), lab_.port(port), run, more));
  }
  std::string service(int port, const std::string& release = "") const {
    return fmt::format("{}/bin/quickstart_service --port {} {}", lab_.dir(), lab_.port(port),
                       release.empty() ? "" : "--release " + release);
  }
  /// An nginx that passes all it is asked on to another port.
  std::string nginx(const std::string& name, int port, int to) const {
    write_file(fmt::format("{}/{}.conf", lab_.dir(), name),
               fmt::format("daemon off; user root; pid {0}/{1}.pid; events {{}}\n"
                           "http {{ access_log off; server {{ listen 127.0.0.1:{2}; "
                           "location / {{ proxy_pass http://127.0.0.1:{3}; }} }} }}\n",
                           lab_.dir(), name, lab_.port(port), lab_.port(to)));
    return fmt::format("/usr/sbin/nginx -e {0}/{1}.log -c {0}/{1}.conf", lab_.dir(), name);
  }
  void begin() {
    systemd_.emplace(lab_, HOMEOSTAT_IN_SYSTEMD);
    if (const std::string why = systemd_->wait(); !why.empty()) {
      fmt::print("{}\n", systemd_->log());
      GTEST_SKIP() << why;
    }
    lab_.configure(services_);
    ASSERT_TRUE(lab_.start());
  }
  bool all(const std::vector<std::string>& names, const std::string& status) const {
    return eventually([&] {
      return std::ranges::all_of(names, [&](const std::string& name) { return lab_.health(name) == status; });
    });
  }
  std::uint64_t starts(const std::string& name) const { return lab_.lines("starts." + name); }
  /// The services of those that stand for themselves.
  static std::vector<std::string> incidents(const std::string& history) {
    std::vector<std::string> found;
    std::istringstream lines(history);
    for (std::string line, word, number, service; std::getline(lines, line);) {
      if (line.starts_with("incident ") && std::istringstream(line) >> word >> number >> service)
        found.push_back(service);
    }
    return found;
  }
  bool told(const std::string& what) const {
    return eventually([&] { return lab_.records().find(what) != std::string::npos; });
  }
  pid_t main(const std::string& name) const { return lab_.main(name + "/0", lab_.dir() + "/bin/quickstart_service"); }
  std::string words() const { return lab_.cli({"history", "--all"}).out + lab_.records() + systemd_->log(); }

  Lab lab_;
  std::optional<Systemd> systemd_;
  std::vector<std::string> services_;
};

TEST_F(Tiers, WhenTheDatabaseDiesItAloneIsStartedAndTheOthersRecover) {
  // Its start takes long enough for everybody to notice that it is away.
  add("database", 0, service(0), "ExecStartPre=/bin/sleep 1");
  add("api", 1, nginx("api", 1, 0), "", "", ", depends_on: [database]");
  add("web", 2, nginx("web", 2, 1), "", "", ", depends_on: [api]");
  begin();
  if (IsSkipped()) return;
  const std::vector<std::string> names{"database", "api", "web"};
  ASSERT_TRUE(all(names, "healthy")) << words();

  send_signal([&] { return main("database"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab_.has_flag("api", "suppressed") && lab_.has_flag("web", "suppressed"); }))
      << words();
  EXPECT_TRUE(all(names, "healthy")) << words();
  EXPECT_EQ(starts("database"), 2U);
  const std::string history = lab_.cli({"history"}).out;
  EXPECT_EQ(incidents(history), std::vector<std::string>{"database"}) << "theirs stand within it\n" << history;

  // It accepts, and never answers: all three are silent.
  ASSERT_TRUE(lab_.break_instance(0, "hang"));
  EXPECT_TRUE(eventually([&] { return starts("database") == 3; })) << words();
  EXPECT_TRUE(all(names, "healthy")) << words();
  EXPECT_EQ(starts("database"), 3U) << words();
  EXPECT_EQ(starts("api"), 1U) << words();
  EXPECT_EQ(starts("web"), 1U) << words();
}

TEST_F(Tiers, ABadReleaseIsRolledBackAndNotRestarted) {
  lab_.make_release("app", "v1");
  lab_.make_release("app", "v2", true);
  const std::string releases = lab_.releases("app");
  add("app", 0, service(0, releases + "/current/"), "", fmt::format(", releases: {}, release: v1", releases),
      ", stable_after: 300ms, remediation: [{ rollback: { when: changed_within 15m } }, "
      "{ restart: { attempts: 3 } }, { escalate: {} }]");
  begin();
  if (IsSkipped()) return;
  ASSERT_TRUE(told("version v1 of app proved stable")) << words();
  ASSERT_EQ(lab_.post("deploy", {{"service", "app"}, {"version", "v2"}}).status, 200);
  EXPECT_TRUE(told("rollback of app/0 verified")) << words();
  EXPECT_TRUE(all({"app"}, "healthy")) << words();
  EXPECT_EQ(starts("app"), 3U) << "v1, v2, and v1 again" << words();
  EXPECT_EQ(fs::read_symlink(releases + "/current"), releases + "/v1");
}

TEST_F(Tiers, AFleetThatCannotBeReachedIsLeftAloneAndSomebodyIsCalled) {
  std::vector<std::string> names;
  for (int i = 0; i < kFleet; ++i) add(names.emplace_back(fmt::format("web{}", i)), i, service(i));
  begin();
  if (IsSkipped()) return;
  ASSERT_TRUE(all(names, "healthy")) << words();
  for (const std::string& name : names) send_signal([&] { return main(name); }, SIGSTOP);
  EXPECT_TRUE(all(names, "unknown")) << words();
  EXPECT_TRUE(eventually([&] { return !lab_.escalations("cannot be reached").empty(); })) << words();
  EXPECT_EQ(lab_.records().find("will restart"), std::string::npos) << words();
  for (const std::string& name : names) send_signal([&] { return main(name); }, SIGCONT);
  EXPECT_TRUE(all(names, "healthy")) << words();
  for (const std::string& name : names) EXPECT_EQ(starts(name), 1U) << words();
}

}  // namespace
}  // namespace homeostat::lab
