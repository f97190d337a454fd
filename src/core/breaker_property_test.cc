// BreakerMachine against the slow model, over random rules, times, outcomes and late results.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>

#include "core/breaker_model.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

BreakerOptions any_options() {
  BreakerOptions o;
  o.consecutive_failures = *rc::gen::element(0U, 0U, 1U, 3U);
  o.failure_rate = *rc::gen::element(0.0, 10.0, 50.0, 60.0, 100.0);
  o.slow_rate = *rc::gen::element(0.0, 0.0, 50.0, 80.0);
  o.slow_above = 100ms;
  if (o.consecutive_failures == 0 && o.failure_rate == 0) o.slow_rate = 50;
  o.window_calls = *rc::gen::inRange(1U, 20U);
  if (*rc::gen::arbitrary<bool>()) o.window_time = *rc::gen::element(1s, 4s);
  o.window_buckets = *rc::gen::element(1U, 2U, 5U, 10U);
  o.min_calls = *rc::gen::inRange(1U, o.window_calls + 1);
  o.open_for = 2s;
  o.open_factor = *rc::gen::element(1.0, 1.5, 2.0);
  o.open_cap = 7s;
  o.half_open_max_calls = *rc::gen::inRange(1U, 4U);
  o.success_threshold = *rc::gen::inRange(1U, 4U);
  o.half_open_by_rate = *rc::gen::arbitrary<bool>();
  o.half_open_for = 3s;
  return o;
}

enum class Do : std::uint8_t { acquire, finish_first, finish_last, call, wait, force };

struct Both {
  explicit Both(const BreakerOptions& options) : machine(options), model(options) {}

  void acquire() {
    const auto ticket = machine.acquire(now);
    const auto same = model.acquire(now);
    RC_ASSERT(ticket.has_value() == same.has_value());
    if (ticket) held.push_back({*ticket, *same});
  }
  void finish(bool first) {
    if (held.empty()) return;
    const auto [ticket, same] = first ? held.front() : held.back();
    first ? held.pop_front() : held.pop_back();
    BreakerMachine::Result result;
    result.outcome = *rc::gen::weightedElement<CallOutcome>(
        {{4, CallOutcome::success}, {4, CallOutcome::failure}, {1, CallOutcome::ignored}});
    result.took = *rc::gen::element<Duration>(1ms, 100ms, 101ms);
    machine.finish(ticket, result, now);
    model.finish(same, result, now);
  }
  void force() {
    const auto to = static_cast<BreakerState>(*rc::gen::inRange(0, 7));
    RC_ASSERT(machine.force(to, now) == model.force(to, now));
  }
  void compare() {
    RC_ASSERT(machine.state() == model.state);
    RC_ASSERT(machine.open_until() == model.probe_at);
    machine.poll(now);
    RC_ASSERT(machine.counts() == model.counts(now));
  }

  BreakerMachine machine;
  SlowBreaker model;
  Instant now{1h};
  std::deque<std::pair<BreakerMachine::Ticket, SlowBreaker::Ticket>> held;
};

TEST(BreakerProperty, AgreesWithTheSlowModel) {
  const auto walk = [] {
    const BreakerOptions options = any_options();
    RC_ASSERT(validate(options).has_value());
    Both both(options);
    const int steps = *rc::gen::inRange(1, 120);
    for (int i = 0; i < steps; ++i) {
      switch (*rc::gen::weightedElement<Do>({{4, Do::acquire},
                                             {3, Do::finish_first},
                                             {2, Do::finish_last},
                                             {12, Do::call},
                                             {5, Do::wait},
                                             {1, Do::force}})) {
        case Do::acquire:
          both.acquire();
          break;
        case Do::finish_first:
          both.finish(true);
          break;
        case Do::finish_last:
          both.finish(false);
          break;
        case Do::call: {
          const std::size_t before = both.held.size();
          both.acquire();
          if (both.held.size() > before) both.finish(false);
          break;
        }
        case Do::wait:
          both.now += *rc::gen::element<Duration>(1ms, 99ms, 400ms, 999ms, 2s, 3s, 8s);
          break;
        case Do::force:
          if (*rc::gen::inRange(0, 4) == 0) both.force();
          break;
      }
      both.compare();
    }
  };
  EXPECT_TRUE(rc::check("the machine and the slow model agree", walk));
}

// What the threaded breaker relies on: successes noted elsewhere and added together decide as if they had come one by
// one, as long as the machine said that they are safe.
TEST(BreakerProperty, SafeSuccessesMayBeAddedTogether) {
  const auto walk = [] {
    const BreakerOptions options = any_options();
    BreakerMachine one(options);
    BreakerMachine batch(options);
    Instant now{1h};
    std::uint64_t waiting = 0;
    const int steps = *rc::gen::inRange(1, 200);
    for (int i = 0; i < steps; ++i) {
      if (*rc::gen::inRange(0, 6) == 0) now += *rc::gen::element<Duration>(1ms, 150ms, 1s);
      const bool good = *rc::gen::inRange(0, 3) != 0;
      const auto first = one.acquire(now);
      const bool safe = now < batch.successes_safe_until();
      if (first) one.finish(*first, {good ? CallOutcome::success : CallOutcome::failure, {}, {}}, now);
      if (first && good && safe) {
        ++waiting;
        continue;
      }
      batch.add_successes(std::exchange(waiting, 0));
      const auto second = batch.acquire(now);
      RC_ASSERT(first.has_value() == second.has_value());
      if (second) batch.finish(*second, {good ? CallOutcome::success : CallOutcome::failure, {}, {}}, now);
      RC_ASSERT(one.state() == batch.state());
      RC_ASSERT(one.counts() == batch.counts());
    }
  };
  EXPECT_TRUE(rc::check("successes may be added together", walk));
}

}  // namespace
}  // namespace homeostat
