// What a rollout waits for and is told from outside: a real command that is asked again after a kill, hours of the day,
// instances to compare with, samples that are pushed.
#include <fmt/format.h>
#include <sys/stat.h>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

class DaemonRolloutGate : public ::testing::Test {
 protected:
  /// The gate's command notes whom it was asked about, and ends with the status that the file `says` holds.
  void SetUp() override {
    write_file(lab_.dir() + "/gate",
               "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n"
               "echo \"$1 $HOMEOSTAT_FROM $HOMEOSTAT_STAGE\" >> asked\nexit \"$(cat says)\"\n");
    ::chmod((lab_.dir() + "/gate").c_str(), 0755);
    says(3);
    lab_.make_release("web", "v1");
    lab_.make_release("web", "v2");
  }
  void says(int status) const { write_file(lab_.dir() + "/says", fmt::format("{}\n", status)); }
  std::string asked() const { return read_file(lab_.dir() + "/asked"); }

  void begin(const std::string& stage, const std::string& more = "", int more_ports = 1) {
    ServiceText text{.more_ports = more_ports};
    text.run = fmt::format("releases: {}, release: v1", lab_.releases("web"));
    text.more = fmt::format("rollout: {{ stages: [{{ traffic: 5%, {} }}]{} }}", stage, more);
    lab_.configure({lab_.service("web", text)});
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return lab_.health("web") == "healthy"; })) << lab_.log();
    ASSERT_EQ(lab_.cli({"rollout", "start", "web", "v2"}).code, 0);
    ASSERT_TRUE(reaches("baking")) << lab_.records();
  }
  std::string command_gate() const {
    return fmt::format("gates: {{ smoke: {{ exec: [{}/gate, '{{version}}'], every: 1s }} }}", lab_.dir());
  }
  std::string said(const char* what) const { return text_at(lab_.service_status("web"), what); }
  bool reaches(const std::string& phase) const {
    return within(seconds(30), [&] { return said("rollout.phase") == phase; });
  }

  Lab lab_;
};

TEST_F(DaemonRolloutGate, ACommandThatIsNotYetSureIsAskedAgainAlsoAfterAKill) {
  begin(command_gate());
  ASSERT_TRUE(eventually([&] { return asked().starts_with("v2 v1 1\nv2 v1 1\n"); })) << lab_.records();
  EXPECT_EQ(said("rollout.gates.1.why"), "exit status 3");
  lab_.kill9();
  write_file(lab_.dir() + "/asked", "");
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(eventually([&] { return !asked().empty(); })) << lab_.records();
  EXPECT_EQ(said("rollout.phase"), "baking");
  says(0);
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_F(DaemonRolloutGate, ACommandThatDisagreesRollsBack) {
  begin(command_gate());
  says(1);
  ASSERT_TRUE(reaches("rolled_back")) << lab_.records();
  EXPECT_EQ(said("rollout.harm"), "smoke: exit status 1");
}

TEST_F(DaemonRolloutGate, HoursThatAreFarAwayAreWaitedFor) {
  begin("gates: { hours: { window: { start: 0 0 29 2 *, end: 1 0 29 2 * } } }", ", deadline: 1s");
  ASSERT_TRUE(eventually([&] { return said("rollout.gates.1.result") == "closed"; })) << lab_.records();
  const std::string shown = lab_.cli({"rollout", "status", "web"}).out;
  EXPECT_NE(shown.find("hours closed (opens at "), std::string::npos) << shown;
  EXPECT_EQ(lab_.cli({"rollout", "promote", "web"}).code, 4);
  ASSERT_EQ(lab_.cli({"rollout", "promote", "web", "--skip-gates"}).code, 0);
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
}

TEST_F(DaemonRolloutGate, ItIsComparedWithAYoungInstanceByWhatIsPushed) {
  begin("bake: 1s", ", baseline: fresh, judge: { failed: { kind: errors } }", 2);
  EXPECT_EQ(lab_.pids("web/0").size() + lab_.pids("web/1").size() + lab_.pids("web/2").size(), 3U);
  EXPECT_EQ(said("rollout.split.baseline"), "1");
  const std::string before = lab_.cli({"rollout", "status", "web"}).out;
  EXPECT_NE(before.find("beside 1 to compare with"), std::string::npos) << before;
  const auto tell = [&](const char* version, int sequence) {
    const Answer answer = lab_.post("samples", {{"service", "web"},
                                                {"version", version},
                                                {"metric", "failed"},
                                                {"values", json::array{1}},
                                                {"traffic", json::array{1000}},
                                                {"source", version},
                                                {"sequence", sequence}});
    EXPECT_EQ(answer.status, 200) << answer.body;
  };
  for (int again = 0; again < 3; ++again) tell("v2", 1);
  EXPECT_TRUE(eventually([&] { return said("rollout.judge.metrics.0.samples.0") == "1000"; }))
      << "told three times, it counts once: " << said("rollout.judge.metrics.0.samples.0");
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  tell("v2", 1);
  EXPECT_EQ(said("rollout.judge.metrics.0.samples.0"), "1000") << "a reload forgets nothing of it";
  int sequence = 1;
  ASSERT_TRUE(within(seconds(30), [&] {
    tell("v1", ++sequence);
    tell("v2", sequence);
    return said("rollout.phase") != "baking";
  })) << lab_.records();
  ASSERT_TRUE(reaches("promoted")) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.pids("web/1").size() + lab_.pids("web/2").size() <= 1; }));
}

}  // namespace
}  // namespace homeostat::lab
