// Many threads on one breaker. Under the thread sanitizer this also shows that nothing races.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "homeostat/breaker.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

template <class Work>
void on_threads(int count, Work work) {
  std::latch ready(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      work(i);
    });
  }
}

class BreakerStress : public ::testing::TestWithParam<int> {};

TEST_P(BreakerStress, NoResultIsLostAndNoneIsCountedTwice) {
  constexpr std::uint64_t kCalls = 20'000;
  BreakerOptions options;
  options.window_calls = 1'000'000;
  ManualClock clock;
  BasicBreaker<ManualClock> breaker("all", options, {}, clock);
  breaker.force(BreakerState::metrics_only);
  on_threads(GetParam(), [&](int thread) {
    for (std::uint64_t i = 0; i < kCalls; ++i) {
      auto permit = breaker.try_acquire();
      ASSERT_TRUE(permit);
      if (i % 100 == 99) {
        permit->failure();
      } else if (i % 100 != 50) {
        permit->success();
      }
      if (thread == 0 && i % 1000 == 0) (void)breaker.status();
    }
  });
  const auto threads = static_cast<std::uint64_t>(GetParam());
  const BreakerStatus status = breaker.status();
  EXPECT_EQ(status.success_count, threads * kCalls / 100 * 98);
  EXPECT_EQ(status.failure_count, threads * kCalls / 100);
  EXPECT_EQ(status.in_flight, 0U);
}

// Bound under concurrency: what a thread has noted but the machine has not seen when it judges is at most one success a
// thread, so a breaker opens at most that many calls later, and never on fewer failures than its rule asks for.
TEST_P(BreakerStress, OpensWhenItsRuleIsBrokenAndNotBefore) {
  for (int round = 0; round < 20; ++round) {
    BreakerOptions options;
    options.failure_rate = 50;
    options.window_calls = 1000;
    options.min_calls = 100;
    ManualClock clock;
    BasicBreaker<ManualClock> breaker("rule", options, {}, clock);
    std::atomic<int> failed{0};
    on_threads(GetParam(), [&](int) {
      while (auto permit = breaker.try_acquire()) {
        failed.fetch_add(1);
        permit->failure();
      }
    });
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_GE(failed.load(), 100);
    EXPECT_LT(failed.load(), 100 + GetParam()) << "calls that were under way";
    EXPECT_EQ(breaker.status().failure_count, 100U) << "late results are dropped";
  }
}

TEST_P(BreakerStress, HalfOpenNeverAdmitsMoreThanItsLimitAndLosesNoPlace) {
  BreakerOptions options;
  options.consecutive_failures = 1;
  options.failure_rate = 0;
  options.open_for = 1ms;
  options.half_open_max_calls = 3;
  options.success_threshold = 10'000;  // stays half-open but for the failures
  ManualClock clock;
  BasicBreaker<ManualClock> breaker("half", options, {}, clock);
  breaker.try_acquire()->failure();
  clock.advance(1ms);
  breaker.try_acquire()->ignore();
  ASSERT_EQ(breaker.state(), BreakerState::half_open);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  on_threads(GetParam(), [&](int) {
    for (int i = 0; i < 5'000; ++i) {
      auto permit = breaker.try_acquire();
      if (!permit) continue;
      const int now = inside.fetch_add(1) + 1;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) continue;
      inside.fetch_sub(1);
      if (i % 2 == 0) permit->ignore();  // else dropped
    }
  });
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(breaker.status().in_flight, 0U);
  std::vector<BasicBreaker<ManualClock>::Permit> places;
  while (auto permit = breaker.try_acquire()) places.push_back(std::move(*permit));
  EXPECT_EQ(places.size(), 3U);
}

TEST_P(BreakerStress, GoesRoundAndRoundWithEventsInOrder) {
  BreakerOptions options;
  options.consecutive_failures = 5;
  options.failure_rate = 50;
  options.min_calls = 10;
  options.window_time = 100ms;
  options.open_for = 2ms;
  options.slow_rate = 90;
  options.slow_above = 1h;
  options.events = 1000;
  ManualClock clock;
  BreakerState last = BreakerState::closed;
  int changes = 0;
  bool in_order = true;
  const auto listener = [&](const BreakerEvent& event) {
    if (event.kind != BreakerEvent::Kind::changed) return;
    in_order = in_order && (event.from == last || event.lost > 0);
    last = event.to;
    ++changes;
  };
  BasicBreaker<ManualClock> breaker("round", options, listener, clock);
  on_threads(GetParam(), [&](int thread) {
    for (int i = 0; i < 4'000; ++i) {
      if (thread == 0) clock.advance(50us);
      auto permit = breaker.try_acquire();
      if (!permit) continue;
      const bool good = (i / 200) % 2 == 0;
      good ? permit->success() : permit->failure();
    }
  });
  EXPECT_TRUE(in_order);
  EXPECT_GT(changes, 2);
  EXPECT_EQ(breaker.status().in_flight, 0U);
}

INSTANTIATE_TEST_SUITE_P(Threads, BreakerStress, ::testing::Values(2, 8));

TEST(BreakerStress, MoreThreadsThanLinesShareSome) {
  constexpr std::uint64_t kCalls = 500;
  constexpr int kThreads = 48;
  BreakerOptions options;
  options.slow_rate = 50;
  options.slow_above = 1h;
  options.window_calls = 1'000'000;
  ManualClock clock;
  BasicBreaker<ManualClock> breaker("many", options, {}, clock);
  std::latch all_counted(kThreads);
  on_threads(kThreads, [&](int) {
    breaker.try_acquire()->success();
    all_counted.arrive_and_wait();  // all of them hold a line at once
    for (std::uint64_t i = 1; i < kCalls; ++i) breaker.try_acquire()->success();
  });
  EXPECT_EQ(breaker.status().success_count, kThreads * kCalls);
  EXPECT_EQ(breaker.status().in_flight, 0U);
  EXPECT_EQ(breaker.status().overdue, 0U);
}

TEST(BreakerStress, ThreadsThatComeAndGoHandTheirLinesOn) {
  ManualClock clock;
  BreakerOptions options;
  options.window_calls = 1'000'000;
  BasicBreaker<ManualClock> breaker("short", options, {}, clock);
  for (int round = 0; round < 100; ++round) {
    on_threads(2, [&](int) {
      for (int i = 0; i < 10; ++i) breaker.try_acquire()->success();
    });
  }
  EXPECT_EQ(breaker.status().success_count, 2000U);
}

TEST(BreakerTick, IsTheTickersWhileThereIsOneAndElseTheCoarseClocks) {
  const auto close = [](Instant a, Instant b) { return a - b < 5s && b - a < 5s; };
  EXPECT_TRUE(close(SharedTick::now(), CoarseClock::now()));
  {
    const Ticker ticker;
    const Instant before = SharedTick::now();
    while (SharedTick::now() == before) std::this_thread::yield();
    EXPECT_TRUE(close(SharedTick::now(), CoarseClock::now()));
    SharedTick::publish(Instant(7s));
    while (SharedTick::now() == Instant(7s)) std::this_thread::yield();
  }
  EXPECT_TRUE(close(SharedTick::now(), CoarseClock::now()));
}

}  // namespace
}  // namespace homeostat
