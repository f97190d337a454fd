// A daemon with a folder, ports and a configuration of its own, and everything needed to judge it from outside.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http.hpp"
#include "os/fd.hpp"
#include "os/testing.hpp"
#include "processes.hpp"

namespace homeostat::lab {

namespace json = boost::json;
using os::testing::read_file;
using os::testing::write_file;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Tries `condition` until it holds or the time is over.
template <typename Condition>
bool within(milliseconds patience, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}
template <typename Condition>
bool eventually(Condition condition) {
  return within(seconds(12), condition);
}

/// To one process, never to a group as with 0: what has no process fails the test instead of ending all of them.
void send_signal(pid_t pid, int number);
/// The process is waited for: one that is just executing its program has no name for a moment.
template <std::invocable Find>
void send_signal(Find find, int number) {
  pid_t pid = 0;
  eventually([&] { return (pid = find()) != 0; });
  send_signal(pid, number);
}

struct Finished {
  int code = -1;
  std::string out;
  std::string err;
  json::value json() const;
};

/// Runs a program to its end; output in files, so that nothing it leaves running can keep us waiting.
Finished run_program(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment = {});

/// The folder of the programs that were built: ours.
std::string build_dir();

/// A text at a path such as "engine.doubt" or "instances.0.pid", null where nothing is.
json::value at(const json::value& from, const std::string& path);
std::string text_at(const json::value& from, const std::string& path);

/// How a service of ours is written; every time is short and every budget large unless a test says otherwise.
struct ServiceText {
  int instances = 1;      // 0: not said, as with `scaling`
  int first_port = 0;     // index into the lab's ports
  int more_ports = 0;     // than instances
  std::string run = "";   // more lines of `process`, "key: value, key: value"
  std::string more = "";  // more keys of the service, in flow style as well
  std::string remediation = "[{ restart: { attempts: 100, verify_within: 2s } }, { escalate: {} }]";
  std::string checks = "alive: { http: { path: /healthz } }";
};

class Lab {
 public:
  Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();

  const std::string& dir() const { return dir_.path(); }
  std::string state() const { return dir_ / "state"; }
  std::string socket() const { return dir_ / "socket"; }
  std::string config_file() const { return dir_ / "homeostat.yaml"; }
  int port(int index) const { return first_port_ + index; }
  static constexpr int kPorts = 16;

  /// The example's service, each start of it noted in the file `starts`.
  std::string service(const std::string& name, const ServiceText& text = {}) const;
  /// A folder with one folder a version; `broken` ones always answer 500.
  void make_release(const std::string& service, const std::string& version, bool broken = false) const;
  std::string releases(const std::string& service) const { return dir_ / ("releases/" + service); }
  /// Writes the configuration: the services, then what stands beside them.
  void configure(const std::vector<std::string>& services, const std::string& beside = "") const;

  /// More variables for the daemon.
  std::map<std::string, std::string> environment;
  /// The daemon's clocks of this boot are that much ahead, in a time namespace of its own.
  seconds boot_ahead{};
  /// Starts the daemon; `wait` also waits until it answers.
  void launch(const std::vector<std::string>& more = {});
  [[nodiscard]] bool start(const std::vector<std::string>& more = {});
  [[nodiscard]] bool answers() const;
  void signal(int number) const;
  /// Waits for its end. Its exit status, 128 + the signal, -1: it did not end.
  int wait_exit(milliseconds patience = seconds(12));
  void kill9();
  pid_t daemon() const { return daemon_; }
  /// All it has written.
  std::string log() const { return read_file(dir_ / "daemon.log"); }

  json::value get(const std::string& target) const;
  Answer post(const std::string& verb, const json::object& body = {}) const;
  json::value status() const { return get("/v1/status"); }
  json::value service_status(const std::string& service) const;
  json::value check_status(const std::string& service, const std::string& check, int slot = 0) const;
  /// The service's status word.
  std::string health(const std::string& service) const { return text_at(service_status(service), "status"); }
  bool has_flag(const std::string& service, const std::string& flag) const;
  std::string hold(const std::string& service) const;
  /// Open escalations whose summary contains `words`.
  json::array escalations(const std::string& words = "") const;
  Finished cli(const std::vector<std::string>& arguments) const;
  /// All records in words, as `journal show` prints them.
  std::string records() const { return cli({"journal", "show"}).out; }
  bool journal_is_good() const { return cli({"journal", "verify"}).code == 0; }

  /// Judged without the daemon: the instance answers 200 on its port.
  bool serves(int port_index) const;
  pid_t pid(const std::string& place) const;
  std::vector<pid_t> pids(const std::string& place) const { return pids_of(dir(), place); }
  /// The process of an instance whose command begins like that, not one that prepares its start or its end; 0: none.
  pid_t main(const std::string& place, const std::string& command) const;
  bool break_instance(int port_index, const std::string& kind) const;
  /// How many lines a file of the lab has, such as that in which a service notes its starts.
  std::uint64_t lines(const std::string& file) const;

  struct Start {
    std::string place;
    pid_t pid = 0;
    std::string command;  // the action that caused it
  };
  std::vector<Start> starts() const;

 private:
  os::testing::TempDir dir_;
  os::Fd port_lock_;
  int first_port_ = 0;
  pid_t daemon_ = 0;
  std::string cgroup_;
};

}  // namespace homeostat::lab
