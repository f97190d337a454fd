#include "homeostat/remediation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

constexpr BackoffPolicy kBackoff{.initial = 1s, .max = 5min, .jitter_percent = 0};
constexpr std::array<RungPolicy, 3> kRungs{{{2}, {1}, {1}}};

TEST(Backoff, TheFirstIsAtOnceThenItDoublesToTheMaximum) {
  Random random(1);
  const std::array<Duration, 12> waits{0s, 1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s};
  for (std::uint32_t i = 0; i < waits.size(); ++i) EXPECT_EQ(backoff(kBackoff, i, random), waits.at(i)) << i;
  EXPECT_EQ(backoff(kBackoff, 4'000'000'000U, random), 300s);
}

TEST(Backoff, DrawsOnlyWhenItWaits) {
  Random random(1);
  (void)backoff({}, 0, random);
  EXPECT_EQ(random.state(), Random(1).state());
  (void)backoff({}, 1, random);
  Random once(1);
  once.next();
  EXPECT_EQ(random.state(), once.state());
}

TEST(BackoffProperties, StaysWithinItsJitter) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    Random random(seed);
    BackoffPolicy policy;
    policy.initial = Duration(*rc::gen::inRange<std::int64_t>(0, 10'000'000'000));
    policy.max = Duration(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000));
    policy.jitter_percent = *rc::gen::inRange(0U, 300U);
    const auto tries = *rc::gen::inRange(1U, 40U);
    // The obvious way: a double holds 2^39 x 10^10 well enough to compare.
    double plain = static_cast<double>(policy.initial.count());
    for (std::uint32_t i = 1; i < tries; ++i) plain *= 2;
    plain = std::min(plain, static_cast<double>(policy.max.count()));
    const double jitter = std::min(policy.jitter_percent, 100U) / 100.0;
    const auto wait = static_cast<double>(backoff(policy, tries, random).count());
    RC_ASSERT(wait >= plain * (1 - jitter) - 1);
    RC_ASSERT(wait <= plain * (1 + jitter) + 1);
    RC_ASSERT(wait >= 0);
  }));
}

TEST(Backoff, TheJitterReachesBothSides) {
  Random random(3);
  Duration least = 1h;
  Duration most{};
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = backoff({.initial = 100s, .max = 100s, .jitter_percent = 20}, 1, random);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(least, 81s);
  EXPECT_GT(most, 119s);
}

struct Climb {
  void fail(Instant at) {
    ladder::begin_try(state);
    ladder::try_failed(state, kRungs, kBackoff, at, random);
  }
  void fail_again(Instant at) { ladder::failed_again(state, kRungs, kBackoff, 30min, at, random); }
  LadderState state;
  Random random{1};
};

TEST(Ladder, UsesEachAttemptThenTheNextRungUntilItIsSpent) {
  Climb climb;
  climb.fail_again(Instant(0s));
  EXPECT_EQ(climb.state.not_before, kLongAgo) << "the first try is at once";
  const std::array<std::uint32_t, 4> rungs{0, 1, 2, 3};
  EXPECT_EQ(climb.state.rung, 0U);
  climb.fail(Instant(1s));
  EXPECT_EQ(climb.state.rung, 0U) << "two attempts";
  EXPECT_EQ(climb.state.not_before, Instant(2s));
  climb.fail(Instant(2s));
  EXPECT_EQ(climb.state.rung, 1U);
  EXPECT_EQ(climb.state.not_before, Instant(4s));
  climb.fail(Instant(4s));
  EXPECT_FALSE(ladder::spent(climb.state, kRungs));
  climb.fail(Instant(8s));
  EXPECT_TRUE(ladder::spent(climb.state, kRungs));
  EXPECT_EQ(climb.state.rung, rungs.back());
}

TEST(Ladder, ASkippedRungCostsNoTryAndNoWait) {
  Climb climb;
  climb.fail(Instant(1s));
  ladder::skip(climb.state);
  EXPECT_EQ(climb.state.rung, 1U);
  EXPECT_EQ(climb.state.attempts, 0U);
  EXPECT_EQ(climb.state.tries, 1U);
  EXPECT_EQ(climb.state.not_before, Instant(2s));
}

TEST(Ladder, ASpentLadderBeginsAgainAfterTheLongestBackoff) {
  Climb climb;
  for (int i = 0; i < 4; ++i) climb.fail(Instant(1s));
  ladder::rearm(climb.state, kBackoff, Instant(100s), climb.random);
  EXPECT_EQ(climb.state.rung, 0U);
  EXPECT_EQ(climb.state.rounds, 1U);
  EXPECT_EQ(climb.state.not_before, Instant(400s));
  climb.fail(Instant(400s));
  EXPECT_EQ(climb.state.not_before, Instant(416s)) << "the back-off is not forgotten";
}

TEST(Ladder, ARecurrenceStaysOnItsRungOnlyLongHealthResets) {
  Climb climb;
  ladder::begin_try(climb.state);
  ladder::recovered(climb.state, Instant(10s));
  climb.fail_again(Instant(100s));
  EXPECT_EQ(climb.state.rung, 0U);
  EXPECT_EQ(climb.state.attempts, 1U);
  EXPECT_EQ(climb.state.not_before, Instant(101s));
  EXPECT_EQ(climb.state.healthy_since, kNever);

  ladder::begin_try(climb.state);
  ladder::recovered(climb.state, Instant(200s));
  climb.fail_again(Instant(200s) + 30min - 1ns);
  EXPECT_EQ(climb.state.rung, 1U) << "both attempts of the first rung are used";
  EXPECT_EQ(climb.state.tries, 2U);

  ladder::begin_try(climb.state);
  ladder::recovered(climb.state, Instant(1h));
  climb.fail_again(Instant(1h) + 30min);
  EXPECT_EQ(climb.state.rung, 0U);
  EXPECT_EQ(climb.state.tries, 0U);
  EXPECT_EQ(climb.state.not_before, kLongAgo);
}

TEST(Ladder, HealthBeforeATryThatFailedDoesNotCount) {
  Climb climb;
  ladder::begin_try(climb.state);
  ladder::recovered(climb.state, Instant(10s));
  climb.fail(Instant(10s) + 40min);  // a restart of all, say: nothing had failed, but it did not prove well
  climb.fail_again(Instant(10s) + 41min);
  EXPECT_EQ(climb.state.tries, 2U) << "it was well for a minute";
  ladder::recovered(climb.state, Instant(2h));
  climb.fail_again(Instant(3h));
  EXPECT_EQ(climb.state.tries, 0U);
}

/// Any sequence of moves against the list of (rung, attempt) pairs written out.
TEST(LadderProperties, WalksThePairsInOrder) {
  EXPECT_TRUE(rc::check([] {
    const auto attempts = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(1U, 4U));
    std::vector<RungPolicy> rungs;
    std::vector<std::size_t> order;
    for (const std::uint32_t count : attempts) {
      order.insert(order.end(), count, rungs.size());
      rungs.push_back({count});
    }
    LadderState state;
    Random random(1);
    Instant now(0s);
    std::size_t place = 0;
    for (int i = 0; i < 40; ++i) {
      RC_ASSERT(ladder::spent(state, rungs) == (place == order.size()));
      if (place == order.size()) {
        ladder::rearm(state, kBackoff, now, random);
        RC_ASSERT(state.not_before == now + 5min);
        place = 0;
      } else if (*rc::gen::inRange(0, 4) == 0) {
        RC_ASSERT(state.rung == order[place]);
        const std::size_t rung = order[place];
        while (place < order.size() && order[place] == rung) ++place;
        ladder::skip(state);
      } else {
        RC_ASSERT(state.rung == order[place++]);
        ladder::begin_try(state);
        if (*rc::gen::arbitrary<bool>()) {
          ladder::recovered(state, now);
          now += 1s;
          ladder::failed_again(state, rungs, kBackoff, 30min, now, random);
        } else {
          ladder::try_failed(state, rungs, kBackoff, now, random);
        }
        RC_ASSERT(state.not_before > now && state.not_before <= now + 5min);
      }
      if (order.empty()) break;
      now = std::max(now, state.not_before);
    }
  }));
}

}  // namespace
}  // namespace homeostat
