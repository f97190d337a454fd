#include "probe/timeouts.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace homeostat::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(Duration since) { return Instant(seconds(1000) + since); }

TEST(Timeouts, ComeInTheirBucketAndOnlyOnce) {
  Timeouts timeouts(at({}));
  EXPECT_FALSE(timeouts.next());
  timeouts.set(7, at(milliseconds(25)));
  EXPECT_EQ(timeouts.next(), at(milliseconds(30)));
  EXPECT_FALSE(timeouts.pop(at(milliseconds(29))));
  EXPECT_EQ(timeouts.pop(at(milliseconds(30))), 7U);
  EXPECT_FALSE(timeouts.pop(at(milliseconds(30))));
  EXPECT_FALSE(timeouts.next());
}

TEST(Timeouts, CanBeMovedAndCleared) {
  Timeouts timeouts(at({}));
  timeouts.set(1, at(milliseconds(10)));
  timeouts.set(2, at(milliseconds(10)));
  timeouts.set(3, at(milliseconds(10)));
  timeouts.set(2, at(milliseconds(50)));
  timeouts.clear(3);
  timeouts.clear(99);
  EXPECT_EQ(timeouts.pop(at(milliseconds(20))), 1U);
  EXPECT_FALSE(timeouts.pop(at(milliseconds(20))));
  EXPECT_EQ(timeouts.next(), at(milliseconds(50)));
  EXPECT_EQ(timeouts.pop(at(milliseconds(50))), 2U);
}

TEST(Timeouts, OnesFarAheadWaitForTheirTurn) {
  Timeouts timeouts(at({}));
  timeouts.set(0, at(seconds(200)));
  for (int s = 0; s < 200; ++s) EXPECT_FALSE(timeouts.pop(at(seconds(s)))) << s;
  EXPECT_EQ(timeouts.pop(at(seconds(200))), 0U);
}

TEST(Timeouts, ALongPauseLosesNone) {
  Timeouts timeouts(at({}));
  for (std::uint32_t id = 0; id < 1000; ++id) timeouts.set(id, at(milliseconds(100) * id));
  std::set<std::uint32_t> seen;
  while (const auto id = timeouts.pop(at(seconds(5000)))) seen.insert(*id);
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Timeouts, AgreeWithASortedMap) {
  Timeouts timeouts(at({}));
  std::map<std::uint32_t, Instant> model;
  std::uint64_t random = 1;
  const auto draw = [&random](std::uint64_t below) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>((random >> 33) % below);
  };
  Instant now = at({});
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t id = draw(200);
    if (draw(4) == 0) {
      timeouts.clear(id);
      model.erase(id);
    } else {
      const Instant due = now + milliseconds(10) * (1 + draw(20'000));
      timeouts.set(id, due);
      model[id] = due;
    }
    now += milliseconds(10) * draw(100);
    while (const auto due = timeouts.pop(now)) {
      ASSERT_TRUE(model.contains(*due));
      ASSERT_LE(model[*due], now);
      model.erase(*due);
    }
    for (const auto& [left, due] : model) ASSERT_GT(due, now) << left;
    const auto next = timeouts.next();
    ASSERT_EQ(next.has_value(), !model.empty());
    for (const auto& [left, due] : model) ASSERT_LE(*next, due) << left;
  }
}

}  // namespace
}  // namespace homeostat::probe
