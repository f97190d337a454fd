#include "runtime/peer_breaker.hpp"

#include <gtest/gtest.h>

namespace homeostat::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};

TEST(PeerBreaker, AsksWhoDoesNotAnswerLessAndLessOftenAndAtOnceAgainWhenItDoes) {
  PeerBreaker breaker;
  Instant now = kStart;
  int asked = 0;
  for (const Instant end = now + 10min; now < end; now = breaker.next(now, 500ms)) {
    if (!breaker.admits(now)) continue;
    ++asked;
    breaker.ended(false, now);
  }
  EXPECT_LE(asked, 30) << "every half a second would be 1,200 times";
  EXPECT_GE(asked, 20) << "it is never given up";
  EXPECT_NE(breaker.words(), "");
  EXPECT_LE(breaker.next(now, 500ms), now + 30s);
  now = breaker.next(now, 500ms) + 1ms;
  ASSERT_TRUE(breaker.admits(now));
  breaker.ended(true, now);
  EXPECT_EQ(breaker.words(), "");
  EXPECT_EQ(breaker.next(now, 500ms), now + 500ms);
}

TEST(PeerBreaker, ALostConnectionCountsThoughNobodyAsked) {
  PeerBreaker breaker;
  for (int i = 0; i < 3; ++i) breaker.ended(false, kStart);
  EXPECT_FALSE(breaker.admits(kStart)) << "three in a row";
  EXPECT_TRUE(breaker.admits(kStart + 2s)) << "then one is tried";
}

}  // namespace
}  // namespace homeostat::runtime
