#include "homeostat/schedule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, TheNextPointIsStrictlyLaterAndOnTheGrid) {
  const Instant anchor(100s);
  EXPECT_EQ(next_on_grid(anchor, 5s, Instant(0s)), anchor);
  EXPECT_EQ(next_on_grid(anchor, 5s, anchor - 1ns), anchor);
  EXPECT_EQ(next_on_grid(anchor, 5s, anchor), Instant(105s));
  EXPECT_EQ(next_on_grid(anchor, 5s, Instant(104s)), Instant(105s));
  EXPECT_EQ(next_on_grid(anchor, 5s, Instant(105s)), Instant(110s));
  EXPECT_EQ(next_on_grid(anchor, 5s, kLongAgo), anchor);
}

TEST(ScheduleProperties, TheGridNeverDriftsAndNeverCatchesUp) {
  EXPECT_TRUE(rc::check([] {
    const Duration step(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000));
    const Instant anchor(Duration(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000)));
    Instant now = anchor;
    Instant scheduled = anchor;
    for (int i = 0; i < 50; ++i) {
      now = std::max(now, scheduled) + Duration(*rc::gen::inRange<std::int64_t>(0, 5'000'000'000));  // runs late
      const Instant next = next_on_grid(anchor, step, now);
      RC_ASSERT(next > now);
      RC_ASSERT(next - now <= step);                    // the very next point: nothing is lost
      RC_ASSERT((next - anchor) % step == Duration{});  // no drift, however late the runs were
      scheduled = next;                                 // one run for all the points that were missed
    }
  }));
}

TEST(ScheduleProperties, PhasesAreWithinTheIntervalAndOnTheSlackGrid) {
  EXPECT_TRUE(rc::check([](std::uint64_t identity, std::uint64_t seed) {
    const Duration interval(*rc::gen::inRange<std::int64_t>(0, 100'000'000'000));
    const Duration phase = phase_of(identity, seed, interval);
    RC_ASSERT(phase >= Duration{});
    RC_ASSERT(phase < interval || interval < kSlack);
    RC_ASSERT(phase % kSlack == Duration{});
    RC_ASSERT(phase == phase_of(identity, seed, interval));
  }));
}

TEST(Schedule, PhasesOfNeighbouringNamesSpreadEvenly) {
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    const Duration phase = phase_of(hash_name("check-" + std::to_string(i)), 1, 10s);
    ++tenths.at(static_cast<std::size_t>(phase / 1s));
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);
}

TEST(Schedule, NamesHashAsFnv1a) {
  EXPECT_EQ(hash_name(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(hash_name("foobar"), 0x85944171f73967e8ULL);
  EXPECT_EQ(hash_name("bar", hash_name("foo")), hash_name("foobar"));
}

TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.below(0), 0U);
}

TEST(Time, LaterStopsAtNever) {
  EXPECT_EQ(later(Instant(1s), 2s), Instant(3s));
  EXPECT_EQ(later(kNever, 1s), kNever);
  EXPECT_EQ(later(kNever - 1s, 2s), kNever);
  EXPECT_EQ(later(Instant(1s), Duration::max()), kNever);
}

}  // namespace
}  // namespace homeostat
