// As a unit of a real systemd, which runs as the first process of namespaces made for the test.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

/// Where a cgroup of ours can be made; empty: nowhere.
std::string cgroup_root() {
  std::istringstream mounts(read_file("/proc/self/mounts"));
  for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);) {
    if (type == "cgroup2") return where;
  }
  return {};
}

class Systemd {
 public:
  explicit Systemd(const Lab& lab) : dir_(lab.dir()) {
    cgroup_ = cgroup_root();
    if (cgroup_.empty() || !fs::exists("/lib/systemd/systemd") || !fs::exists("/usr/bin/busctl")) return;
    cgroup_ += fmt::format("/homeostat-lab.{}", ::getpid());
    if (::mkdir(cgroup_.c_str(), 0755) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string script = HOMEOSTAT_IN_SYSTEMD;
      const std::string log = dir_ + "/systemd.log";
      if (std::freopen(log.c_str(), "w", stdout) == nullptr || ::dup2(1, 2) < 0) ::_exit(77);
      ::execlp("unshare", "unshare", "--mount", "--propagation", "private", "bash", script.c_str(), dir_.c_str(),
               cgroup_.c_str(), nullptr);
      ::_exit(77);
    }
  }
  ~Systemd() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    if (cgroup_.empty() || !fs::exists(cgroup_)) return;
    std::ofstream(cgroup_ + "/cgroup.kill") << 1;
    within(seconds(5), [&] { return remove(cgroup_); });
  }
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;

  /// Empty once its bus answers, else why it never will.
  std::string wait() {
    if (pid_ <= 0) return "needs root to make namespaces";
    bool ended = false;
    const bool up = eventually([&] {
      ended = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
      return ended || !bus({"get-property", kManager, kManagerPath, kManagerFace, "Version"}).empty();
    });
    if (ended) pid_ = 0;
    return up && !ended ? "" : "needs root to make namespaces";
  }
  std::string log() const { return read_file(dir_ + "/systemd.log"); }

  void ask(const std::string& method, const std::string& unit) const {
    bus({"call", kManager, kManagerPath, kManagerFace, method, "ss", unit + ".service", "replace"});
  }
  std::string property(const std::string& unit, const std::string& face, const std::string& name) const {
    return bus({"get-property", kManager, std::string(kManagerPath) + "/unit/" + unit + "_2eservice",
                "org.freedesktop.systemd1." + face, name});
  }
  std::string active(const std::string& unit) const { return property(unit, "Unit", "ActiveState"); }

 private:
  static constexpr const char* kManager = "org.freedesktop.systemd1";
  static constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
  static constexpr const char* kManagerFace = "org.freedesktop.systemd1.Manager";

  std::string bus(std::vector<std::string> arguments) const {
    const std::vector<std::string> head{"/usr/bin/busctl", "--address=unix:path=" + dir_ + "/bus/system_bus_socket",
                                        "--timeout=10"};
    arguments.insert(arguments.begin(), head.begin(), head.end());
    std::string out = run_program(arguments).out;
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  static bool remove(const std::string& cgroup) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(cgroup, error)) {
      if (entry.is_directory(error)) remove(entry.path());
    }
    return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT;
  }

  std::string dir_;
  std::string cgroup_;
  pid_t pid_ = 0;
};

void write_unit(const Lab& lab, const std::string& name, const std::string& kill_mode) {
  fs::create_directories(lab.dir() + "/units");
  write_file(lab.dir() + "/units/" + name + ".service",
             fmt::format("[Service]\nType=notify\nNotifyAccess=main\nEnvironment=HOMEOSTAT_LAB={0}\n"
                         "ExecStart={0}/bin/homeostat run --config {1} --state-dir {2}/{3} --socket {0}/{3}.socket\n"
                         "KillMode={4}\nDelegate=yes\nWatchdogSec=1s\nRestart=no\nTimeoutStopSec=5s\n"
                         "StandardError=append:{0}/{3}.log\n",
                         lab.dir(), lab.config_file(), lab.dir(), name, kill_mode));
}

TEST(DaemonUnit, IsReadyFedAndRestartedWithoutItsInstances) {
  Lab lab;
  fs::create_directories(lab.dir() + "/bin");
  for (const char* program : {"homeostat", "quickstart_service"}) {
    fs::copy_file(build_dir() + "/" + program, lab.dir() + "/bin/" + program);
  }
  const std::string command = lab.dir() + "/bin/quickstart_service";
  write_file(lab.config_file(),
             fmt::format("homeostat: 1\nservices:\n  web: {{ run: {{ process: {{ command: [{}, --port, \"{{port}}\"], "
                         "ports: {}-{} }} }}, instances: 2, checks: {{ alive: {{ http: {{ path: /healthz }}, interval: "
                         "200ms, fast_interval: 50ms, timeout: 1s }} }} }}\n",
                         command, lab.port(0), lab.port(1)));
  write_unit(lab, "right", "process");
  write_unit(lab, "wrong", "control-group");
  Systemd systemd(lab);
  if (const std::string why = systemd.wait(); !why.empty()) {
    fmt::print("{}\n", systemd.log());
    GTEST_SKIP() << why;
  }

  systemd.ask("StartUnit", "right");
  ASSERT_TRUE(eventually([&] { return systemd.active("right") == "s \"active\""; }))
      << systemd.log() << read_file(lab.dir() + "/right.log");
  ASSERT_TRUE(eventually([&] { return lab.serves(0) && lab.serves(1); }));
  const auto first = lab.pids("web/0");
  const auto second = lab.pids("web/1");
  ASSERT_EQ(first.size(), 1U);
  const std::string main = systemd.property("right", "Service", "MainPID");

  // For more than three times the watchdog's second it must have been fed.
  const auto age = [&] {
    const json::value up =
        json::parse(ask_socket(lab.dir() + "/right.socket", "GET", "/v1/status").value_or(Answer{0, "0"}).body);
    const json::value milliseconds_up = at(up, "services.0.instances.0.up_ms");
    return milliseconds_up.is_int64() ? milliseconds_up.get_int64() : 0;
  };
  EXPECT_TRUE(eventually([&] { return age() > 3200; }));
  EXPECT_EQ(systemd.active("right"), "s \"active\"");
  EXPECT_EQ(systemd.property("right", "Service", "MainPID"), main);

  systemd.ask("RestartUnit", "right");
  ASSERT_TRUE(eventually([&] {
    return systemd.active("right") == "s \"active\"" && systemd.property("right", "Service", "MainPID") != main;
  }));
  EXPECT_EQ(lab.pids("web/0"), first);
  EXPECT_EQ(lab.pids("web/1"), second);

  systemd.ask("StartUnit", "wrong");
  EXPECT_TRUE(eventually([&] { return systemd.active("wrong") == "s \"failed\""; }));
  EXPECT_EQ(systemd.property("wrong", "Service", "ExecMainStatus"), "i 2");
  EXPECT_NE(read_file(lab.dir() + "/wrong.log").find("KillMode=control-group"), std::string::npos)
      << read_file(lab.dir() + "/wrong.log");
  EXPECT_EQ(lab.pids("web/0"), first);
}

}  // namespace
}  // namespace homeostat::lab
