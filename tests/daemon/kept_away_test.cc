// Units of a real systemd that end while nobody listens: was it they, or was it a person?
#include <fstream>

#include "kept.hpp"

namespace homeostat::lab {
namespace {

class KeptAway : public KeptTest {
 protected:
  KeptAway() : KeptTest(HOMEOSTAT_IN_SYSTEMD) {}

  /// Kinds of units; of each, one that will end by itself and one that will be stopped. systemd forgets none of them,
  /// for another unit that runs wants them.
  void begin_all(const std::vector<Unit>& kinds) {
    std::vector<Unit> units;
    std::string wants = "Wants=";
    for (const Unit& kind : kinds) {
      for (const char* how : {"-ends", "-stopped"}) {
        Unit unit = kind;
        unit.name += how;
        wants += unit.name + ".service ";
        units.push_back(std::move(unit));
      }
    }
    units.push_back({.name = "anchor", .unit = wants});
    begin(units);
  }
  bool rests(const std::string& name) const {
    return eventually([&] {
      const std::string active = systemd_->active(name);
      return active == "s \"inactive\"" || active == "s \"failed\"";
    });
  }
  bool is_sub(const std::string& name, const std::string& state) const {
    return eventually([&] { return systemd_->property(name, "Unit", "SubState") == "s \"" + state + '"'; });
  }
  void expect_kept_down(const std::string& name, std::uint64_t times = 1) const {
    EXPECT_TRUE(told(name + " is to stay stopped (by others, by systemd)")) << lab_.records();
    EXPECT_EQ(starts(name), times) << name << ": " << lab_.records();
  }
  void expect_repaired(const std::string& name, std::uint64_t times = 2) const {
    EXPECT_TRUE(eventually([&] { return starts(name) == times; })) << name << ": " << lab_.records();
    EXPECT_TRUE(healthy(name)) << name;
    EXPECT_EQ(lab_.records().find(name + " is to stay stopped"), std::string::npos) << name;
  }
};

constexpr const char* kFork = "/bin/sleep infinity & echo $$! > /run/%n.pid";

TEST_F(KeptAway, AStopAndAnEndWithoutAFailureAreToldApart) {
  const std::vector<std::string> kinds{"simple", "notify", "forking", "asked", "after", "mixed", "again"};
  begin_all({
      {"simple"},
      {"notify",
       "Type=notify\nNotifyAccess=all\nExecStart=\n"
       "ExecStart=/bin/sh -c 'systemd-notify --ready; exec /bin/sleep infinity'"},
      {"forking", fmt::format("Type=forking\nPIDFile=/run/%n.pid\nExecStart=\nExecStart=/bin/sh -c '{}'", kFork)},
      {"asked", "ExecStop=-/bin/kill -TERM $MAINPID\nExecStop=/bin/sleep 0.2"},
      {"after", "ExecStopPost=/bin/sleep 0.2"},
      {"mixed", "KillMode=mixed"},
      {"again", "Restart=on-failure\nRestartSec=100ms"},
  });
  if (IsSkipped()) return;
  lab_.kill9();
  for (const std::string& kind : kinds) {
    send_signal([&] { return main(kind + "-ends"); }, SIGTERM);
    systemd_->ask("StopUnit", kind + "-stopped");
  }
  for (const std::string& kind : kinds) ASSERT_TRUE(rests(kind + "-ends") && rests(kind + "-stopped")) << kind;
  ASSERT_TRUE(lab_.start());
  for (const std::string& kind : kinds) {
    expect_repaired(kind + "-ends");
    expect_kept_down(kind + "-stopped");
  }
}

TEST_F(KeptAway, WhatFailedOfBeingStoppedWasStopped) {
  const std::string no = "ExecStart=\nExecStart=/bin/sh -c 'trap \"exit 143\" TERM; /bin/sleep infinity & wait'";
  begin_all({{"unwilling", no}, {"deaf", "TimeoutStopSec=300ms\nKillSignal=SIGCONT"}});
  if (IsSkipped()) return;
  lab_.kill9();
  for (const std::string kind : {"unwilling", "deaf"}) {
    const pid_t pid = kind == "deaf" ? main("deaf-ends") : lab_.main(kind + "-ends/0", "/bin/sh -c trap");
    send_signal(pid, kind == "deaf" ? SIGKILL : SIGTERM);
    systemd_->ask("StopUnit", kind + "-stopped");
  }
  for (const std::string kind : {"unwilling", "deaf"}) {
    ASSERT_TRUE(rests(kind + "-ends") && rests(kind + "-stopped")) << kind;
    ASSERT_EQ(systemd_->active(kind + "-stopped"), "s \"failed\"");
  }
  ASSERT_TRUE(lab_.start());
  for (const std::string kind : {"unwilling", "deaf"}) {
    expect_repaired(kind + "-ends");
    expect_kept_down(kind + "-stopped");
  }
}

TEST_F(KeptAway, WhatFailedOfBeingStoppedWasStoppedThoughSystemdHadRestartedIt) {
  begin_all({{"again",
              "Restart=on-failure\nRestartSec=100ms\nExecStart=\n"
              "ExecStart=/bin/sh -c 'trap \"exit 143\" TERM; /bin/sleep infinity & wait'"}});
  if (IsSkipped()) return;
  const auto shell = [&] { return lab_.main("again-stopped/0", "/bin/sh -c trap"); };
  const pid_t before = shell();
  send_signal(before, SIGKILL);
  ASSERT_TRUE(eventually([&] { return is_another(shell(), before); }));
  ASSERT_TRUE(healthy("again-stopped"));
  lab_.kill9();
  systemd_->ask("StopUnit", "again-stopped");
  ASSERT_TRUE(rests("again-stopped"));
  ASSERT_EQ(systemd_->active("again-stopped"), "s \"failed\"");
  ASSERT_TRUE(lab_.start());
  expect_kept_down("again-stopped", 2);
}

TEST_F(KeptAway, WhatIsStoppedAfterItsMainProcessHasEndedWasStopped) {
  begin_all({{"stays", "RemainAfterExit=yes"}});
  if (IsSkipped()) return;
  lab_.kill9();
  send_signal([&] { return main("stays-stopped"); }, SIGTERM);
  ASSERT_TRUE(is_sub("stays-stopped", "exited"));
  systemd_->ask("StopUnit", "stays-stopped");
  ASSERT_TRUE(rests("stays-stopped"));
  ASSERT_TRUE(lab_.start());
  expect_kept_down("stays-stopped");
}

TEST_F(KeptAway, WhoSaysThatHeStopsAndThenFailsWasNotStopped) {
  begin_all({{"leaves",
              "Type=notify\nNotifyAccess=all\nExecStart=\nExecStart=/bin/sh -c 'trap \"systemd-notify STOPPING=1; "
              "exit 1\" USR1; systemd-notify --ready; /bin/sleep infinity & wait'"}});
  if (IsSkipped()) return;
  lab_.kill9();
  send_signal([&] { return lab_.main("leaves-ends/0", "/bin/sh -c trap"); }, SIGUSR1);
  ASSERT_TRUE(rests("leaves-ends"));
  ASSERT_EQ(systemd_->active("leaves-ends"), "s \"failed\"");
  ASSERT_TRUE(lab_.start());
  expect_repaired("leaves-ends");
}

TEST_F(KeptAway, WhatSystemdItselfEndedOrWasNotStartedAnewWasNotStopped) {
  const std::string broken = lab_.dir() + "/broken";
  begin_all({{"limited", "RuntimeMaxSec=4s"},
             {"watched",
              "Type=notify\nNotifyAccess=all\nWatchdogSec=3s\nExecStart=\nExecStart=/bin/sh -c "
              "'systemd-notify --ready; exec /bin/sleep infinity'"},
             {"starts", fmt::format("ExecStartPre=/bin/sh -c '! test -e {}'", broken)}});
  if (IsSkipped()) return;
  lab_.kill9();
  write_file(broken, "");
  systemd_->ask("RestartUnit", "starts-ends");
  for (const char* kind : {"limited", "watched", "starts"}) ASSERT_TRUE(rests(std::string(kind) + "-ends")) << kind;
  std::filesystem::remove(broken);
  ASSERT_TRUE(lab_.start());
  for (const char* name : {"limited-ends", "watched-ends", "starts-ends"}) {
    EXPECT_TRUE(told(std::string(name) + "/0 failed check process")) << name << lab_.records();
    EXPECT_EQ(lab_.records().find(std::string(name) + " is to stay stopped"), std::string::npos) << lab_.records();
  }
}

TEST_F(KeptAway, WhatIsStoppedBetweenTwoRunsWasStopped) {
  begin_all({{"waits", "Restart=on-failure\nRestartSec=1h"}, {"always", "Restart=always\nRestartSec=1h"}});
  if (IsSkipped()) return;
  lab_.kill9();
  send_signal([&] { return main("waits-stopped"); }, SIGKILL);
  send_signal([&] { return main("always-stopped"); }, SIGTERM);
  for (const char* name : {"waits-stopped", "always-stopped"}) {
    ASSERT_TRUE(is_sub(name, "auto-restart")) << name;
    systemd_->ask("StopUnit", name);
    ASSERT_TRUE(rests(name)) << name;
  }
  ASSERT_TRUE(lab_.start());
  expect_kept_down("waits-stopped");
  expect_kept_down("always-stopped");
}

TEST_F(KeptAway, WhatSystemdHasForgottenCountsAsStopped) {
  begin({{"web"}});
  if (IsSkipped()) return;
  lab_.kill9();
  send_signal([&] { return main("web"); }, SIGTERM);
  ASSERT_TRUE(rests("web"));
  ASSERT_TRUE(lab_.start());
  expect_kept_down("web");
}

TEST_F(KeptAway, WhatEndsByItselfWhileTheBusHangsWasNotStopped) {
  begin_all({{"web"}});
  if (IsSkipped()) return;
  const auto bus = systemd_->pids_of_program("dbus-daemon");
  ASSERT_EQ(bus.size(), 1U);
  ::kill(bus.front(), SIGSTOP);
  send_signal([&] { return main("web-ends"); }, SIGTERM);
  EXPECT_TRUE(eventually([&] { return lab_.health("web-ends") == "unknown"; })) << lab_.cli({"status"}).out;
  ::kill(bus.front(), SIGCONT);
  expect_repaired("web-ends");
}

}  // namespace
}  // namespace homeostat::lab
