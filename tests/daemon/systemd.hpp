// A real systemd, as the first process of namespaces made for the test.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lab.hpp"

namespace homeostat::lab {

/// Where a cgroup of ours can be made; empty: nowhere.
inline std::string cgroup_root() {
  std::istringstream mounts(read_file("/proc/self/mounts"));
  for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);) {
    if (type == "cgroup2") return where;
  }
  return {};
}

class Systemd {
 public:
  /// `script` makes it the first process of namespaces of its own.
  Systemd(const Lab& lab, const std::string& script) : dir_(lab.dir()) {
    cgroup_ = cgroup_root();
    if (cgroup_.empty() || !std::filesystem::exists("/lib/systemd/systemd") ||
        !std::filesystem::exists("/usr/bin/busctl"))
      return;
    cgroup_ += fmt::format("/homeostat-lab.{}", ::getpid());
    if (::mkdir(cgroup_.c_str(), 0755) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
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
    if (cgroup_.empty() || !std::filesystem::exists(cgroup_)) return;
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
  /// Those of its processes that run the program of that name.
  std::vector<pid_t> pids_of_program(const std::string& name) const {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cgroup_)) {
      if (entry.path().filename() != "cgroup.procs") continue;
      std::istringstream pids(read_file(entry.path()));
      for (pid_t pid = 0; pids >> pid;) {
        if (read_file(fmt::format("/proc/{}/comm", pid)) == name + "\n") found.push_back(pid);
      }
    }
    return found;
  }
  std::string address() const { return "unix:path=" + dir_ + "/bus/system_bus_socket"; }
  std::string log() const { return read_file(dir_ + "/systemd.log"); }

  /// By anybody but Homeostat.
  void ask(const std::string& method, const std::string& unit) const {
    bus({"call", kManager, kManagerPath, kManagerFace, method, "ss", unit + ".service", "replace"});
  }
  void kill(const std::string& unit, int signal) const {
    bus({"call", kManager, kManagerPath, kManagerFace, "KillUnit", "ssi", unit + ".service", "all",
         std::to_string(signal)});
  }
  /// `Reload`, or `Reexecute`.
  void itself(const std::string& method) const { bus({"call", kManager, kManagerPath, kManagerFace, method}); }
  std::string property(const std::string& unit, const std::string& face, const std::string& name) const {
    std::string path = std::string(kManagerPath) + "/unit/";
    for (const char c : unit) path += c == '-' ? std::string("_2d") : std::string(1, c);
    return bus({"get-property", kManager, path + "_2eservice", "org.freedesktop.systemd1." + face, name});
  }
  std::string active(const std::string& unit) const { return property(unit, "Unit", "ActiveState"); }

 private:
  static constexpr const char* kManager = "org.freedesktop.systemd1";
  static constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
  static constexpr const char* kManagerFace = "org.freedesktop.systemd1.Manager";

  std::string bus(std::vector<std::string> arguments) const {
    const std::vector<std::string> head{"/usr/bin/busctl", "--address=" + address(), "--timeout=10"};
    arguments.insert(arguments.begin(), head.begin(), head.end());
    std::string out = run_program(arguments).out;
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  static bool remove(const std::string& cgroup) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(cgroup, error)) {
      if (entry.is_directory(error)) remove(entry.path());
    }
    return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT;
  }

  std::string dir_;
  std::string cgroup_;
  pid_t pid_ = 0;
};

}  // namespace homeostat::lab
