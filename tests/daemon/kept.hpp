// Units of a real systemd, each looked after as a service of its own over its bus.
#pragma once

#include <fmt/format.h>

#include <filesystem>

#include "systemd.hpp"

namespace homeostat::lab {

struct Unit {
  std::string name;
  std::string more{};   // lines of [Service]
  std::string unit{};   // lines of [Unit]
  std::string keys{};   // of the service
  std::string rungs{};  // before its restart
  std::string checks = "process: { process: {}, interval: 1m, fast_interval: 100ms }";
};

class KeptTest : public ::testing::Test {
 protected:
  /// `script` begins a systemd.
  explicit KeptTest(std::string script) : script_(std::move(script)) {}
  void begin(const std::vector<Unit>& units) {
    std::filesystem::create_directories(lab_.dir() + "/units");
    std::vector<std::string> services;
    for (const Unit& unit : units) {
      write_file(fmt::format("{}/units/{}.service", lab_.dir(), unit.name),
                 fmt::format("[Unit]\n{3}\n[Service]\nEnvironment=HOMEOSTAT_LAB={0} HOMEOSTAT_SERVICE={1} "
                             "HOMEOSTAT_INSTANCE=0\nExecStartPre=/bin/sh -c 'echo started >> {0}/starts.{1}'\n"
                             "ExecStart=/bin/sleep infinity\nTimeoutStopSec=5s\n{2}\n",
                             lab_.dir(), unit.name, unit.more, unit.unit));
      services.push_back(service(unit));
    }
    systemd_.emplace(lab_, script_);
    if (const std::string why = systemd_->wait(); !why.empty()) {
      fmt::print("{}\n", systemd_->log());
      GTEST_SKIP() << why;
    }
    lab_.configure(services);
    ASSERT_TRUE(lab_.start());
    for (const Unit& unit : units) ASSERT_TRUE(healthy(unit.name)) << lab_.log() << lab_.records() << systemd_->log();
  }
  std::string service(const Unit& unit, const std::string& more = "") const {
    // Looked at once a minute: what is noticed sooner was told.
    return fmt::format(
        "  {0}: {{ run: {{ systemd: {{ unit: {0}.service, bus: 'unix:path={1}/bus/system_bus_socket'{2} }} }}, "
        "checks: {{ {3} }}, "
        "remediation: [{5} {{ restart: {{ attempts: 100, verify_within: 2s }} }}, {{ escalate: {{}} }}],"
        "backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 1000, per: 10m }},"
        "stable_after: 300ms, reopen_within: 100ms, rearm_after: 100ms{4} }}\n",
        unit.name, lab_.dir(), more, unit.checks, unit.keys, unit.rungs);
  }
  bool healthy(const std::string& name) const {
    return eventually([&] { return lab_.health(name) == "healthy"; });
  }
  std::uint64_t starts(const std::string& name) const { return lab_.lines("starts." + name); }
  bool told(const std::string& words) const {
    return eventually([&] { return lab_.records().find(words) != std::string::npos; });
  }
  pid_t main(const std::string& name) const { return lab_.main(name + "/0", "/bin/sleep infinity"); }
  /// Looked at once: it may die between two looks.
  static bool is_another(pid_t now, pid_t before) { return now != 0 && now != before; }
  /// The main process of a unit dies, and another is there.
  bool repaired(const std::string& name, int signal = SIGKILL) const {
    pid_t before = 0;
    if (!eventually([&] { return (before = main(name)) != 0; })) return false;
    send_signal(before, signal);
    return eventually([&] { return is_another(main(name), before); }) && healthy(name);
  }

  Lab lab_;
  std::optional<Systemd> systemd_;

 private:
  std::string script_;
};

}  // namespace homeostat::lab
