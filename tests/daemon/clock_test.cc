// Clocks that jump by ten years. The wall clock cannot have a namespace of its own, so the fault layer moves it; the
// clocks of the boot jump in time namespaces between two lives of the daemon, and by the fault layer within one.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "faults.hpp"
#include "one.hpp"

namespace homeostat::lab {
namespace {

constexpr std::int64_t kTenYears = std::int64_t{10} * 365 * 24 * 3600;

/// Kills the instance and expects that it is repaired, once.
void expect_repair(One& one) {
  const std::size_t starts = one.lab.starts().size();
  const pid_t before = one.lab.pid("web/0");
  ASSERT_NE(before, 0);
  send_signal(before, SIGKILL);
  EXPECT_TRUE(eventually([&] { return one.lab.serves(0) && one.lab.starts().size() == starts + 1; }));
  EXPECT_TRUE(one.healthy());
  EXPECT_EQ(one.lab.starts().size(), starts + 1);
}

class DaemonWallClock : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(DaemonWallClock, ThatJumpsChangesNothing) {
  One one;
  Lab& lab = one.lab;
  const Faults faults(lab);
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  faults.page()->wall_offset = GetParam();
  expect_repair(one);
  EXPECT_EQ(lab.starts().size(), 2U);
  EXPECT_TRUE(at(lab.status(), "engine.tilt_since").is_null());
  // Its next life begins with the other clock, and the one after that with the first again.
  for (const std::int64_t next : {GetParam(), std::int64_t{0}}) {
    faults.page()->wall_offset = next;
    lab.kill9();
    ASSERT_TRUE(lab.start());
    EXPECT_TRUE(one.healthy());
  }
  EXPECT_EQ(lab.starts().size(), 2U) << "a healthy service was touched";
  expect_repair(one);
  EXPECT_TRUE(lab.escalations().empty());
  EXPECT_TRUE(lab.journal_is_good());
  EXPECT_EQ(lab.cli({"history"}).code, 0);
}

INSTANTIATE_TEST_SUITE_P(Each, DaemonWallClock, ::testing::Values(kTenYears, -kTenYears),
                         [](const auto& info) { return info.param > 0 ? "forwards" : "backwards"; });

// As after ten years of suspend: what was seen before says nothing, but nobody is touched for it.
TEST(DaemonBootClock, ThatJumpsUnderItVoidsWhatWasSeen) {
  One one;
  Lab& lab = one.lab;
  const Faults faults(lab);
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  faults.page()->boottime_offset = kTenYears;
  EXPECT_TRUE(eventually([&] { return !at(lab.status(), "engine.tilt_since").is_null(); }));
  EXPECT_TRUE(one.healthy());
  EXPECT_EQ(lab.starts().size(), 1U);
  expect_repair(one);
  EXPECT_TRUE(lab.journal_is_good());
}

bool time_namespaces() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWTIME) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(DaemonBootClock, MayBeAnotherOneInEachOfItsLives) {
  if (!time_namespaces()) GTEST_SKIP() << "needs root to make namespaces";
  One one;
  Lab& lab = one.lab;
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  std::size_t starts = 1;
  for (const std::int64_t ahead : {kTenYears, std::int64_t{0}, kTenYears}) {
    // What lives is known by when it was started, on the clock that jumps; so it has to begin anew as well.
    const pid_t before = lab.pid("web/0");
    lab.kill9();
    send_signal(before, SIGKILL);
    ASSERT_TRUE(eventually([&] { return !alive(before); }));
    lab.boot_ahead = seconds(ahead);
    ASSERT_TRUE(lab.start());
    EXPECT_TRUE(eventually([&] { return lab.serves(0); }));
    EXPECT_TRUE(one.healthy());
    EXPECT_EQ(lab.starts().size(), ++starts);
    expect_repair(one);
    EXPECT_EQ(lab.starts().size(), ++starts);
    EXPECT_TRUE(lab.journal_is_good());
  }
}

}  // namespace
}  // namespace homeostat::lab
