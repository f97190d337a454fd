// Who was killed for memory, and who was not.
#include "os/oom.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "os/child.hpp"
#include "os/testing.hpp"

namespace homeostat::os {
namespace {

using namespace std::chrono_literals;
using testing::TempDir;
using testing::write_file;

constexpr Instant kBegin{};
constexpr const char* kNoLog = "/nowhere";

struct Counted {
  TempDir dir;
  std::string file = dir / "vmstat";
  void set(int kills) const {
    write_file(file, "pgfault 12\noom_kill " + std::to_string(kills) + "\ndrop_pagecache 3\n");
  }
};

TEST(OomWatch, TheLogNamesTheProcess) {
  EXPECT_EQ(killed_for_memory("3,9,52,-;Memory cgroup out of memory: Killed process 28553 (tail) total-vm:18kB"),
            28553);
  EXPECT_EQ(killed_for_memory("3,9,52,-;Out of memory: Killed process 7 (my Out of memory: Killed process 8)"), 7);
  EXPECT_EQ(killed_for_memory("3,9,52,-;Out of memory: Killed process"), std::nullopt);
  EXPECT_EQ(killed_for_memory("3,9,52,-;Out of memory: Killed process -4 (x)"), std::nullopt);
  EXPECT_EQ(killed_for_memory("Killed process 5 (x)"), std::nullopt);
}

TEST(OomWatch, WithoutALogAKillIsLateForTwoLooks) {
  const Counted machine;
  machine.set(7);
  OomWatch watch(kNoLog, machine.file);
  EXPECT_FALSE(watch.killed(1)) << "it was before we looked";
  machine.set(8);
  EXPECT_TRUE(watch.killed(1));
  watch.advance(kBegin);
  EXPECT_TRUE(watch.killed(1)) << "it may have been just before this look";
  watch.advance(kBegin + 4900ms);
  EXPECT_TRUE(watch.killed(1)) << "so soon it does not look again";
  watch.advance(kBegin + 5s);
  EXPECT_FALSE(watch.killed(1));
}

TEST(OomWatch, WhereNobodyCountsNothingIsSaid) {
  OomWatch watch(kNoLog, "/nowhere");
  watch.advance(kBegin);
  EXPECT_FALSE(watch.killed(1));
  const Counted machine;
  write_file(machine.file, "pgfault 12\noom_kill much\n");
  EXPECT_FALSE(OomWatch(kNoLog, machine.file).killed(1));
}

TEST(OomWatch, SeesTheKernelKillAndNotAKillByHand) {
  const testing::LittleMemory little;
  if (!little.possible()) GTEST_SKIP() << "needs a writable cgroup that limits memory";
  OomWatch watch;
  const auto run = [](const std::string& command) {
    ChildSpec spec;
    spec.argv = {"/bin/sh", "-c", command};
    auto child = spawn(spec);
    if (!child || !testing::wait_readable(child->pidfd.get())) return std::pair(pid_t{0}, ExitStatus{});
    return std::pair(child->pid, reap(*child));
  };
  const auto [first, by_hand] = run("kill -9 $$");
  EXPECT_TRUE(by_hand.signalled && by_hand.code == SIGKILL);
  const auto [second, for_memory] = run(little.hog());
  EXPECT_TRUE(for_memory.signalled && for_memory.code == SIGKILL) << for_memory.code;
  EXPECT_TRUE(watch.killed(second));
  if (::access("/dev/kmsg", R_OK) == 0) EXPECT_FALSE(watch.killed(first));
}

}  // namespace
}  // namespace homeostat::os
