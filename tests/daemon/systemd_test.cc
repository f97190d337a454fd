// As a unit of a real systemd, which runs as the first process of namespaces made for the test.
#include "systemd.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

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
  Systemd systemd(lab, HOMEOSTAT_IN_SYSTEMD);
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
