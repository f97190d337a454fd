#include "homeostat/breaker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

namespace homeostat {
namespace {

using namespace std::chrono_literals;
using TestBreaker = BasicBreaker<ManualClock>;

BreakerOptions three_in_a_row() {
  BreakerOptions options;
  options.consecutive_failures = 3;
  options.failure_rate = 0;
  options.open_for = 10s;
  return options;
}

struct BreakerTest : ::testing::Test {
  void fail(TestBreaker& breaker, int times) {
    for (int i = 0; i < times; ++i) {
      if (auto permit = breaker.try_acquire()) permit->failure();
    }
  }
  ManualClock clock;
};

TEST_F(BreakerTest, CallsUntilItOpensAndAgainWhenItHasHealed) {
  TestBreaker breaker("db", three_in_a_row(), {}, clock);
  const auto bad = [&] { return breaker.call([]() -> std::expected<int, int> { return std::unexpected(500); }); };
  for (int i = 0; i < 3; ++i) {
    const auto result = bad();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->error(), 500) << "the answer itself comes through";
  }
  const auto rejected = bad();
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, Rejected::Reason::open);
  EXPECT_EQ(rejected.error().retry_after, 10s);
  clock.advance(4s);
  EXPECT_EQ(bad().error().retry_after, 6s);
  EXPECT_EQ(breaker.state(), BreakerState::open);
  clock.advance(6s);
  EXPECT_EQ(breaker.state(), BreakerState::probe_due);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(breaker.call([] { return 7; }).value(), 7);
  EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST_F(BreakerTest, WhatIsThrownPassesThroughAndCounts) {
  TestBreaker breaker("db", three_in_a_row(), {}, clock);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW((void)breaker.call([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
  }
  EXPECT_EQ(breaker.state(), BreakerState::open);
  EXPECT_FALSE(breaker.call([] {}));
}

TEST_F(BreakerTest, AClassifierDecidesWhatAResultOrAnExceptionIs) {
  struct Cancelled {};
  const auto judge = [](int status) -> CallVerdict {
    if (status == 429) return {CallOutcome::failure, 42s};
    return status >= 500 ? CallOutcome::failure : CallOutcome::success;
  };
  const auto judge_thrown = [](const std::exception_ptr& thrown) -> CallVerdict {
    try {
      std::rethrow_exception(thrown);
    } catch (const Cancelled&) {
      return CallOutcome::ignored;
    } catch (...) {
      return CallOutcome::failure;
    }
  };
  TestBreaker breaker("api", three_in_a_row(), {}, clock);
  const auto answer = [&](int status) { return breaker.call([&] { return status; }, judge); };
  for (int i = 0; i < 5; ++i)
    EXPECT_THROW((void)breaker.call([]() -> int { throw Cancelled(); }, judge, judge_thrown), Cancelled);
  answer(404);
  EXPECT_EQ(breaker.status().failure_count, 0U);
  EXPECT_EQ(breaker.status().success_count, 1U);
  answer(500);
  answer(500);
  answer(429);
  EXPECT_EQ(answer(200).error().retry_after, 42s);
}

TEST_F(BreakerTest, APermitWithoutAVerdictIsIgnoredAndGivesItsPlaceBack) {
  BreakerOptions options = three_in_a_row();
  options.half_open_max_calls = 1;
  TestBreaker breaker("db", options, {}, clock);
  fail(breaker, 3);
  clock.advance(10s);
  {
    auto permit = breaker.try_acquire();
    ASSERT_TRUE(permit);
    EXPECT_FALSE(breaker.try_acquire());
    TestBreaker::Permit moved = std::move(*permit);
    EXPECT_EQ(breaker.status().in_flight, 1U);
  }
  EXPECT_EQ(breaker.status().in_flight, 0U);
  EXPECT_EQ(breaker.state(), BreakerState::half_open);
  EXPECT_TRUE(breaker.try_acquire());
}

TEST_F(BreakerTest, BadOptionsAreRefusedWithTheNameOfTheField) {
  BreakerOptions options;
  options.failure_rate = 120;
  EXPECT_THROW(TestBreaker("db", options), std::invalid_argument);
  const auto made = TestBreaker::make("db", options);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().starts_with("failure_rate: ")) << made.error();
  EXPECT_TRUE(TestBreaker::make("db"));
}

TEST_F(BreakerTest, TheListenerHearsEventsInOrderOutsideAnyLock) {
  std::vector<std::string> heard;
  TestBreaker* known = nullptr;
  const auto listener = [&](const BreakerEvent& event) {
    const std::string to(to_string(event.to));
    heard.push_back(event.kind == BreakerEvent::Kind::changed    ? to
                    : event.kind == BreakerEvent::Kind::rejected ? "rejected"
                                                                 : "rule");
    if (known != nullptr && heard.size() == 2) fail(*known, 1);  // using it would deadlock under a lock
    (void)known->status();
    if (heard.size() == 3) throw std::runtime_error("a listener that fails");
  };
  TestBreaker breaker("db", three_in_a_row(), listener, clock);
  known = &breaker;
  fail(breaker, 3);
  clock.advance(10s);
  for (int i = 0; i < 2; ++i) breaker.try_acquire()->success();
  EXPECT_EQ(heard, (std::vector<std::string>{"rule", "open", "rejected", "half_open", "closed"}));
}

TEST_F(BreakerTest, CallsThatHangOpenItBeforeTheyFinish) {
  BreakerOptions options;
  options.failure_rate = 0;
  options.slow_rate = 50;
  options.slow_above = 1s;
  options.min_calls = 4;
  options.window_time = 10s;
  TestBreaker breaker("db", options, {}, clock);
  for (int i = 0; i < 3; ++i) breaker.try_acquire()->success();
  std::vector<TestBreaker::Permit> hanging;
  for (int i = 0; i < 4; ++i) hanging.push_back(*breaker.try_acquire());
  clock.advance(900ms);
  breaker.poll();
  EXPECT_EQ(breaker.state(), BreakerState::closed);
  clock.advance(300ms);  // an eighth later at most
  EXPECT_FALSE(breaker.try_acquire()) << "a call notices";
  EXPECT_EQ(breaker.state(), BreakerState::open);
  EXPECT_EQ(breaker.status().in_flight, 4U);
  hanging.clear();
  EXPECT_EQ(breaker.status().in_flight, 0U);
}

TEST_F(BreakerTest, CallsThatEndInTimeOnAnyThreadAreNeverOverdue) {
  BreakerOptions options;
  options.slow_rate = 1;
  options.slow_above = 1s;
  options.min_calls = 1;
  TestBreaker breaker("db", options, {}, clock);
  for (int i = 0; i < 500; ++i) {
    auto permit = breaker.try_acquire();
    ASSERT_TRUE(permit) << i;
    clock.advance(i % 3 == 0 ? 1s : 130ms);
    permit->success();
    breaker.poll();
    ASSERT_EQ(breaker.state(), BreakerState::closed) << i;
  }
}

TEST_F(BreakerTest, StatusTellsWhatWasCounted) {
  TestBreaker breaker("db", three_in_a_row(), {}, clock);
  for (int i = 0; i < 30; ++i) breaker.try_acquire()->success();
  fail(breaker, 3);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(breaker.try_acquire());
  const BreakerStatus status = breaker.status();
  EXPECT_EQ(status.name, "db");
  EXPECT_EQ(status.state, BreakerState::open);
  EXPECT_EQ(status.success_count, 30U);
  EXPECT_EQ(status.failure_count, 3U);
  EXPECT_NEAR(status.failure_rate.value(), 100.0 * 3 / 33, 1e-9);
  EXPECT_EQ(status.not_permitted, 5U);
  EXPECT_EQ(status.opened_at, clock.now());
  EXPECT_EQ(status.last_failure_time, clock.now());
  EXPECT_EQ(status.probe_at, clock.now() + 10s);
}

TEST_F(BreakerTest, OtherOptionsInTheMiddleOfTheWork) {
  TestBreaker breaker("db", three_in_a_row(), {}, clock);
  fail(breaker, 2);
  BreakerOptions options = three_in_a_row();
  options.consecutive_failures = 4;
  EXPECT_TRUE(breaker.reconfigure(options));
  fail(breaker, 1);
  EXPECT_EQ(breaker.state(), BreakerState::closed);
  options.slow_above = 1s;
  EXPECT_EQ(breaker.reconfigure(options).error(), "slow_above: is fixed when the breaker is made");
  options.window_calls = 0;
  EXPECT_TRUE(breaker.reconfigure(options).error().starts_with("window_calls: "));
}

// One thread: the breaker with its fast path is the machine, exactly, in both windows.
TEST(BreakerProperty, OneThreadSeesTheMachineExactly) {
  const auto walk = [] {
    BreakerOptions options;
    options.failure_rate = *rc::gen::element(20.0, 50.0, 100.0);
    options.consecutive_failures = *rc::gen::element(0U, 4U);
    options.window_calls = *rc::gen::inRange(1U, 30U);
    options.min_calls = *rc::gen::inRange(1U, options.window_calls + 1);
    if (*rc::gen::arbitrary<bool>()) options.window_time = 5s;
    options.open_for = 2s;
    ManualClock clock;
    TestBreaker breaker("one", options, {}, clock);
    BreakerMachine machine(options);
    std::deque<std::pair<TestBreaker::Permit, BreakerMachine::Ticket>> held;
    const int steps = *rc::gen::inRange(1, 300);
    for (int i = 0; i < steps; ++i) {
      if (*rc::gen::inRange(0, 8) == 0) clock.advance(*rc::gen::element<Duration>(1ms, 300ms, 1s, 2s));
      auto permit = breaker.try_acquire();
      const auto ticket = machine.acquire(clock.now());
      RC_ASSERT(permit.has_value() == ticket.has_value());
      if (permit) held.emplace_back(std::move(*permit), *ticket);
      if (!held.empty() && *rc::gen::inRange(0, 5) != 0) {
        const auto outcome = *rc::gen::weightedElement<CallOutcome>(
            {{6, CallOutcome::success}, {2, CallOutcome::failure}, {1, CallOutcome::ignored}});
        held.front().first.finish(CallVerdict(outcome));
        machine.finish(held.front().second, {outcome, {}, {}}, clock.now());
        held.pop_front();
      }
      RC_ASSERT(breaker.state() == machine.state(clock.now()));
      if (*rc::gen::inRange(0, 10) != 0) continue;  // looking brings the counts up to date; mostly do not
      const BreakerStatus seen = breaker.status();
      const BreakerStatus wanted = machine.status(clock.now());
      RC_ASSERT(seen.calls == wanted.calls);
      RC_ASSERT(seen.failure_count == wanted.failure_count);
      RC_ASSERT(seen.not_permitted == wanted.not_permitted);
      RC_ASSERT(seen.in_flight == wanted.in_flight);
    }
  };
  EXPECT_TRUE(rc::check("one thread sees the machine exactly", walk));
}

}  // namespace
}  // namespace homeostat
