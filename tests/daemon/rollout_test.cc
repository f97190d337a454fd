// A new version in stages, on real processes: a good one is promoted, a bad one taken back, also over kill -9.
#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr const char* kStages =
    "rollout: { surge: 1, stages: [{ traffic: 5%, bake: 1s }, { traffic: 50%, bake: 1s }], watch_after: 1s }";

struct Staged {
  Lab lab;
  explicit Staged(const std::string& rollout = kStages) {
    lab.make_release("web", "v1");
    lab.make_release("web", "v2");
    lab.make_release("web", "v3-broken", true);
    lab.configure({lab.service("web", {.instances = 2,
                                       .more_ports = 1,
                                       .run = fmt::format("releases: {}, release: v1", lab.releases("web")),
                                       .more = rollout})});
  }
  bool begins() {
    return lab.start() && eventually([&] { return serving("v1") == 2 && lab.health("web") == "healthy"; });
  }
  /// So many of the three ports answer as this version, whatever they answer.
  int serving(const std::string& version) const {
    int count = 0;
    for (int index = 0; index < 3; ++index) {
      const auto answer = ask_port(lab.port(index), "GET", "/", milliseconds(500));
      boost::system::error_code error;
      count += answer && text_at(json::parse(answer->body, error), "version") == version ? 1 : 0;
    }
    return count;
  }
  std::string phase() const { return text_at(lab.service_status("web"), "rollout.phase"); }
  bool reaches(const std::string& phase) const {
    return within(seconds(30), [&] { return this->phase() == phase; });
  }
};

TEST(DaemonRollout, AGoodReleaseIsPromotedInStagesAndNeverTooFewServe) {
  Staged run;
  ASSERT_TRUE(run.begins());
  ASSERT_EQ(run.lab.cli({"rollout", "start", "web", "v2"}).code, 0);
  bool beside = false;
  int least = 9;
  ASSERT_TRUE(within(seconds(30), [&] {
    const int old = run.serving("v1");
    const int fresh = run.serving("v2");
    beside = beside || (old == 2 && fresh == 1);
    least = std::min(least, old + fresh);
    return run.phase() == "promoted";
  })) << run.lab.records();
  EXPECT_TRUE(beside);
  EXPECT_GE(least, 1) << "seen port by port: one may move between two looks";
  EXPECT_EQ(run.serving("v2"), 2);
  EXPECT_EQ(run.serving("v1"), 0);
  const Finished status = run.lab.cli({"rollout", "status", "web"});
  EXPECT_NE(status.out.find("v2 has been promoted"), std::string::npos) << status.out << status.err;
  const Finished past = run.lab.cli({"rollout", "history", "web"});
  EXPECT_NE(past.out.find("bakes at 5 % of the traffic (stage 1 of 2)"), std::string::npos) << past.out;
  EXPECT_TRUE(run.lab.journal_is_good());
}

TEST(DaemonRollout, ABadReleaseIsTakenBackAndTheCommandSaysSo) {
  Staged run;
  ASSERT_TRUE(run.begins());
  const Finished deploy = run.lab.cli({"deploy", "web", "v3-broken"});
  EXPECT_EQ(deploy.code, 1) << deploy.out << deploy.err;
  EXPECT_NE(deploy.out.find("v3-broken has been rolled back"), std::string::npos) << deploy.out;
  EXPECT_TRUE(eventually([&] { return run.serving("v1") == 2; })) << run.lab.records();
  EXPECT_EQ(run.lab.health("web"), "healthy");
  EXPECT_EQ(run.lab.post("deploy", {{"service", "web"}, {"version", "v3-broken"}}).status, 409) << "quarantined";
}

TEST(DaemonRollout, KilledWhileItBakesItGoesOnAndWaitsForItsApproval) {
  Staged run("rollout: { stages: [{ traffic: 5%, bake: 1s, approval: true }] }");
  ASSERT_TRUE(run.begins());
  ASSERT_EQ(run.lab.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(run.reaches("baking")) << run.lab.records();
  run.lab.kill9();
  ASSERT_TRUE(run.lab.start());
  ASSERT_TRUE(eventually([&] { return run.serving("v2") == 1 && run.lab.health("web") == "healthy"; }));
  ASSERT_TRUE(run.reaches("baking")) << "the record that it bakes may have died with the daemon\n" << run.lab.records();
  const Finished refused = run.lab.cli({"rollout", "promote", "web"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_NE(refused.err.find("approval"), std::string::npos) << refused.err;
  ASSERT_EQ(run.lab.cli({"rollout", "approve", "web"}).code, 0);
  ASSERT_TRUE(run.reaches("promoted")) << run.lab.records();
  EXPECT_EQ(run.serving("v2"), 2);
}

TEST(DaemonRollout, SamplesThatAreToldDecide) {
  Staged run("rollout: { stages: [{ traffic: 5%, bake: 1s }], judge: { failed: { kind: errors } } }");
  ASSERT_TRUE(run.begins());
  ASSERT_EQ(run.lab.cli({"rollout", "start", "web", "v2"}).code, 0);
  ASSERT_TRUE(run.reaches("baking")) << run.lab.records();
  EXPECT_EQ(run.lab.cli({"rollout", "sample", "web", "v7", "--metric", "failed", "1", "--traffic", "9"}).code, 4);
  ASSERT_TRUE(within(seconds(20), [&] {
    run.lab.cli({"rollout", "sample", "web", "v1", "--metric", "failed", "1", "--traffic", "1000"});
    const Finished told =
        run.lab.cli({"rollout", "sample", "web", "v2", "--metric", "failed", "200", "--traffic", "1000"});
    EXPECT_EQ(told.code, 0) << told.err;
    return run.phase() == "rolled_back";
  })) << run.lab.records();
  const std::string said = run.lab.cli({"rollout", "status", "web"}).out;
  EXPECT_NE(said.find("rolled back: judge: failed"), std::string::npos) << said;
  EXPECT_EQ(run.serving("v1"), 2);
}

}  // namespace
}  // namespace homeostat::lab
