// Units of a real systemd that need each other: what happens to one when the other is exchanged, dies or is stopped.
#include <fmt/format.h>

#include <filesystem>

#include "kept.hpp"
#include "orders.hpp"
#include "runtime/release_link.hpp"
#include "runtime/systemd_keeper.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

class KeptBound : public KeptTest {
 protected:
  KeptBound() : KeptTest(HOMEOSTAT_IN_SYSTEMD) {}

  bool runs_as_often(const std::string& name, std::uint64_t times) const {
    return eventually([&] { return starts(name) == times && main(name) != 0; });
  }
  bool others_did_it() const { return lab_.records().find("by others") != std::string::npos; }
  /// `web` with releases and those that stand beside it.
  void go_over_to_releases(const std::vector<Unit>& beside) {
    for (const char* version : {"v0", "v1", "v2"}) fs::create_directories(releases() + "/" + version);
    std::vector<std::string> services{service({"web"}, fmt::format(", releases: {}, release: v1", releases()))};
    for (const Unit& unit : beside) services.push_back(service(unit));
    lab_.configure(services);
    ASSERT_EQ(lab_.cli({"reload"}).code, 0);
    ASSERT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", "v1"}}).status, 200);
    ASSERT_TRUE(told("version v1 of web proved stable")) << lab_.records();
  }
  std::string releases() const { return lab_.dir() + "/releases"; }
  std::string linked() const {
    std::error_code error;
    return fs::read_symlink(releases() + "/current", error).filename();
  }
};

TEST_F(KeptBound, ADeployTakesNobodyAlongForGood) {
  const std::vector<Unit> beside{{.name = "needs", .unit = "Requires=web.service\nAfter=web.service"},
                                 {.name = "part", .unit = "PartOf=web.service"},
                                 {.name = "bound", .unit = "BindsTo=web.service\nAfter=web.service"}};
  std::vector<Unit> all = beside;
  all.insert(all.begin(), {"web"});
  begin(all);
  if (IsSkipped()) return;
  go_over_to_releases(beside);
  std::uint64_t times = 2;
  for (const char* version : {"v2", "v1"}) {
    ASSERT_EQ(lab_.post("deploy", {{"service", "web"}, {"version", version}}).status, 200);
    ++times;
    for (const char* name : {"web", "needs", "part", "bound"}) {
      EXPECT_TRUE(runs_as_often(name, times)) << name << starts(name) << lab_.records();
      EXPECT_TRUE(healthy(name)) << name << lab_.records();
    }
    EXPECT_EQ(linked(), version);
    EXPECT_TRUE(eventually([&] { return at(lab_.service_status("web"), "operation").is_null(); })) << lab_.records();
  }
  EXPECT_FALSE(others_did_it()) << lab_.records();
  EXPECT_TRUE(repaired("needs")) << "it is looked after as before";
}

// The link is set before it is restarted.
TEST_F(KeptBound, WhatRunsKeepsItsVersionUntilItIsRestarted) {
  fs::create_directories(lab_.dir() + "/units");
  const std::string there = "/etc/systemd/system";
  write_file(lab_.dir() + "/units/takes.service", fmt::format("[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                                                              "ExecStart=/bin/mv {0}/web.service {0}/gone.service\n",
                                                              there));
  begin({{"web"}});
  if (IsSkipped()) return;
  go_over_to_releases({});
  const auto keeper = [&](os::Loop& loop, runtime::Keeper::OnSight saw) {
    return std::make_unique<runtime::SystemdKeeper>(loop, systemd_->address(), std::move(saw));
  };
  lab_.kill9();
  {
    Orders orders(keeper, "web.service", releases());
    ASSERT_TRUE(orders.runs());
    EXPECT_EQ(orders.sight().version, "v1");
    // As if it had died between the two.
    ASSERT_TRUE(runtime::note_run(releases() + "/current", "v1", orders.sight().run));
    ASSERT_TRUE(runtime::link_version(releases() + "/current", releases(), "v2"));
  }
  Orders orders(keeper, "web.service", releases());
  ASSERT_TRUE(orders.runs());
  EXPECT_EQ(orders.sight().version, "v1");
  const auto done = orders.give(engine::Op::restart, orders.sight().run, "v2");
  EXPECT_EQ(done.kind, engine::OutcomeKind::succeeded) << done.detail;
  EXPECT_EQ(done.version, "v2");

  // A restart that is refused leaves everything as it was.
  systemd_->ask("StartUnit", "takes");
  ASSERT_TRUE(eventually([&] { return systemd_->active("takes") == "s \"active\""; }));
  systemd_->itself("Reload");
  const auto refused = orders.give(engine::Op::restart, done.now_running, "v0");
  EXPECT_EQ(refused.kind, engine::OutcomeKind::not_started) << refused.detail;
  EXPECT_EQ(refused.version, "v2");
  EXPECT_EQ(linked(), "v2");
  ASSERT_TRUE(lab_.start());
  EXPECT_TRUE(told("web/0 is running, version v2: adopted")) << lab_.records();
}

TEST_F(KeptBound, WhatGoesDownWithOneThatHasDiedWasNotStopped) {
  begin({{"web"}, {.name = "bound", .unit = "BindsTo=web.service\nAfter=web.service"}, {"other"}});
  if (IsSkipped()) return;
  for (std::uint64_t times = 2; times <= 4; ++times) {
    EXPECT_TRUE(repaired("web", times == 3 ? SIGTERM : SIGKILL)) << lab_.records();
    EXPECT_TRUE(runs_as_often("bound", times)) << starts("bound") << lab_.records();
    EXPECT_TRUE(healthy("bound") && healthy("web")) << lab_.records();
  }
  EXPECT_FALSE(others_did_it()) << lab_.records();

  // Stopped by a person, it takes the other along, and both stay.
  systemd_->ask("StopUnit", "web");
  for (const char* name : {"web", "bound"}) {
    EXPECT_TRUE(told(fmt::format("{} is to stay stopped (by others, by systemd)", name))) << lab_.records();
  }
  EXPECT_TRUE(repaired("other")) << "what was stopped had all this time to come back";
  EXPECT_EQ(main("web") + main("bound"), 0) << lab_.records();
}

TEST_F(KeptBound, WhatGoesDownWithAUnitOfSomebodyElsesThatHasDiedWasNotStopped) {
  fs::create_directories(lab_.dir() + "/units");
  write_file(lab_.dir() + "/units/theirs.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  begin({{.name = "bound", .unit = "BindsTo=theirs.service\nAfter=theirs.service"}, {"other"}});
  if (IsSkipped()) return;
  systemd_->kill("theirs", SIGKILL);
  EXPECT_TRUE(runs_as_often("bound", 2)) << starts("bound") << lab_.records();
  EXPECT_TRUE(healthy("bound")) << lab_.records();
  EXPECT_FALSE(others_did_it()) << lab_.records();
  systemd_->ask("StopUnit", "theirs");
  EXPECT_TRUE(told("bound is to stay stopped (by others, by systemd)")) << lab_.records();
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("bound"), 2U) << lab_.records();
}

TEST_F(KeptBound, WhatAPersonHasStoppedIsNotStartedForAnother) {
  begin({{"web"},
         {"calm"},
         {.name = "wants", .unit = "Wants=web.service"},
         {.name = "far", .unit = "Wants=wants.service"},
         {.name = "needs", .unit = "Wants=calm.service\nRequires=calm.service"},
         {"other"}});
  if (IsSkipped()) return;
  systemd_->ask("StopUnit", "web");
  ASSERT_TRUE(told("web is to stay stopped (by others, by systemd)")) << lab_.records();
  EXPECT_TRUE(repaired("wants")) << lab_.records();
  EXPECT_TRUE(repaired("far")) << lab_.records();
  EXPECT_TRUE(repaired("other"));
  EXPECT_EQ(starts("web"), 1U) << lab_.records();
  EXPECT_EQ(lab_.records().find("web is to run"), std::string::npos) << lab_.records();

  // By our own hand, and what cannot do without it.
  ASSERT_EQ(lab_.post("stop", {{"service", "calm"}}).status, 200);
  ASSERT_TRUE(told("needs is to stay stopped (by others, by systemd)")) << lab_.records();
  lab_.post("start", {{"service", "needs"}});
  EXPECT_TRUE(told("it needs calm.service, which is to stay stopped")) << lab_.records();
  EXPECT_EQ(starts("calm"), 1U) << lab_.records();
  ASSERT_EQ(lab_.post("start", {{"service", "calm"}}).status, 200);
  EXPECT_TRUE(runs_as_often("calm", 2)) << lab_.records();
  lab_.post("start", {{"service", "needs"}});
  EXPECT_TRUE(runs_as_often("needs", 2) && healthy("needs")) << lab_.records();
}

}  // namespace
}  // namespace homeostat::lab
