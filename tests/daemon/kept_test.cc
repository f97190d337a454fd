// Units of a real systemd, looked after over its bus.
#include "kept.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "orders.hpp"
#include "runtime/systemd_keeper.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

class Kept : public KeptTest {
 protected:
  Kept() : KeptTest(HOMEOSTAT_IN_SYSTEMD) {}
};

TEST_F(Kept, ACrashIsToldAndRepairedAStopByAPersonStays) {
  begin({{"web"}, {"other"}});
  if (IsSkipped()) return;
  EXPECT_EQ(starts("web"), 1U);
  EXPECT_TRUE(repaired("web")) << lab_.records();
  EXPECT_EQ(starts("web"), 2U);

  systemd_->ask("StopUnit", "web");
  ASSERT_TRUE(told("stopped by others, by systemd")) << lab_.records();
  EXPECT_TRUE(repaired("other")) << "what was stopped had all this time to come back";
  EXPECT_EQ(starts("web"), 2U);
  EXPECT_EQ(lab_.cli({"status"}).out.find("unhealthy"), std::string::npos) << lab_.cli({"status"}).out;
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("web"), 2U) << "it stays stopped";

  systemd_->ask("StartUnit", "web");
  ASSERT_TRUE(told("started by others, by systemd")) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_TRUE(repaired("web")) << "it is looked after again";
  EXPECT_EQ(starts("web"), 4U);

  // Nobody was there when it was stopped.
  lab_.kill9();
  systemd_->ask("StopUnit", "web");
  ASSERT_TRUE(eventually([&] { return main("web") == 0; }));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("web"), 4U);
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_F(Kept, ValidateSaysWhichUnitSystemdDoesNotHave) {
  begin({{"web"}});
  if (IsSkipped()) return;
  lab_.configure({service({"web"}), service({"elsewhere"})});
  const Finished said = lab_.cli({"validate", lab_.config_file()});
  EXPECT_EQ(said.code, 0);
  EXPECT_NE(said.err.find("elsewhere: `elsewhere.service` cannot be started: systemd knows no such unit"),
            std::string::npos)
      << said.err;
  EXPECT_EQ(said.err.find("web"), std::string::npos) << said.err;
}

TEST_F(Kept, WhatIsStoppedWhileWeAreAwayStaysEvenIfItsRepairWasNotProvedYet) {
  begin({{.name = "web", .checks = "process: { process: {}, interval: 1m, fast_interval: 1s }"}});
  if (IsSkipped()) return;
  send_signal([&] { return main("web"); }, SIGKILL);
  ASSERT_TRUE(told("restart of web/0 succeeded")) << lab_.records();
  lab_.kill9();
  ASSERT_EQ(lab_.records().find("restart of web/0 verified"), std::string::npos) << lab_.records();
  systemd_->ask("StopUnit", "web");
  ASSERT_TRUE(eventually([&] { return main("web") == 0; }));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("web is to stay stopped (by others, by systemd)")) << lab_.records();
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
}

TEST_F(Kept, WhatEndsByItselfWasNotStoppedHoweverWellItHasEnded) {
  const std::string end = lab_.dir() + "/end";
  ASSERT_EQ(::mkfifo(end.c_str(), 0600), 0);
  begin({{"web"}, {.name = "quits", .more = fmt::format("ExecStart=\nExecStart=/bin/sh -c 'read go < {}'", end)}});
  if (IsSkipped()) return;
  EXPECT_TRUE(repaired("web", SIGTERM)) << lab_.records();
  EXPECT_TRUE(told("web/0 failed check process: the process was killed by signal 15")) << lab_.records();
  for (std::uint64_t times = 1; times <= 3; ++times) {
    std::ofstream(end) << "go" << std::endl;
    ASSERT_TRUE(eventually([&] { return starts("quits") == times + 1; })) << lab_.records();
  }
  EXPECT_TRUE(told("quits/0 failed check process: the process exited with 0")) << lab_.records();
  EXPECT_TRUE(healthy("quits"));
  EXPECT_EQ(lab_.records().find("by others"), std::string::npos) << lab_.records();

  systemd_->ask("StopUnit", "web");
  ASSERT_TRUE(told("web/0 is stopped: stopped by others, by systemd")) << lab_.records();
}

TEST_F(Kept, WhatIsStoppedForAnotherUnitWasStoppedByAPerson) {
  fs::create_directories(lab_.dir() + "/units");
  write_file(lab_.dir() + "/units/foe.service", "[Unit]\nConflicts=web.service\n[Service]\nExecStart=/bin/sleep 9\n");
  begin({{.name = "whole"}, {.name = "part", .unit = "PartOf=whole.service"}, {"web"}, {"other"}});
  if (IsSkipped()) return;
  systemd_->ask("StopUnit", "whole");
  systemd_->ask("StartUnit", "foe");
  for (const char* name : {"whole", "part", "web"}) {
    EXPECT_TRUE(told(fmt::format("{}/0 is stopped: stopped by others, by systemd", name))) << lab_.records();
  }
  EXPECT_TRUE(repaired("other")) << "what was stopped had all this time to come back";
  for (const char* name : {"whole", "part", "web"}) EXPECT_EQ(starts(name), 1U) << lab_.records();
}

TEST_F(Kept, WhatDiesOfARestartOrAReloadByAPersonWasNotStopped) {
  const std::string broken = lab_.dir() + "/broken";
  begin({{"loads", "ExecReload=/bin/kill -KILL $MAINPID"},
         {"starts", fmt::format("ExecStartPre=/bin/sh -c '! test -e {}'", broken)}});
  if (IsSkipped()) return;
  systemd_->ask("ReloadUnit", "loads");
  EXPECT_TRUE(told("restart of loads/0 verified")) << lab_.records();
  write_file(broken, "");
  systemd_->ask("RestartUnit", "starts");
  EXPECT_TRUE(told("starts/0 failed check process")) << lab_.records();
  fs::remove(broken);
  EXPECT_TRUE(told("restart of starts/0 verified")) << lab_.records();
  EXPECT_EQ(lab_.records().find("by others"), std::string::npos) << lab_.records();
}

TEST_F(Kept, WhileSystemdRestartsItNothingIsDone) {
  begin({{"flap", "Restart=on-failure\nRestartSec=1s", "StartLimitBurst=2\nStartLimitIntervalSec=60"}});
  if (IsSkipped()) return;
  const pid_t first = main("flap");
  send_signal(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return is_another(main("flap"), first); }));
  ASSERT_TRUE(told("started by its runtime")) << lab_.records();
  EXPECT_TRUE(healthy("flap"));
  EXPECT_EQ(starts("flap"), 2U);
  EXPECT_EQ(lab_.records().find("incident"), std::string::npos) << lab_.records();

  // Its start limit is reached: systemd gives up, and it is ours.
  EXPECT_TRUE(repaired("flap")) << lab_.records();
  EXPECT_NE(lab_.records().find("incident"), std::string::npos);
  EXPECT_EQ(starts("flap"), 3U);
}

TEST_F(Kept, KilledInTheMiddleItKnowsByTheInvocationThatItWasDone) {
  begin({{"slow", "ExecStop=/bin/sleep 1"}});
  if (IsSkipped()) return;
  lab_.post("restart", {{"service", "slow"}});
  ASSERT_TRUE(eventually([&] { return systemd_->active("slow") == "s \"deactivating\""; }));
  lab_.kill9();
  ASSERT_TRUE(eventually([&] { return starts("slow") == 2; }));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(healthy("slow"));
  EXPECT_TRUE(told("another run was found after a restart of Homeostat")) << lab_.records();
  EXPECT_TRUE(repaired("slow"));
  EXPECT_EQ(starts("slow"), 3U) << "it was done once";
}

TEST_F(Kept, WhileTheBusHangsNothingIsKnownAndNothingDone) {
  begin({{"web"}});
  if (IsSkipped()) return;
  const auto bus = systemd_->pids_of_program("dbus-daemon");
  ASSERT_EQ(bus.size(), 1U);
  ::kill(bus.front(), SIGSTOP);
  send_signal([&] { return main("web"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab_.cli({"status"}).out.find("unknown") != std::string::npos; }))
      << lab_.cli({"status"}).out;
  EXPECT_EQ(starts("web"), 1U);
  EXPECT_TRUE(within(seconds(30), [&] {
    return lab_.cli({"status"}).out.find("web/0 is left alone: systemd cannot be reached: ") != std::string::npos &&
           lab_.cli({"status"}).out.find("asked less often") != std::string::npos;
  })) << lab_.cli({"status"}).out;
  ::kill(bus.front(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(starts("web"), 2U);
}

TEST_F(Kept, AReleaseIsALink) {
  begin({{"web"}});
  if (IsSkipped()) return;
  for (const char* version : {"v1", "v2"}) fs::create_directories(lab_.dir() + "/releases/" + version);
  lab_.configure({service({"web"}, fmt::format(", releases: {}/releases, release: v1", lab_.dir()))});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  const std::string link = lab_.dir() + "/releases/current";
  for (const char* version : {"v1", "v2"}) {
    EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", version}}).status, 200);
    EXPECT_TRUE(eventually([&] {
      std::error_code error;
      return fs::read_symlink(link, error) == lab_.dir() + "/releases/" + version;
    })) << lab_.records();
    EXPECT_TRUE(healthy("web")) << lab_.records();
  }
  EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "v3"}}).status, 404);
}

TEST_F(Kept, ARollbackSetsTheLinkToTheReleaseThatTheLadderNames) {
  begin({{"web"}});
  if (IsSkipped()) return;
  for (const char* version : {"v0", "v1"}) fs::create_directories(lab_.dir() + "/releases/" + version);
  lab_.configure({service({.name = "web", .rungs = "{ rollback: { to: v0 } },"},
                          fmt::format(", releases: {}/releases, release: v1", lab_.dir()))});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "v1"}}).status, 200);
  ASSERT_TRUE(told("version v1 of web proved stable")) << lab_.records();
  EXPECT_TRUE(repaired("web"));
  EXPECT_TRUE(told("rollback of web/0 verified")) << lab_.records();
  EXPECT_EQ(fs::read_symlink(lab_.dir() + "/releases/current"), lab_.dir() + "/releases/v0");
}

TEST_F(Kept, NothingIsStoppedForAReleaseThatIsNotThere) {
  const std::string well = lab_.dir() + "/well";
  write_file(well, "");
  Unit web{
      .name = "web",
      .rungs = "{ rollback: { to: v9, attempts: 100 } },",
      .checks = fmt::format("well: {{ file: {}, interval: 100ms, fast_interval: 100ms, startup_grace: 100ms }}", well)};
  begin({{"web"}});
  if (IsSkipped()) return;
  fs::create_directories(lab_.dir() + "/releases/v1");
  lab_.configure({service(web, fmt::format(", releases: {}/releases, release: v1", lab_.dir()))});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "v1"}}).status, 200);
  ASSERT_TRUE(told("version v1 of web proved stable")) << lab_.records();
  const pid_t before = main("web");
  fs::remove(well);
  EXPECT_TRUE(told("there is no release v9 in ")) << lab_.records();
  write_file(well, "");
  EXPECT_TRUE(healthy("web")) << lab_.records();
  EXPECT_EQ(main("web"), before) << lab_.records();
}

TEST_F(Kept, WhatIsMeantToEndIsDoneOnceItHasEndedWell) {
  const std::string end = lab_.dir() + "/end";
  ASSERT_EQ(::mkfifo(end.c_str(), 0600), 0);
  begin({{.name = "batch",
          .more = fmt::format(
              "ExecStartPre=/bin/sleep 0.3\nExecStart=\nExecStart=/bin/sh -c 'read code < {}; exit $$code'", end),
          .keys = ", completion: { ok: [0, 3] }"}});
  if (IsSkipped()) return;
  const auto ends_with = [&](const std::string& code) { std::ofstream(end) << code << std::endl; };
  ends_with("7");
  EXPECT_TRUE(eventually([&] { return starts("batch") == 2; })) << lab_.records();
  EXPECT_TRUE(healthy("batch"));
  ends_with("3");
  EXPECT_TRUE(told("done: it ended with status 3")) << lab_.records();
  EXPECT_TRUE(healthy("batch")) << lab_.cli({"status"}).out;

  EXPECT_EQ(lab_.post("start", {{"service", "batch"}}).status, 200);
  ASSERT_TRUE(eventually([&] { return starts("batch") == 3; })) << "it is run again when somebody wants it";
  lab_.kill9();  // before it could say that it has started it
  ends_with("0");
  ASSERT_TRUE(eventually([&] { return systemd_->active("batch") == "s \"inactive\""; }));
  ASSERT_TRUE(lab_.start());
  // systemd has forgotten the unit, and with it whether it ran.
  EXPECT_TRUE(told("it may have done its work")) << lab_.records();
  EXPECT_TRUE(lab_.has_flag("batch", "locked"));
  EXPECT_EQ(starts("batch"), 3U) << lab_.records();
}

TEST_F(Kept, WhatHasEndedWithNoughtIsDoneHoweverQuickItWas) {
  const std::string keys = ", completion: { ok: [0] }";
  begin({{.name = "quick", .more = "ExecStartPre=/bin/sleep 0.5\nExecStart=\nExecStart=/bin/true", .keys = keys},
         {.name = "slow", .more = "ExecStart=\nExecStart=/bin/sleep 0.3", .keys = keys}});
  if (IsSkipped()) return;
  for (const char* name : {"quick", "slow"}) {
    EXPECT_TRUE(told(fmt::format("{}/0 is completed: done: it ended with status 0", name))) << lab_.records();
    EXPECT_EQ(starts(name), 1U);
  }
  EXPECT_EQ(lab_.post("start", {{"service", "quick"}}).status, 200);
  ASSERT_TRUE(eventually([&] { return starts("quick") == 2; }));
  lab_.signal(SIGSTOP);  // when it hears of the start, it hears of the end as well
  EXPECT_TRUE(eventually([&] { return systemd_->active("quick") == "s \"inactive\""; }));
  lab_.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] {
    const std::string all = lab_.records();
    return all.find("quick/0 is completed", all.find("quick/0 is completed") + 1) != std::string::npos;
  })) << lab_.records();
  EXPECT_EQ(starts("quick"), 2U);
  EXPECT_EQ(lab_.records().find("incident"), std::string::npos) << lab_.records();
}

TEST_F(Kept, AUnitThatFailsOrThatSystemdRestartsAgainAndAgainIsAFailure) {
  const std::string checks = "own: { runtime: { restarts: 2, within: 1m }, interval: 100ms, failure_threshold: 1 }";
  begin({{.name = "failed", .keys = ", mode: shadow", .checks = checks},
         {.name = "restless",
          .more = "Restart=on-failure\nRestartSec=100ms",
          .keys = ", mode: shadow",
          .checks = checks}});
  if (IsSkipped()) return;
  send_signal([&] { return main("failed"); }, SIGKILL);
  EXPECT_TRUE(told("failed/0 failed check process: the process was killed by signal 9")) << lab_.records();
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(healthy("restless")) << times << lab_.records();
    const pid_t before = main("restless");
    send_signal(before, SIGKILL);
    ASSERT_TRUE(eventually([&] { return is_another(main("restless"), before); }));
  }
  EXPECT_TRUE(eventually([&] {
    return text_at(lab_.check_status("restless", "own"), "last_words") == "restarted 2 times by its runtime lately";
  })) << lab_.records();
  EXPECT_TRUE(told("would restart restless/0 (rung 1 restart, attempt 1): own")) << lab_.records();
  EXPECT_EQ(starts("failed"), 1U);
  EXPECT_EQ(starts("restless"), 3U) << "by systemd alone";
}

TEST_F(Kept, RestartsAreCountedOverAReloadButNotThoseOfAnotherUnit) {
  const std::string checks = "own: { runtime: { restarts: 2, within: 1m }, interval: 100ms, failure_threshold: 1 }";
  const Unit calm{.name = "calm", .keys = ", mode: shadow", .checks = checks};
  begin({calm,
         {.name = "restless",
          .more = "Restart=on-failure\nRestartSec=100ms",
          .keys = ", mode: shadow",
          .checks = checks}});
  if (IsSkipped()) return;
  const auto words = [&](const char* name) { return text_at(lab_.check_status(name, "own"), "last_words"); };
  for (int times = 0; times < 2; ++times) {
    ASSERT_EQ(lab_.cli({"reload"}).code, 0);
    ASSERT_TRUE(healthy("restless")) << times << lab_.records();
    const pid_t before = main("restless");
    send_signal(before, SIGKILL);
    ASSERT_TRUE(eventually([&] { return is_another(main("restless"), before); }));
  }
  EXPECT_TRUE(eventually([&] { return words("restless") == "restarted 2 times by its runtime lately"; }))
      << lab_.records();
  std::string other = service(calm);
  other.replace(other.find("calm.service"), 4, "restless");
  lab_.configure({other});
  ASSERT_EQ(lab_.cli({"reload", "--accept-shrink"}).code, 0);
  EXPECT_FALSE(within(seconds(2), [&] { return lab_.health("calm") == "unhealthy"; })) << words("calm");
  EXPECT_TRUE(healthy("calm")) << words("calm");
}

TEST_F(Kept, WhatIsAnotherUnitFromNowOnIsStartedThere) {
  fs::create_directories(lab_.dir() + "/units");
  write_file(lab_.dir() + "/units/spare.service",
             fmt::format("[Service]\nExecStartPre=/bin/sh -c 'echo started >> {}/starts.spare'\n"
                         "ExecStart=/bin/sleep infinity\n",
                         lab_.dir()));
  begin({{"web"}});
  if (IsSkipped()) return;
  std::string other = service({"web"});
  other.replace(other.find("web.service"), 3, "spare");
  lab_.configure({other});
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  EXPECT_TRUE(eventually([&] { return starts("spare") == 1; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(lab_.records().find("by others"), std::string::npos) << lab_.records();
  systemd_->ask("StopUnit", "spare");
  EXPECT_TRUE(told("web is to stay stopped (by others, by systemd)")) << lab_.records();
}

TEST_F(Kept, AKillIsNotForItsMemoryUnlessSystemdSaysSo) {
  std::string rungs;
  for (const char* signal : {"oom", "KILL"}) {
    rungs += fmt::format("{{ exec: {{ command: [touch, '{}/{}'], name: {}, when: signal {} }} }}, ", lab_.dir(), signal,
                         signal, signal);
  }
  begin({{.name = "web", .rungs = rungs}});
  if (IsSkipped()) return;
  send_signal([&] { return main("web"); }, SIGKILL);
  EXPECT_TRUE(told("it was not killed for its memory")) << lab_.records();
  EXPECT_TRUE(eventually([&] { return fs::exists(lab_.dir() + "/KILL"); })) << lab_.records();
  EXPECT_FALSE(fs::exists(lab_.dir() + "/oom"));
}

/// Orders given by hand, to a unit that runs already.
TEST_F(Kept, AnOrderForAnotherRunIsRefused) {
  begin({{"web"}});
  if (IsSkipped()) return;
  Orders orders(
      [&](os::Loop& loop, runtime::Keeper::OnSight saw) {
        return std::make_unique<runtime::SystemdKeeper>(loop, systemd_->address(), std::move(saw));
      },
      "web.service");
  ASSERT_TRUE(orders.runs()) << orders.sight().detail;
  const Incarnation run = orders.sight().run;
  const pid_t before = main("web");
  for (const engine::Op op : {engine::Op::stop, engine::Op::restart}) {
    const auto stale = orders.give(op, Incarnation{1, 2, run.boot});
    EXPECT_EQ(stale.kind, engine::OutcomeKind::not_started);
    EXPECT_EQ(stale.now_running, run);
  }
  EXPECT_EQ(orders.give(engine::Op::start, {}).kind, engine::OutcomeKind::not_started);
  EXPECT_EQ(main("web"), before);
  const auto done = orders.give(engine::Op::restart, run);
  EXPECT_EQ(done.kind, engine::OutcomeKind::succeeded) << done.detail;
  EXPECT_NE(main("web"), before);
}

}  // namespace
}  // namespace homeostat::lab
