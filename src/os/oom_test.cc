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

struct Counted {
  TempDir dir;
  std::string file = dir / "vmstat";
  void set(int kills) const {
    write_file(file, "pgfault 12\noom_kill " + std::to_string(kills) + "\ndrop_pagecache 3\n");
  }
};

TEST(OomWatch, AKillIsLateForTwoLooks) {
  const Counted machine;
  machine.set(7);
  OomWatch watch(machine.file);
  EXPECT_FALSE(watch.lately()) << "it was before we looked";
  machine.set(8);
  EXPECT_TRUE(watch.lately());
  watch.advance(kBegin);
  EXPECT_TRUE(watch.lately()) << "it may have been just before this look";
  watch.advance(kBegin + 4900ms);
  EXPECT_TRUE(watch.lately()) << "so soon it does not look again";
  watch.advance(kBegin + 5s);
  EXPECT_FALSE(watch.lately());
}

TEST(OomWatch, WhereNobodyCountsNothingIsSaid) {
  OomWatch watch("/nowhere");
  watch.advance(kBegin);
  EXPECT_FALSE(watch.lately());
  const Counted machine;
  write_file(machine.file, "pgfault 12\noom_kill much\n");
  EXPECT_FALSE(OomWatch(machine.file).lately());
}

TEST(OomWatch, SeesTheKernelKillAndNotAKillByHand) {
  const testing::LittleMemory little;
  if (!little.possible()) GTEST_SKIP() << "needs a writable cgroup that limits memory";
  const OomWatch watch;
  const auto ended_by = [](const std::string& command) {
    ChildSpec spec;
    spec.argv = {"/bin/sh", "-c", command};
    auto child = spawn(spec);
    if (!child || !testing::wait_readable(child->pidfd.get())) return ExitStatus{};
    return reap(*child);
  };
  const ExitStatus by_hand = ended_by("kill -9 $$");
  EXPECT_TRUE(by_hand.signalled && by_hand.code == SIGKILL);
  EXPECT_FALSE(watch.lately());
  const ExitStatus for_memory = ended_by(little.hog());
  EXPECT_TRUE(for_memory.signalled && for_memory.code == SIGKILL) << for_memory.code;
  EXPECT_TRUE(watch.lately());
}

}  // namespace
}  // namespace homeostat::os
