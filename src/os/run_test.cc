#include "os/run.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "os/incarnation.hpp"
#include "os/testing.hpp"

namespace homeostat::os {
namespace {

using std::chrono::seconds;
using testing::eventually;
using testing::read_file;
using testing::TempDir;

constexpr Instant kStart{seconds(1000)};

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() : loop_(*Loop::open()), runner_(loop_) {}

  RunSpec shell(const std::string& script) {
    RunSpec spec;
    spec.child.argv = {"/bin/sh", "-c", script};
    return spec;
  }
  void start(RunSpec spec) {
    auto id = runner_.start(std::move(spec), kStart, [this](RunResult result) { results_.push_back(result); });
    ASSERT_TRUE(id) << id.error().text;
    id_ = *id;
  }
  bool turn_until(std::size_t results) {
    return eventually([&] {
      loop_.run_once(std::chrono::milliseconds(5));
      return results_.size() >= results;
    });
  }
  bool turn_until_empty() {
    return eventually([&] {
      loop_.run_once(std::chrono::milliseconds(5));
      return runner_.size() == 0;
    });
  }

  Loop loop_;
  Runner runner_;
  RunId id_ = 0;
  std::vector<RunResult> results_;
};

TEST_F(RunnerTest, TellsExitAndOutput) {
  start(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(turn_until(1));
  EXPECT_EQ(results_[0].end, RunEnd::exited);
  EXPECT_EQ(results_[0].code, 3);
  EXPECT_EQ(results_[0].output, "out\nerr\n");
  EXPECT_EQ(results_[0].dropped, 0U);
  EXPECT_EQ(runner_.size(), 0U);
  start(shell("kill -SEGV $$"));
  ASSERT_TRUE(turn_until(2));
  EXPECT_EQ(results_[1].end, RunEnd::signalled);
  EXPECT_EQ(results_[1].code, SIGSEGV);
}

TEST_F(RunnerTest, AProgramThatDoesNotExistIsAnErrorAtOnce) {
  RunSpec spec;
  spec.child.argv = {"/no/such/check"};
  auto id = runner_.start(spec, kStart, [](RunResult) { FAIL(); });
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().text, "/no/such/check: no such file");
  EXPECT_EQ(runner_.size(), 0U);
}

TEST_F(RunnerTest, KeepsTheHeadOfAGigabyteAndCountsTheRest) {
  constexpr std::uint64_t kAll = 1ULL << 30;
  RunSpec spec;
  spec.child.argv = {"head", "-c", std::to_string(kAll), "/dev/zero"};
  start(spec);
  const auto end = std::chrono::steady_clock::now() + seconds(60);
  while (results_.empty() && std::chrono::steady_clock::now() < end) loop_.run_once(seconds(1));
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].output.size(), 64U << 10);
  EXPECT_EQ(results_[0].output.size() + results_[0].dropped, kAll);
}

TEST_F(RunnerTest, TheDeadlineKillsAProcessThatIgnoresSigterm) {
  RunSpec spec = shell("trap '' TERM INT HUP; echo before; while true; do sleep 1000; done");
  spec.timeout = seconds(5);
  start(spec);
  EXPECT_EQ(runner_.next_deadline(), kStart + seconds(5));
  runner_.advance(kStart + seconds(4));
  EXPECT_TRUE(results_.empty());
  runner_.advance(kStart + seconds(5));
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].end, RunEnd::timed_out);
  EXPECT_FALSE(runner_.next_deadline());
  EXPECT_TRUE(turn_until_empty()) << "the killed process was not collected";
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(results_.size(), 1U);
}

TEST_F(RunnerTest, WhatACheckForkedEndsWithIt) {
  TempDir dir;
  start(shell("sleep 1000 & echo $! > " + (dir / "pid")));
  ASSERT_TRUE(turn_until(1)) << "the run waited for a process that holds its output";
  const int forked = std::stoi(read_file(dir / "pid"));
  EXPECT_TRUE(eventually([&] { return !incarnation_of(forked); }));
}

TEST_F(RunnerTest, ADaemonMayBeLeftBehindWhenThatIsWanted) {
  TempDir dir;
  RunSpec spec = shell("sleep 1000 >/dev/null 2>&1 & echo $! > " + (dir / "pid"));
  spec.kill_leftovers = false;
  start(spec);
  ASSERT_TRUE(turn_until(1));
  const int forked = std::stoi(read_file(dir / "pid"));
  EXPECT_TRUE(incarnation_of(forked));
  EXPECT_EQ(::kill(forked, SIGKILL), 0);
}

TEST_F(RunnerTest, ACgroupCatchesWhatLeftTheSession) {
  auto cgroups = Cgroups::open("homeostat-test-run." + std::to_string(::getpid()));
  if (!cgroups) GTEST_SKIP() << "needs a writable cgroup v2";
  TempDir dir;
  {
    Runner runner(loop_, cgroups);
    auto id = runner.start(shell("setsid sh -c 'echo $$ > " + (dir / "pid") + "; exec sleep 1000' & sleep 1000"),
                           kStart, [this](RunResult result) { results_.push_back(result); });
    ASSERT_TRUE(id) << id.error().text;
    ASSERT_TRUE(eventually([&] { return read_file(dir / "pid").ends_with('\n'); }));
    runner.advance(kStart + seconds(60));
    ASSERT_TRUE(std::filesystem::exists(cgroups->path("run." + std::to_string(::getpid()) + ".1")));
    const int escaped = std::stoi(read_file(dir / "pid"));
    EXPECT_TRUE(eventually([&] { return !incarnation_of(escaped); }));
    EXPECT_TRUE(eventually([&] {
      loop_.run_once(std::chrono::milliseconds(5));
      runner.advance(kStart + seconds(61));
      return !std::filesystem::exists(cgroups->path("run." + std::to_string(::getpid()) + ".1"));
    }));
  }
  EXPECT_TRUE(remove_cgroup(cgroups->path("")));
}

TEST_F(RunnerTest, ACancelledRunIsSilent) {
  start(shell("sleep 1000"));
  runner_.cancel(id_);
  runner_.cancel(id_ + 1);
  EXPECT_TRUE(turn_until_empty());
  EXPECT_TRUE(results_.empty());
}

TEST_F(RunnerTest, ACompletionMayStartTheNext) {
  RunSpec spec = shell("exit 0");
  bool second = false;
  auto id = runner_.start(
      spec, kStart, [&](RunResult) { ASSERT_TRUE(runner_.start(spec, kStart, [&](RunResult) { second = true; })); });
  ASSERT_TRUE(id);
  EXPECT_TRUE(turn_until_empty());
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace homeostat::os
