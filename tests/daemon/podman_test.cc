// Containers of a real podman and of a real dockerd.
#include "contained.hpp"
#include "orders.hpp"
#include "runtime/container_keeper.hpp"

namespace homeostat::lab {
namespace {

class Contained : public ContainerTest {
 protected:
  Contained() : ContainerTest(HOMEOSTAT_IN_CONTAINERS) {}
};

TEST_P(Contained, ACrashIsToldAndRepairedAStopByAPersonStays) {
  begin({{"web"}, {"other"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web") && healthy("other")) << lab_.log() << lab_.records();
  EXPECT_TRUE(repaired("web")) << lab_.records();

  person("stop", "web");
  ASSERT_TRUE(told("stopped by others, by " + kind())) << lab_.records();
  EXPECT_TRUE(repaired("other")) << "what was stopped had all this time to come back";
  EXPECT_EQ(starts("web"), 2U);
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("web"), 2U) << "it stays stopped";

  person("start", "web");
  ASSERT_TRUE(told("started by others, by " + kind())) << lab_.records();
  EXPECT_TRUE(repaired("web")) << "it is looked after again";

  // Nobody was there when it was stopped, and when the other one died.
  lab_.kill9();
  person("kill", "web");
  send_signal([&] { return main("other"); }, SIGKILL);
  ASSERT_TRUE(eventually([&] { return main("web") == 0 && main("other") == 0; }));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(started("other", 4)) << lab_.records();
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("web"), 4U) << lab_.records();
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_P(Contained, ValidateSaysOfWhichServiceThereIsNoContainer) {
  begin({{"web-0"}}, {service("web", "", ", instances: 2", "web-{instance}"), service("elsewhere")});
  if (IsSkipped()) return;
  const Finished said = lab_.cli({"validate", lab_.config_file()});
  EXPECT_EQ(said.code, 0);
  EXPECT_NE(said.err.find("elsewhere: `elsewhere` cannot be started: there is no container elsewhere"),
            std::string::npos)
      << said.err;
  EXPECT_EQ(said.err.find("web"), std::string::npos) << "the other one is made with the settings of this: " << said.err;
}

TEST_P(Contained, WhileItsPolicyRestartsItNothingIsDoneAndAnUnhealthyOneIsRestarted) {
  checks_ = ", own: { runtime: {}, interval: 200ms, failure_threshold: 1 }";
  const std::string health = R"("Healthcheck":{"Test":["CMD","/bin/cat","/effects/ok"],"Interval":300000000,)"
                             R"("Timeout":5000000000,"Retries":1})";
  const Made flap{.name = "flap", .policy = R"("Name":"on-failure","MaximumRetryCount":1)"};
  const Made sick{.name = "sick", .command = "echo yes > /effects/ok; exec sleep 100000", .more = health};
  begin({flap, sick});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("flap") && healthy("sick")) << lab_.log() << lab_.records();
  send_signal([&] { return main("flap"); }, SIGKILL);
  ASSERT_TRUE(told("started by its runtime")) << lab_.records();
  EXPECT_TRUE(healthy("flap"));
  EXPECT_EQ(lab_.records().find("incident"), std::string::npos) << lab_.records();
  EXPECT_EQ(starts("flap"), 2U);
  EXPECT_TRUE(repaired("flap")) << "it was given up, and is ours: " << lab_.records();
  EXPECT_NE(lab_.records().find("incident"), std::string::npos);

  ::unlink((lab_.dir() + "/effects/ok").c_str());
  EXPECT_TRUE(started("sick", 2)) << lab_.records();
  EXPECT_TRUE(healthy("sick")) << lab_.records();
  EXPECT_NE(lab_.records().find("sick/0 failed check own"), std::string::npos) << lab_.records();
}

TEST_P(Contained, AKillIsNotForItsMemoryUnlessItSaysSo) {
  ladder_ = fmt::format(
      "[{{ exec: {{ command: [touch, '{0}/oom'], when: signal oom }} }}, {{ restart: {{ when: signal KILL }} }}]",
      lab_.dir());
  begin({{"web"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web")) << lab_.log() << lab_.records();
  EXPECT_TRUE(repaired("web")) << lab_.records();
  EXPECT_NE(lab_.records().find("it was not killed for its memory"), std::string::npos) << lab_.records();
  EXPECT_FALSE(std::filesystem::exists(lab_.dir() + "/oom"));
}

INSTANTIATE_TEST_SUITE_P(By, Contained, ::testing::Values("podman", "docker"),
                         [](const auto& info) { return std::string(info.param); });

// podman 4.3 did not say so where cgroup v1 limits memory.
class Docker : public Contained {};

TEST_P(Docker, WhatTheKernelKillsForItsMemoryIsToldSo) {
  if (!os::testing::LittleMemory().possible())
    GTEST_SKIP() << "needs root to make namespaces, and " + kind() + ", and a writable cgroup that limits memory";
  ladder_ = fmt::format(
      "[{{ exec: {{ command: [touch, '{0}/oom'], when: signal oom, verify_within: 1s }} }},"
      " {{ restart: {{ attempts: 100, verify_within: 2s }} }}]",
      lab_.dir());
  begin({{.name = "cache",
          .command = "if [ -e /effects/hog ]; then rm /effects/hog; exec busybox tail /dev/zero; fi; exec sleep 100000",
          .limits = R"("Memory":33554432,"MemorySwap":33554432,)"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("cache")) << lab_.log() << lab_.records();
  write_file(lab_.dir() + "/effects/hog", "");
  EXPECT_TRUE(repaired("cache")) << lab_.records();
  EXPECT_TRUE(told("it needed more memory than it may have")) << lab_.records();
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(lab_.dir() + "/oom"); })) << lab_.records();
  EXPECT_TRUE(started("cache", 3) && healthy("cache")) << lab_.records();
}

INSTANTIATE_TEST_SUITE_P(By, Docker, ::testing::Values("docker"));

class Podman : public Contained {};

TEST_P(Podman, KilledInTheMiddleItKnowsThatItWasDoneAndWhileTheApiHangsNothingIsDone) {
  begin({{.name = "slow", .command = "trap : TERM; while :; do sleep 0.1; done", .stop = R"("StopTimeout":2)"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("slow")) << lab_.log() << lab_.records();
  lab_.post("restart", {{"service", "slow"}});
  ASSERT_TRUE(eventually([&] { return text_at(containers_->inspect("slow"), "State.Status") == "stopping"; }));
  lab_.kill9();
  ASSERT_TRUE(started("slow", 2));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(healthy("slow"));
  EXPECT_TRUE(told("another run was found after a restart of Homeostat")) << lab_.records();
  EXPECT_EQ(starts("slow"), 2U) << "it was done once";

  ::kill(containers_->server(), SIGSTOP);
  send_signal([&] { return main("slow"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab_.health("slow") == "unknown"; })) << lab_.cli({"status"}).out;
  EXPECT_EQ(starts("slow"), 2U);
  ::kill(containers_->server(), SIGCONT);
  EXPECT_TRUE(started("slow", 3)) << lab_.records();
  EXPECT_TRUE(healthy("slow"));
}

TEST_P(Podman, AVersionIsAnotherImageAndAnotherInstanceACopy) {
  begin({{"web"}, {"pool-0"}}, {service("web", ", image: localhost/lab, release: '1'"),
                                service("pool", "", ", instances: 2", "pool-{instance}")});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web") && healthy("pool")) << lab_.log() << lab_.records();
  EXPECT_EQ(starts("pool-0"), 2U) << "the second one has its settings, but for its number";
  EXPECT_NE(containers_->ask("GET", "/containers/pool-1/json").body.find("HOMEOSTAT_INSTANCE=1"), std::string::npos);

  const auto image = [&] { return text_at(containers_->inspect("web"), "Config.Image"); };
  EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "2"}}).status, 200);
  ASSERT_TRUE(eventually([&] { return image() == "localhost/lab:2"; })) << lab_.records();
  EXPECT_TRUE(started("web", 2));
  EXPECT_TRUE(told("to 2 done")) << lab_.records();
  EXPECT_EQ(containers_->ask("GET", "/containers/web-homeostat-old/json").status, 404);
  EXPECT_NE(containers_->ask("GET", "/containers/web/json").body.find("VERSION=2"), std::string::npos);

  // There is no such image: what runs is not touched.
  EXPECT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "3"}}).status, 200);
  EXPECT_TRUE(told("no such image")) << lab_.records();
  EXPECT_EQ(image(), "localhost/lab:2");
  EXPECT_EQ(starts("web"), 2U);
  EXPECT_TRUE(healthy("web"));
}

TEST_P(Podman, WhatIsMeantToEndIsDoneOnceItHasEndedWell) {
  silence_possible();
  // It waits for its status to be written into a file.
  begin({{.name = "batch",
          .command =
              "until [ -s /effects/end ]; do sleep 0.1; done; end=$(cat /effects/end); rm /effects/end; exit $end"}},
        {service("batch", "", ", completion: { ok: [0, 3] }")});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("batch")) << lab_.log() << lab_.records();
  const auto ends_with = [&](const std::string& status) { write_file(lab_.dir() + "/effects/end", status); };
  ends_with("7");
  EXPECT_TRUE(started("batch", 2)) << lab_.records();
  ends_with("3");
  EXPECT_TRUE(told("done: it ended with status 3")) << lab_.records();
  EXPECT_TRUE(healthy("batch")) << lab_.cli({"status"}).out;

  EXPECT_EQ(lab_.post("start", {{"service", "batch"}}).status, 200);
  ASSERT_TRUE(started("batch", 3)) << "it is run again when somebody wants it";
  ASSERT_TRUE(told("restart of batch/0 verified")) << lab_.records();
  lab_.kill9();
  ends_with("0");
  ASSERT_TRUE(eventually([&] { return text_at(containers_->inspect("batch"), "State.Status") == "exited"; }));
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("done: it ended with status 0")) << lab_.records();
  EXPECT_TRUE(healthy("batch"));
  EXPECT_EQ(starts("batch"), 3U) << lab_.records();

  // Killed before it could say that it has started it.
  silencer_->silence_after([](const std::string& line) { return line.find("/start ") != std::string::npos; });
  EXPECT_EQ(lab_.post("start", {{"service", "batch"}}).status, 200);
  ASSERT_TRUE(started("batch", 4) && eventually([&] { return silencer_->silent(); })) << lab_.records();
  lab_.kill9();
  ends_with("3");
  ASSERT_TRUE(eventually([&] { return text_at(containers_->inspect("batch"), "State.Status") == "exited"; }));
  silencer_->speak();
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("found done after a restart of Homeostat")) << lab_.records();
  EXPECT_TRUE(healthy("batch"));
  EXPECT_EQ(starts("batch"), 4U) << "a job that is done is not repeated: " << lab_.records();
}

/// Orders given by hand, to a container that runs already.
TEST_P(Podman, AnOrderForAnotherRunIsRefused) {
  begin({{"web"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web")) << lab_.records();
  Orders orders(
      [&](os::Loop& loop, runtime::Keeper::OnSight saw) {
        return std::make_unique<runtime::ContainerKeeper>(loop, runtime::KeptSpec::By::podman,
                                                          "unix:" + containers_->socket(), std::move(saw));
      },
      "web");
  ASSERT_TRUE(orders.runs()) << orders.sight().detail;
  const Incarnation run = orders.sight().run;
  Incarnation stale = run;
  ++stale.started;
  for (const engine::Op op : {engine::Op::stop, engine::Op::restart}) {
    EXPECT_EQ(orders.give(op, stale).kind, engine::OutcomeKind::not_started);
  }
  EXPECT_EQ(orders.give(engine::Op::start, {}).detail, "it runs already");
  EXPECT_EQ(starts("web"), 1U);
  const runtime::Outcome done = orders.give(engine::Op::restart, run);
  EXPECT_EQ(done.kind, engine::OutcomeKind::succeeded) << done.detail;
  EXPECT_NE(done.now_running, run);
  EXPECT_EQ(orders.give(engine::Op::restart, run).kind, engine::OutcomeKind::not_started);
  EXPECT_EQ(starts("web"), 2U);
}

/// web asks api, api asks db: each says 503 while it gets no answer.
class Tiers : public Contained {
 protected:
  Made tier(const std::string& name, int port, int needs) const {
    const std::string page =
        needs < 0
            ? "echo; echo ok"
            : fmt::format(
                  "if (echo GET /cgi-bin/health HTTP/1.0; echo) | nc 127.0.0.1 {} | grep -q ok; then echo; echo ok; "
                  "else echo Status: 503 down; echo; fi",
                  lab_.port(needs));
    Made made{.name = name};
    made.command = fmt::format(
        "mkdir -p /www/cgi-bin && cd /www/cgi-bin && (echo '#!/bin/sh'; echo '{}') > health && "
        "chmod +x health && exec httpd -f -p 127.0.0.1:{} -h /www",
        page, lab_.port(port));
    return made;
  }
  std::string looked_at(const std::string& name, int port, const std::string& needs) const {
    return fmt::format(
        "  {}: {{ {}, depends_on: [{}], checks: {{ alive: {{ http: {{ url: 'http://127.0.0.1:{}/cgi-bin/health' }}, "
        "interval: 300ms, fast_interval: 100ms, timeout: 2s, startup_grace: 1s }} }}, "
        "backoff: {{ initial: 50ms, max: 200ms }} }}\n",
        name, run(name), needs, lab_.port(port));
  }
};

TEST_P(Tiers, OnlyTheDatabaseThatDiedIsRestarted) {
  begin({tier("db", 0, -1), tier("api", 1, 0), tier("web", 2, 1)},
        {looked_at("db", 0, ""), looked_at("api", 1, "db"), looked_at("web", 2, "api")});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("db") && healthy("api") && healthy("web")) << lab_.log() << lab_.records();
  ASSERT_NE(main("db"), 0);
  send_signal([&] { return main("db"); }, SIGKILL);
  ASSERT_TRUE(started("db", 2)) << lab_.records();
  EXPECT_TRUE(told("closed")) << lab_.records();
  EXPECT_TRUE(healthy("db") && healthy("api") && healthy("web")) << lab_.records();
  EXPECT_EQ(starts("api") + starts("web"), 2U) << lab_.records();
  const json::value incidents = at(lab_.cli({"history", "--json"}).json(), "incidents");
  ASSERT_TRUE(incidents.is_array()) << lab_.cli({"history", "--json"}).out;
  EXPECT_EQ(incidents.as_array().size(), 1U) << lab_.cli({"history"}).out;
  EXPECT_EQ(text_at(incidents, "0.service"), "db");
}

INSTANTIATE_TEST_SUITE_P(By, Tiers, ::testing::Values("podman"),
                         [](const auto& info) { return std::string(info.param); });
INSTANTIATE_TEST_SUITE_P(By, Podman, ::testing::Values("podman"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace homeostat::lab
