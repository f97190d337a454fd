#include "homeostat/breaker_registry.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace homeostat {
namespace {

using namespace std::chrono_literals;
using Registry = BasicBreakerRegistry<ManualClock>;

BreakerRegistryOptions small(std::size_t most) {
  BreakerRegistryOptions options;
  options.defaults.consecutive_failures = 2;
  options.max_breakers = most;
  return options;
}

void fail(Registry& registry, std::string_view key, int times) {
  for (int i = 0; i < times; ++i) (*registry.get(key))->try_acquire()->failure();
}

TEST(BreakerRegistry, MakesOneBreakerAKey) {
  Registry registry(small(10));
  auto first = registry.get("a");
  auto again = registry.get("a");
  auto other = registry.get("b");
  EXPECT_EQ(&**first, &**again);
  EXPECT_NE(&**first, &**other);
  EXPECT_EQ((*first)->name(), "a");
  fail(registry, "a", 2);
  EXPECT_EQ((*first)->state(), BreakerState::open);
  EXPECT_EQ((*other)->state(), BreakerState::closed);
  const auto statuses = registry.statuses();
  ASSERT_EQ(statuses.size(), 2U);
  EXPECT_EQ(statuses[0].name, "a");
}

TEST(BreakerRegistry, EvictsWhatIsIdleButNothingHeldOrOpen) {
  ManualClock clock;
  Registry registry(small(10), {}, clock);
  registry.get("idle");
  auto held = registry.get("held");
  fail(registry, "open", 2);
  EXPECT_EQ(registry.sweep(), 0U) << "all were asked for";
  EXPECT_EQ(registry.sweep(), 1U);
  EXPECT_EQ(registry.size(), 2U);
  held.reset();
  clock.advance(1h);
  EXPECT_EQ(registry.sweep(), 2U) << "one that only waits for a probe may go";
}

TEST(BreakerRegistry, AFullOneMakesRoomWhereItCan) {
  Registry registry(small(2));
  registry.get("a");
  registry.get("b");
  EXPECT_TRUE(registry.get("c")) << "in the place of an idle one";
  EXPECT_EQ(registry.size(), 2U);
  auto c = registry.get("c");
  auto d = registry.get("d");
  ASSERT_TRUE(c && d);
  EXPECT_FALSE(registry.get("e")) << "both are held";
}

TEST(BreakerRegistry, ManyKeysComeAndGo) {
  Registry registry(small(8));
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key-" + std::to_string(i * 7 % 40);
    auto handle = registry.get(key);
    ASSERT_TRUE(handle);
    ASSERT_EQ((*handle)->name(), key);
  }
  EXPECT_LE(registry.size(), 8U);
}

TEST(BreakerRegistry, IsConfiguredWhileItWorks) {
  Registry registry(small(10));
  auto plain = registry.get("plain");
  BreakerOptions own;
  own.consecutive_failures = 5;
  EXPECT_TRUE(registry.configure("special", own));
  auto special = registry.get("special");
  BreakerOptions defaults;
  defaults.consecutive_failures = 9;
  EXPECT_TRUE(registry.reconfigure(defaults));
  EXPECT_EQ((*plain)->options().consecutive_failures, 9U);
  EXPECT_EQ((*special)->options().consecutive_failures, 5U);
  EXPECT_EQ((*registry.get("new"))->options().consecutive_failures, 9U);
  defaults.min_calls = 0;
  EXPECT_TRUE(registry.reconfigure(defaults).error().starts_with("min_calls: "));
  EXPECT_TRUE(registry.configure("plain", defaults).error().starts_with("min_calls: "));
}

TEST(BreakerRegistry, TellsEventsWithTheKey) {
  std::vector<std::string> heard;
  Registry registry(small(10), [&](const std::string& key, const BreakerEvent& event) {
    if (event.kind == BreakerEvent::Kind::changed) heard.push_back(key);
  });
  fail(registry, "a", 2);
  fail(registry, "b", 2);
  EXPECT_EQ(heard, (std::vector<std::string>{"a", "b"}));
}

TEST(BreakerRegistry, ReadersNeverMeetABreakerOfAnotherKey) {
  Registry registry(small(4));
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 3000; ++i) {
          const std::string key = std::to_string((i + thread) % 12);
          if (auto handle = registry.get(key)) {
            if ((*handle)->name() != key) wrong.fetch_add(1);
            (*handle)->try_acquire()->success();
          }
          if (i % 50 == 0) registry.sweep();
        }
      });
    }
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_LE(registry.size(), 4U);
}

}  // namespace
}  // namespace homeostat
