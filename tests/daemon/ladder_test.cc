// Ladders by hand, and services that are meant to end, with real processes.
#include <fmt/format.h>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

std::size_t starts_of(const Lab& lab, const std::string& place) {
  const auto starts = lab.starts();
  return static_cast<std::size_t>(
      std::count_if(starts.begin(), starts.end(), [&](const Lab::Start& one) { return one.place == place; }));
}

TEST(DaemonRemediate, WalksTheLadderByHandThroughTheGates) {
  Lab lab;
  lab.configure({lab.service("web")});
  ASSERT_TRUE(lab.start());
  const auto told = [&](const std::string& words) {
    return eventually([&] { return lab.records().find(words) != std::string::npos; });
  };
  ASSERT_TRUE(told("start of web/0 verified"));
  const Finished dry = lab.cli({"remediate", "web/0", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.out.find("will restart web/0 (rung 1 restart, attempt 1)"), std::string::npos) << dry.out;
  EXPECT_EQ(starts_of(lab, "web/0"), 1U);
  const Finished unknown = lab.cli({"remediate", "web", "--issue", "slwo"});
  EXPECT_EQ(unknown.code, 4);
  EXPECT_NE(unknown.err.find("has no issue `slwo`"), std::string::npos) << unknown.err;
  EXPECT_EQ(lab.cli({"pause", "web", "--for", "10m"}).code, 0);
  const Finished asked = lab.cli({"remediate", "web"});
  EXPECT_EQ(asked.code, 0) << asked.err;
  EXPECT_NE(asked.out.find("`homeostat history web --all` tells"), std::string::npos) << asked.out;
  ASSERT_TRUE(told("web/0 waits, gate paused")) << lab.records();
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_EQ(starts_of(lab, "web/0"), 1U);
  EXPECT_EQ(lab.cli({"resume", "web"}).code, 0);
  EXPECT_TRUE(eventually([&] { return starts_of(lab, "web/0") == 2; }));
  EXPECT_TRUE(told("restart of web/0 verified")) << lab.records();
  const Finished told_of = lab.cli({"history", "web", "--all"});
  EXPECT_NE(told_of.out.find("repair of web/0 asked for (by "), std::string::npos) << told_of.out;
}

TEST(DaemonCompletion, WhatHasEndedWellIsDone) {
  Lab lab;
  const std::string note = lab.dir() + "/batch";
  const auto batch = [&](int code) {
    return fmt::format(
        "  batch:\n    run: {{ process: {{ command: [/bin/sh, -c, \"echo run >> {}; exit {}\"] }} }}\n"
        "    completion: {{ ok: [3] }}\n    remediation: [{{ escalate: {{}} }}]\n",
        note, code);
  };
  lab.configure({batch(3)});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return text_at(lab.service_status("batch"), "instances.0.state") == "completed"; }));
  EXPECT_TRUE(eventually([&] { return lab.health("batch") == "healthy"; }));
  // What is seen is not on the disk yet: killed before, nobody would know how it ended.
  ASSERT_TRUE(eventually([&] { return lab.records().find("batch/0 is completed") != std::string::npos; }))
      << lab.records();
  lab.kill9();
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.health("batch") == "healthy"; }));
  EXPECT_EQ(read_file(note), "run\n");
  EXPECT_EQ(lab.cli({"start", "batch", "--no-wait"}).code, 0);
  EXPECT_TRUE(eventually([&] { return read_file(note) == "run\nrun\n"; }));
  EXPECT_TRUE(lab.journal_is_good());
}

TEST(DaemonLadder, ARungForWhatWasKilledForItsMemoryIsForNothingElse) {
  const os::testing::LittleMemory little;
  if (!little.possible()) GTEST_SKIP() << "needs a writable cgroup that limits memory";
  Lab lab;
  const std::string greedy = lab.dir() + "/greedy";
  lab.configure({fmt::format(
      "  cache:\n    run: {{ process: {{ command: [/bin/sh, -c, \"if [ -e {0} ]; then rm {0}; sleep 1; {1}; fi; exec "
      "sleep "
      "1000\"] }} }}\n    reopen_within: 100ms\n    rearm_after: 100ms\n    remediation: [{{ exec: {{ command: "
      "[/bin/sh, -c, \"echo cut >> {0}.cut\"], when: signal oom, verify_within: 1s }} }}, {{ restart: {{ attempts: "
      "100, "
      "verify_within: 2s }} }}]\n",
      greedy, little.hog())});
  ASSERT_TRUE(lab.start());
  const auto told = [&](const std::string& words) {
    return eventually([&] { return lab.records().find(words) != std::string::npos; });
  };
  ASSERT_TRUE(told("start of cache/0 verified"));
  const auto pid = [&] {
    return static_cast<pid_t>(std::stoi(text_at(lab.service_status("cache"), "instances.0.pid")));
  };
  write_file(greedy, "");  // the next run takes more than there is
  send_signal([&] { return pid(); }, SIGKILL);
  ASSERT_TRUE(told("not killed for its memory")) << lab.records();
  ASSERT_TRUE(told("it needed more memory than it may have")) << lab.records();
  EXPECT_TRUE(eventually([&] { return read_file(greedy + ".cut") == "cut\n"; })) << lab.records();
  EXPECT_TRUE(eventually([&] { return lab.health("cache") == "healthy"; })) << lab.records();
}

}  // namespace
}  // namespace homeostat::lab
