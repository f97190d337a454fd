#ifdef __clang__  // g++ 12 has defects in its coroutines

#include "homeostat/breaker_coro.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace homeostat {
namespace {

using namespace std::chrono_literals;
using TestBreaker = BasicBreaker<ManualClock>;

/// Something that is awaited until somebody gives it a value.
struct Promise {
  struct Awaiter {
    Promise& promise;
    bool await_ready() const noexcept { return promise.value != 0; }
    void await_suspend(std::coroutine_handle<> awaiting) noexcept { promise.waiting = awaiting; }
    int await_resume() const {
      if (promise.value < 0) throw std::runtime_error("failed");
      return promise.value;
    }
  };
  Awaiter operator co_await() noexcept { return {*this}; }
  void give(int given) {
    value = given;
    if (waiting) waiting.resume();
  }
  int value = 0;
  std::coroutine_handle<> waiting;
};

/// The outermost coroutine: runs at once, keeps what came out.
struct Running {
  struct promise_type {
    Running get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { threw = true; }
    bool threw = false;
  };
  ~Running() {
    if (frame) frame.destroy();
  }
  std::coroutine_handle<promise_type> frame;
};

BreakerOptions two_in_a_row() {
  BreakerOptions options;
  options.consecutive_failures = 2;
  return options;
}

Running await_call(TestBreaker& breaker, Promise& promise, std::optional<std::expected<int, Rejected>>& result) {
  result = co_await guarded(breaker, [&]() -> Promise& { return promise; });
}

TEST(BreakerCoro, AwaitsAndCounts) {
  TestBreaker breaker("io", two_in_a_row());
  Promise promise;
  std::optional<std::expected<int, Rejected>> result;
  const Running run = await_call(breaker, promise, result);
  EXPECT_FALSE(result);
  EXPECT_EQ(breaker.status().in_flight, 1U);
  promise.give(5);
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(**result, 5);
  EXPECT_EQ(breaker.status().success_count, 1U);
  EXPECT_EQ(breaker.status().in_flight, 0U);
}

TEST(BreakerCoro, WhatIsThrownPassesThroughThenCallsAreRejected) {
  TestBreaker breaker("io", two_in_a_row());
  std::optional<std::expected<int, Rejected>> result;
  for (int i = 0; i < 2; ++i) {
    Promise promise;
    const Running run = await_call(breaker, promise, result);
    promise.give(-1);
    EXPECT_TRUE(run.frame.promise().threw);
  }
  EXPECT_EQ(breaker.state(), BreakerState::open);
  Promise promise;
  const Running run = await_call(breaker, promise, result);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().reason, Rejected::Reason::open);
}

TEST(BreakerCoro, ACancelledCallIsIgnoredAndGivesItsPlaceBack) {
  BreakerOptions options = two_in_a_row();
  options.half_open_max_calls = 1;
  ManualClock clock;
  TestBreaker breaker("io", options, {}, clock);
  breaker.force(BreakerState::open);
  clock.advance(1h);
  Promise promise;
  std::optional<std::expected<int, Rejected>> result;
  {
    const Running run = await_call(breaker, promise, result);
    EXPECT_EQ(breaker.status().in_flight, 1U);
    EXPECT_FALSE(breaker.try_acquire());
  }
  EXPECT_EQ(breaker.state(), BreakerState::half_open);
  EXPECT_TRUE(breaker.try_acquire()) << "its place is free";
}

TEST(BreakerCoro, ACallThatIsNotAwaitedNeverHappens) {
  TestBreaker breaker("io", two_in_a_row());
  Promise promise;
  {
    auto call = guarded(breaker, [&]() -> Promise& { return promise; });
  }
  EXPECT_EQ(breaker.status().calls, 0U);
  EXPECT_EQ(breaker.status().in_flight, 0U);
}

}  // namespace
}  // namespace homeostat

#endif
