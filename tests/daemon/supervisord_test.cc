// Programs of a real supervisord, over its socket and over TCP with a password.
#include <fmt/format.h>

#include <filesystem>

#include "lab.hpp"
#include "os/child.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::lab {
namespace {

using traffic::testing::Desk;
using traffic::testing::RealHaproxy;

class KeptProgram : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const bool network = GetParam();
    write_file(lab_.dir() + "/password", "its-own-secret\n");
    std::string text = fmt::format(
        "[supervisord]\nlogfile={0}/s.log\npidfile={0}/s.pid\nchildlogdir={0}\n"
        "[unix_http_server]\nfile={0}/s.sock\nchmod=0700\n"
        "[inet_http_server]\nport=127.0.0.1:{1}\nusername=admin\npassword=its-own-secret\n"
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        lab_.dir(), lab_.port(0));
    for (const auto& [name, more] : {std::pair("web", "autorestart=false"), std::pair("flap", "autorestart=true")}) {
      text += fmt::format(
          "[program:{1}]\ncommand=/bin/sh -c 'echo started >> {0}/starts.{1}; exec {4}'\nstartsecs={3}\n"
          "autostart=false\nenvironment=HOMEOSTAT_LAB=\"{0}\",HOMEOSTAT_SERVICE=\"{1}\",HOMEOSTAT_INSTANCE=\"0\"\n{2}"
          "\n",
          lab_.dir(), name, more, starts_for_, runs_.contains(name) ? runs_.at(name) : "sleep infinity");
    }
    // Another program's process of the same name, named first; and one that has a name of its own in its group.
    text +=
        "[program:a]\nprocess_name=web\ncommand=/bin/sleep 100000\n"
        "[program:lonely]\nprocess_name=part\nautostart=false\ncommand=/bin/sleep 100000\n";
    write_file(lab_.dir() + "/s.conf", text);
    os::ChildSpec spec;
    spec.argv = {"supervisord", "-n", "-c", lab_.dir() + "/s.conf"};
    auto child = os::spawn(spec);
    ASSERT_TRUE(child) << child.error().text;
    supervisord_ = std::move(*child);
    const std::string server = network ? fmt::format("'127.0.0.1:{}', user: admin, password: {{ file: {}/password }}",
                                                     lab_.port(0), lab_.dir())
                                       : fmt::format("'unix:{}/s.sock'", lab_.dir());
    std::vector<std::string> services;
    for (const char* name : {"web", "flap"}) {
      services.push_back(
          fmt::format("  {0}: {{ run: {{ supervisord: {{ program: {0}, server: {1} }} }}, {2}"
                      "remediation: [{{ restart: {{ attempts: 100, verify_within: 2s }} }}, {{ escalate: {{}} }}],"
                      "backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 1000, per: 10m }},"
                      "reopen_within: 100ms, rearm_after: 100ms }}\n",
                      name, server, checks_ + (keys_.contains(name) ? keys_.at(name) : "")));
    }
    lab_.configure(services);
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(healthy("web") && healthy("flap")) << lab_.log() << lab_.records() << read_file(lab_.dir() + "/s.log");
  }
  void TearDown() override {
    if (!supervisord_) return;
    ctl("shutdown", "");
    within(seconds(3), [&] { return lab_.pids("web/0").empty() && lab_.pids("flap/0").empty(); });
    os::signal_group(supervisord_->pid, SIGKILL);
    os::reap(*supervisord_);
  }

  /// By anybody but Homeostat.
  void ctl(const std::string& verb, const std::string& name) const {
    run_program({"/usr/bin/supervisorctl", "-s", "unix://" + lab_.dir() + "/s.sock", verb, name});
  }
  bool healthy(const std::string& name) const {
    return eventually([&] { return lab_.health(name) == "healthy"; });
  }
  bool told(const std::string& words) const {
    return eventually([&] { return lab_.records().find(words) != std::string::npos; });
  }
  std::uint64_t starts(const std::string& name) const { return lab_.lines("starts." + name); }
  pid_t main(const std::string& name) const { return lab_.main(name + "/0", "sleep infinity"); }
  bool repaired(const std::string& name, int signal = SIGKILL) const {
    pid_t before = 0;
    if (!eventually([&] { return (before = main(name)) != 0; })) return false;
    send_signal(before, signal);
    const auto another = [&] {
      const pid_t now = main(name);  // looked at once: it may die between two looks
      return now != 0 && now != before;
    };
    return eventually(another) && healthy(name);
  }

  Lab lab_;
  std::string checks_;                       // of both
  std::map<std::string, std::string> runs_;  // the command of a program that does something
  std::map<std::string, std::string> keys_;  // more keys of its service
  int starts_for_ = 0;                       // so many seconds they are STARTING
  std::optional<os::Child> supervisord_;
};

TEST_P(KeptProgram, IsRepairedHeldStoppedAndStartedByWhomItMayBe) {
  EXPECT_TRUE(repaired("web", SIGSEGV)) << lab_.records();
  EXPECT_NE(lab_.records().find("web/0 is dead: the process was killed by a signal\n"), std::string::npos)
      << "which one is not told: " << lab_.records();
  EXPECT_EQ(starts("web"), 2U);

  // autorestart brings it back: nothing is done.
  pid_t first = 0;
  ASSERT_TRUE(eventually([&] { return (first = main("flap")) != 0; }));
  send_signal(first, SIGKILL);
  EXPECT_TRUE(told("flap/0")) << lab_.records();
  EXPECT_TRUE(told("started by its runtime")) << lab_.records();
  EXPECT_EQ(starts("flap"), 2U);

  ctl("stop", "web");
  ASSERT_TRUE(told("stopped by others, by supervisord")) << lab_.records();
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_EQ(lab_.post("restart", {{"service", "flap"}}).status, 200);
  EXPECT_TRUE(eventually([&] { return starts("flap") == 3; })) << lab_.records();
  EXPECT_EQ(starts("web"), 2U) << "it stays stopped";
  ctl("start", "web");
  ASSERT_TRUE(told("started by others, by supervisord")) << lab_.records();
  EXPECT_TRUE(repaired("web"));
  EXPECT_TRUE(lab_.journal_is_good());

  std::string other = read_file(lab_.config_file());
  std::string name = "flap";
  for (const auto& [next, hint] : {std::pair("flop", ""), std::pair("part", "; did you mean lonely:part?")}) {
    other.replace(other.find("program: " + name), 9 + name.size(), fmt::format("program: {}", next));
    name = next;
    write_file(lab_.config_file(), other);
    const Finished said = lab_.cli({"validate", lab_.config_file()});
    EXPECT_EQ(said.code, 0);
    const std::string why = fmt::format(
        "flap: `{0}` cannot be started: supervisord does not tell: it knows no program {0}{1}\n", name, hint);
    EXPECT_NE(said.err.find(why), std::string::npos) << said.err;
    EXPECT_EQ(said.err.find("web"), std::string::npos) << said.err;
  }
}

class KeptProgramAway : public KeptProgram {};

TEST_P(KeptProgramAway, WhatOthersStartWhileHomeostatIsAwayIsLookedAfter) {
  ASSERT_TRUE(told("start of web/0 verified")) << lab_.records();
  ctl("stop", "web");
  ASSERT_TRUE(told("stopped by others, by supervisord")) << lab_.records();
  lab_.kill9();
  ctl("start", "web");
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("web is to run (by others, by supervisord)")) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
  EXPECT_TRUE(repaired("web")) << lab_.records();
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramAway, ::testing::Values(false));

class KeptProgramCounted : public KeptProgram {
 protected:
  KeptProgramCounted() {
    checks_ = "checks: { own: { runtime: { restarts: 3, within: 1m }, interval: 200ms, failure_threshold: 1 } }, ";
  }
};

TEST_P(KeptProgramCounted, IsFoundFailingWhenSupervisordRestartsItAgainAndAgain) {
  for (std::uint64_t times = 1; times <= 3; ++times) {
    EXPECT_EQ(lab_.records().find("incident"), std::string::npos) << lab_.records();
    pid_t running = 0;
    ASSERT_TRUE(eventually([&] { return (running = main("flap")) != 0; }));
    send_signal(running, SIGKILL);
    ASSERT_TRUE(eventually([&] { return starts("flap") == times + 1; }));
    pid_t next = 0;
    ASSERT_TRUE(eventually([&] { return (next = main("flap")) != 0 && next != running; }));
    // Between two looks Homeostat would see one restart of many.
    if (times < 3) ASSERT_TRUE(told(fmt::format("flap/0 is running, pid {}: started by its runtime", next)));
    EXPECT_EQ(lab_.health("web"), "healthy");
  }
  ASSERT_TRUE(told("restart of flap/0 verified")) << "it is ours now, and begins anew: " << lab_.records();
  EXPECT_EQ(starts("flap"), 5U) << lab_.records();
  EXPECT_TRUE(healthy("flap"));
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramCounted, ::testing::Values(false));

class KeptProgramStarting : public KeptProgram {
 protected:
  KeptProgramStarting() { starts_for_ = 5; }
};

TEST_P(KeptProgramStarting, WhatIsStoppedInTheMiddleOfOurStartStaysStopped) {
  send_signal([&] { return main("web"); }, SIGKILL);
  ASSERT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  ctl("stop", "web");
  EXPECT_TRUE(told("web is to stay stopped (by others, by supervisord)")) << lab_.records();
  lab_.post("restart", {{"service", "flap"}});
  EXPECT_TRUE(told("restart_all of flap/0 verified")) << "what was stopped had all this time to come back";
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
}

TEST_P(KeptProgramStarting, WhatIsToldToStopWhileItComesUpIsStoppedThen) {
  ASSERT_TRUE(told("start of flap/0 verified")) << lab_.records();
  send_signal([&] { return main("flap"); }, SIGKILL);
  ASSERT_TRUE(eventually([&] { return starts("flap") == 2; })) << "by supervisord itself";
  ASSERT_EQ(lab_.post("stop", {{"service", "flap"}}).status, 200);
  EXPECT_TRUE(told("stop of flap/0 verified")) << lab_.records();
  EXPECT_EQ(main("flap"), 0);
  EXPECT_EQ(lab_.records().find("flap is to run (by others"), std::string::npos) << lab_.records();
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramStarting, ::testing::Values(false));

class KeptProgramLingering : public KeptProgram {
 protected:
  KeptProgramLingering() {
    const std::string script = lab_.dir() + "/linger.sh";
    write_file(
        script,
        fmt::format("trap 'rm {0}/ok; sleep 4; exit 0' TERM\ntouch {0}/ok\nwhile :; do sleep 0.1; done\n", lab_.dir()));
    runs_["web"] = "/bin/sh " + script;
    keys_["web"] = fmt::format(
        "checks: {{ alive: {{ exec: [/bin/sh, -c, 'test -e {}/ok || exit 2'], interval: 100ms, failure_threshold: 1 }} "
        "}}, ",
        lab_.dir());
  }
};

// The restart that its checks ask for meanwhile is refused: it is being stopped.
TEST_P(KeptProgramLingering, WhatFailsItsChecksWhileItIsStoppedByOthersStaysStopped) {
  ASSERT_TRUE(told("start of web/0 verified")) << lab_.records();
  ctl("stop", "web");
  EXPECT_TRUE(told("web is to stay stopped (by others, by supervisord)")) << lab_.records();
  lab_.post("restart", {{"service", "flap"}});
  EXPECT_TRUE(told("restart_all of flap/0 verified")) << "what was stopped had all this time to come back";
  EXPECT_EQ(starts("web"), 1U) << lab_.records();
}

TEST_P(KeptProgramLingering, WhatARestartOfOursStopsIsStartedByTheNextHomeostat) {
  for (const int signal : {SIGKILL, SIGTERM}) {
    ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; })) << lab_.records();
    const std::uint64_t before = starts("web");
    ASSERT_TRUE(eventually([&] { return lab_.cli({"restart", "web", "--no-wait"}).code == 0; })) << lab_.records();
    ASSERT_TRUE(eventually([&] { return !std::filesystem::exists(lab_.dir() + "/ok"); })) << lab_.records();
    lab_.signal(signal);
    lab_.wait_exit();
    ASSERT_EQ(starts("web"), before) << "it is being stopped";
    ASSERT_TRUE(lab_.start());
    EXPECT_TRUE(eventually([&] { return starts("web") == before + 1; })) << lab_.records();
    EXPECT_EQ(lab_.records().find("by others"), std::string::npos) << lab_.records();
  }
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramLingering, ::testing::Values(false));

class KeptProgramRouted : public KeptProgram {
 protected:
  KeptProgramRouted() {
    checks_ = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: '{{service}}' }} }}, ",
                          haproxy_.place().socket);
  }
  bool drained(const std::string& name) const {
    const auto server = Desk(haproxy_.place()).setting(name);
    return server && server->drained;
  }

  const RealHaproxy haproxy_{std::vector<std::string>{"web", "flap"}};
};

TEST_P(KeptProgramRouted, WhatWeStoppedGetsRequestsAgainWhoeverStartsIt) {
  ASSERT_EQ(lab_.cli({"stop", "web/0"}).code, 0);
  ASSERT_TRUE(eventually([&] { return drained("web") && lab_.pids("web/0").empty(); })) << lab_.records();
  ASSERT_TRUE(told("stop of web/0 verified")) << lab_.records();
  ctl("start", "web");
  EXPECT_TRUE(eventually([&] { return starts("web") == 2 && !drained("web"); })) << lab_.log() << lab_.records();
}

TEST_P(KeptProgramRouted, WhatSomebodyElseHasDrainedStaysSoWhoeverStartsIt) {
  ASSERT_TRUE(told("start of web/0 verified")) << lab_.records();
  // The end of our start may come after it.
  ASSERT_TRUE(eventually([&] {
    const bool done = Desk(haproxy_.place()).drain("web", true).has_value();
    ::poll(nullptr, 0, 300);
    return done && drained("web");
  }));
  ctl("stop", "web");
  ASSERT_TRUE(told("stopped by others, by supervisord")) << lab_.records();
  ctl("start", "web");
  ASSERT_TRUE(told("started by others, by supervisord")) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; })) << lab_.records();
  EXPECT_TRUE(drained("web"));
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramRouted, ::testing::Values(false));

class KeptProgramHung : public KeptProgram {};

TEST_P(KeptProgramHung, NothingIsDoneUntilSupervisordAnswers) {
  ASSERT_TRUE(eventually([&] { return main("web") != 0; }));
  ::kill(supervisord_->pid, SIGSTOP);
  send_signal([&] { return main("web"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab_.health("web") == "unknown"; })) << lab_.cli({"status"}).out;
  EXPECT_EQ(starts("web"), 1U);
  ::kill(supervisord_->pid, SIGCONT);
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(healthy("web"));
  const std::string everything = lab_.log() + lab_.records() + lab_.cli({"status", "--json"}).out;
  EXPECT_EQ(everything.find("its-own-secret"), std::string::npos);
}

TEST_P(KeptProgramHung, NobodyIsTakenForDeadByAHomeostatThatStartsMeanwhile) {
  ASSERT_TRUE(told("start of web/0 verified") && told("start of flap/0 verified")) << lab_.records();
  lab_.kill9();
  std::filesystem::remove_all(lab_.state());
  ::kill(supervisord_->pid, SIGSTOP);
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("web/0 waits, gate runtime")) << lab_.records();
  ::kill(supervisord_->pid, SIGCONT);
  EXPECT_TRUE(healthy("web") && healthy("flap")) << lab_.records();
  EXPECT_EQ(lab_.records().find("dead"), std::string::npos) << lab_.records();
  EXPECT_EQ(starts("web") + starts("flap"), 2U);
}

class KeptProgramBehindAProxy : public KeptProgram {
 protected:
  KeptProgramBehindAProxy() : haproxy_(std::vector<int>{lab_.port(1)}) {
    runs_["web"] = fmt::format("{}/quickstart_service --port {}", build_dir(), lab_.port(1));
    keys_["web"] = fmt::format("traffic: {{ haproxy: {{ socket: {}, backend: pool, server: {}, drain: 5s }} }}, ",
                               haproxy_.place().socket, server());
  }
  std::string server() const { return fmt::format("m{}", lab_.port(1)); }
  bool drained() const {
    const auto set = traffic::testing::Desk(haproxy_.place()).setting(server());
    return set && set->drained;
  }
  bool busy() const {
    const auto servers = traffic::testing::Desk(haproxy_.place()).look();
    return servers && servers->front().sessions > 0;
  }
  traffic::testing::RealHaproxy haproxy_;
};

TEST_P(KeptProgramBehindAProxy, IsNotLeftOutByWhoIsKilledWhileItDrains) {
  ASSERT_TRUE(eventually([&] { return traffic::testing::Client(haproxy_.port()).ask() != ""; }));
  std::optional<traffic::testing::HalfRequest> half(haproxy_.port());
  ASSERT_TRUE(eventually([&] { return busy(); }));
  ASSERT_EQ(lab_.cli({"restart", "web", "--no-wait"}).code, 0);
  ASSERT_TRUE(eventually([&] { return drained(); })) << lab_.records();
  lab_.kill9();
  ASSERT_EQ(starts("web"), 1U);
  ASSERT_TRUE(lab_.start());
  half.reset();
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return !drained(); })) << lab_.log();
}

INSTANTIATE_TEST_SUITE_P(OverItsSocket, KeptProgramBehindAProxy, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(OverTcp, KeptProgramHung, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Over, KeptProgram, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "TcpWithAPassword" : "ItsSocket"; });

}  // namespace
}  // namespace homeostat::lab
