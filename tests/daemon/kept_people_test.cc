// What people do to units of a real systemd at odd moments.
#include "kept.hpp"

namespace homeostat::lab {
namespace {

class KeptPeople : public KeptTest {
 protected:
  KeptPeople() : KeptTest(HOMEOSTAT_IN_SYSTEMD) {}

  std::string hold() const { return lab_.dir() + "/hold"; }
  /// Each start of it takes as long as there is that file.
  std::string slow_start() const {
    return fmt::format("ExecStartPre=/bin/sh -c 'while test -e {}; do sleep 0.05; done'", hold());
  }
  bool becomes(const std::string& name, const std::string& active) const {
    return eventually([&] { return systemd_->active(name) == "s \"" + active + '"'; });
  }
  /// Stopped by a person, it has time enough to come back.
  void expect_kept_down(const std::string& name, std::uint64_t times) const {
    EXPECT_TRUE(told(name + " is to stay stopped (by others, by systemd)")) << lab_.records();
    EXPECT_TRUE(repaired("other"));
    EXPECT_EQ(starts(name), times) << lab_.records();
    EXPECT_EQ(main(name), 0);
    EXPECT_EQ(lab_.cli({"status"}).out.find("unhealthy"), std::string::npos) << lab_.cli({"status"}).out;
  }
};

TEST_F(KeptPeople, WhatIsStoppedInTheMiddleOfOurRestartStaysStopped) {
  begin({{"web", "ExecStop=/bin/sleep 1"}, {"other"}});
  if (IsSkipped()) return;
  lab_.post("restart", {{"service", "web"}});
  ASSERT_TRUE(becomes("web", "deactivating"));
  systemd_->ask("StopUnit", "web");
  expect_kept_down("web", 1);
  systemd_->ask("StartUnit", "web");
  EXPECT_TRUE(told("started by others, by systemd")) << lab_.records();
  EXPECT_TRUE(repaired("web")) << "it is looked after again";
}

TEST_F(KeptPeople, WhatIsStoppedInTheMiddleOfOurStartStaysStopped) {
  begin({{"web", slow_start()}, {"other"}});
  if (IsSkipped()) return;
  write_file(hold(), "");
  send_signal([&] { return main("web"); }, SIGKILL);
  ASSERT_TRUE(becomes("web", "activating")) << lab_.records();
  systemd_->ask("StopUnit", "web");
  expect_kept_down("web", 2);
}

TEST_F(KeptPeople, WhatIsStoppedAfterOurStartTookTooLongStaysStopped) {
  begin({{"web", slow_start()}, {"other"}});
  if (IsSkipped()) return;
  lab_.configure({service({"web"}, ", timeout: 1s"), service({"other"})});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  write_file(hold(), "");
  send_signal([&] { return main("web"); }, SIGKILL);
  ASSERT_TRUE(told("systemd has not finished it in time")) << lab_.records();
  systemd_->ask("StopUnit", "web");
  expect_kept_down("web", 2);
}

TEST_F(KeptPeople, WhatIsStoppedWhileSystemdWaitsToRestartItStaysStopped) {
  begin({{"web", "Restart=on-failure\nRestartSec=1h"}, {"other"}});
  if (IsSkipped()) return;
  send_signal([&] { return main("web"); }, SIGKILL);
  ASSERT_TRUE(becomes("web", "activating"));
  systemd_->ask("StopUnit", "web");
  expect_kept_down("web", 1);
}

TEST_F(KeptPeople, ARestartOfAPersonsAndOneOfOursAreOne) {
  begin({{"web", "ExecStop=/bin/sleep 1"}});
  if (IsSkipped()) return;
  lab_.post("restart", {{"service", "web"}});
  ASSERT_TRUE(becomes("web", "deactivating"));
  systemd_->ask("RestartUnit", "web");
  EXPECT_TRUE(told("restart_all of web/0 verified")) << lab_.records();
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
  EXPECT_TRUE(repaired("web"));
}

TEST_F(KeptPeople, AReloadOfSystemdInTheMiddleOfARestartChangesNothing) {
  begin({{"web", "ExecStop=/bin/sleep 1"}});
  if (IsSkipped()) return;
  lab_.post("restart", {{"service", "web"}});
  ASSERT_TRUE(becomes("web", "deactivating"));
  systemd_->itself("Reload");
  EXPECT_TRUE(told("restart_all of web/0 verified")) << lab_.records();
  EXPECT_EQ(starts("web"), 2U);

  // Executed anew it has forgotten who asked.
  lab_.post("restart", {{"service", "web"}});
  ASSERT_TRUE(becomes("web", "deactivating"));
  systemd_->itself("Reexecute");
  EXPECT_TRUE(eventually([&] { return starts("web") == 3; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_TRUE(eventually([&] { return !lab_.has_flag("web", "locked"); })) << lab_.records();
  EXPECT_TRUE(repaired("web")) << lab_.records();
  EXPECT_EQ(starts("web"), 4U) << lab_.records();
}

TEST_F(KeptPeople, AUnitWhoseFileIsGoneIsStartedOnceItIsThereAgain) {
  std::filesystem::create_directories(lab_.dir() + "/units");
  const char* mover =
      "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/mv {0}/web.service {1}/web.service\n";
  const std::string there = "/etc/systemd/system";
  write_file(lab_.dir() + "/units/takes.service", fmt::format(fmt::runtime(mover), there, "/tmp"));
  write_file(lab_.dir() + "/units/brings.service", fmt::format(fmt::runtime(mover), "/tmp", there));
  begin({{"web"}});
  if (IsSkipped()) return;
  systemd_->ask("StartUnit", "takes");
  ASSERT_TRUE(becomes("takes", "active"));
  systemd_->itself("Reload");
  EXPECT_TRUE(healthy("web"));
  send_signal([&] { return main("web"); }, SIGKILL);
  EXPECT_TRUE(told("Unit web.service not found")) << lab_.records();
  systemd_->ask("StartUnit", "brings");
  ASSERT_TRUE(becomes("brings", "active"));
  systemd_->itself("Reload");
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
}

TEST_F(KeptPeople, AKillByAPersonIsNoStop) {
  begin({{"web"}});
  if (IsSkipped()) return;
  systemd_->kill("web", SIGTERM);
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(lab_.records().find("by others"), std::string::npos) << lab_.records();
}

}  // namespace
}  // namespace homeostat::lab
