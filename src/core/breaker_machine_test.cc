#include "homeostat/breaker_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

namespace homeostat {
namespace {

using namespace std::chrono_literals;
using Kind = BreakerEvent::Kind;

BreakerOptions three_in_a_row() {
  BreakerOptions options;
  options.consecutive_failures = 3;
  options.failure_rate = 0;
  options.open_for = 10s;
  return options;
}

/// A machine and its time.
struct Told {
  explicit Told(const BreakerOptions& options) : machine(options) {}

  bool call(CallOutcome outcome, Duration took = 1ms, std::optional<Duration> retry_after = std::nullopt) {
    const auto ticket = machine.acquire(now);
    if (ticket) machine.finish(*ticket, {outcome, took, retry_after}, now);
    return ticket.has_value();
  }
  void fail(int times = 1) {
    for (int i = 0; i < times; ++i) call(CallOutcome::failure);
  }
  void succeed(int times = 1) {
    for (int i = 0; i < times; ++i) call(CallOutcome::success);
  }
  std::vector<BreakerEvent> events() {
    std::vector<BreakerEvent> all;
    while (auto event = machine.take_event()) all.push_back(*event);
    return all;
  }

  BreakerMachine machine;
  Instant now{1h};
};

TEST(BreakerMachine, OpensWaitsProbesAndCloses) {
  Told told(three_in_a_row());
  told.fail(2);
  told.succeed();
  told.fail(2);
  EXPECT_EQ(told.machine.state(), BreakerState::closed) << "three in a row, not three";
  told.fail();
  EXPECT_EQ(told.machine.state(), BreakerState::open);
  const auto rejected = told.machine.acquire(told.now + 4s);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, Rejected::Reason::open);
  EXPECT_EQ(rejected.error().retry_after, 6s);

  told.now += 10s;
  EXPECT_EQ(told.machine.state(told.now), BreakerState::probe_due);
  EXPECT_EQ(told.machine.state(), BreakerState::open) << "looking changes nothing";
  told.succeed();
  EXPECT_EQ(told.machine.state(), BreakerState::half_open);
  told.succeed();
  EXPECT_EQ(told.machine.state(), BreakerState::closed);
  EXPECT_EQ(told.machine.counts(), BreakerCounts{}) << "the past is past";
}

TEST(BreakerMachine, HalfOpenAdmitsItsLimitAtOnceAndTheFirstFailureOpens) {
  BreakerOptions options = three_in_a_row();
  options.half_open_max_calls = 2;
  Told told(options);
  told.fail(3);
  told.now += 10s;
  const auto first = told.machine.acquire(told.now);
  const auto second = told.machine.acquire(told.now);
  ASSERT_TRUE(first && second);
  const auto third = told.machine.acquire(told.now);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().reason, Rejected::Reason::probing);
  told.machine.finish(*first, {CallOutcome::ignored, {}, {}}, told.now);
  EXPECT_TRUE(told.machine.acquire(told.now)) << "an ignored probe gives its place back";
  told.machine.finish(*second, {CallOutcome::failure, {}, {}}, told.now);
  EXPECT_EQ(told.machine.state(), BreakerState::open);
  EXPECT_EQ(told.machine.times_open(), 2U);
}

TEST(BreakerMachine, LateResultsOfAnOlderStateAreDropped) {
  Told told(three_in_a_row());
  const auto old = told.machine.acquire(told.now);
  told.fail(3);
  told.machine.finish(*old, {CallOutcome::success, {}, {}}, told.now);
  EXPECT_EQ(told.machine.counts().consecutive_failures, 3U);
  told.now += 10s;
  ASSERT_TRUE(told.machine.acquire(told.now));
  told.machine.finish(*old, {CallOutcome::failure, {}, {}}, told.now);
  EXPECT_EQ(told.machine.state(), BreakerState::half_open);
}

TEST(BreakerMachine, LostProbesAreGivenUp) {
  BreakerOptions options = three_in_a_row();
  options.half_open_max_calls = 1;
  options.half_open_for = 60s;
  Told told(options);
  told.fail(3);
  told.now += 10s;
  const auto lost = told.machine.acquire(told.now);
  ASSERT_TRUE(lost);
  told.now += 59s;
  EXPECT_FALSE(told.machine.acquire(told.now));
  told.now += 1s;
  EXPECT_TRUE(told.machine.acquire(told.now));
  told.machine.finish(*lost, {CallOutcome::failure, {}, {}}, told.now);
  EXPECT_EQ(told.machine.state(), BreakerState::half_open) << "it comes too late to count";
  const auto events = told.events();
  const auto told_so = std::ranges::find(events, Kind::probes_lost, &BreakerEvent::kind);
  ASSERT_NE(told_so, events.end());
  EXPECT_EQ(told_so->probes, 1U);
}

TEST(BreakerMachine, TheWaitGrowsUpToItsCapAndForgetsWhenItCloses) {
  BreakerOptions options = three_in_a_row();
  options.open_factor = 2;
  options.open_cap = 35s;
  options.success_threshold = 1;
  Told told(options);
  told.fail(3);
  for (const Duration wait : {10s, 20s, 35s, 35s}) {
    EXPECT_EQ(told.machine.open_until() - told.now, wait);
    told.now = told.machine.open_until();
    told.fail();
  }
  told.now = told.machine.open_until();
  told.succeed();
  told.fail(3);
  EXPECT_EQ(told.machine.open_until() - told.now, 10s);
}

TEST(BreakerMachine, JitterStaysAroundTheWaitAndIsTheSameForTheSameSeed) {
  BreakerOptions options = three_in_a_row();
  options.open_jitter = 20;
  bool other = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    options.seed = seed;
    Told told(options);
    Told again(options);
    told.fail(3);
    again.fail(3);
    const Duration wait = told.machine.open_until() - told.now;
    EXPECT_EQ(wait, again.machine.open_until() - again.now);
    EXPECT_GE(wait, 8s);
    EXPECT_LE(wait, 12s);
    other = other || wait != 10s;
  }
  EXPECT_TRUE(other);
}

TEST(BreakerMachine, TheOtherSideMaySayHowLongToWait) {
  BreakerOptions options = three_in_a_row();
  options.open_cap = 60s;
  Told told(options);
  told.fail(2);
  told.call(CallOutcome::failure, 1ms, 42s);
  EXPECT_EQ(told.machine.open_until() - told.now, 42s);
  told.now += 42s;
  told.call(CallOutcome::failure, 1ms, 1h);
  EXPECT_EQ(told.machine.open_until() - told.now, 60s) << "but not for ever";
}

TEST(BreakerMachine, SlowCallsOpenItAlsoBeforeTheyHaveFinished) {
  BreakerOptions options;
  options.failure_rate = 0;
  options.slow_rate = 50;
  options.slow_above = 1s;
  options.min_calls = 4;
  Told told(options);
  for (int i = 0; i < 3; ++i) told.call(CallOutcome::success, 1s);
  told.call(CallOutcome::success, 1001ms);
  EXPECT_EQ(told.machine.counts().slow, 1U) << "as long as the bound is not slow";
  told.machine.poll(told.now, 1);
  EXPECT_EQ(told.machine.state(), BreakerState::closed) << "2 of 5";
  told.machine.poll(told.now, 2);
  EXPECT_EQ(told.machine.state(), BreakerState::open) << "3 of 6";
  EXPECT_EQ(told.events().back().rule, TripRule::slow_rate);
  told.now += 30s;
  told.call(CallOutcome::success, 2s);
  EXPECT_EQ(told.machine.state(), BreakerState::open) << "a slow probe proves nothing";
}

TEST(BreakerMachine, ByHand) {
  Told told(three_in_a_row());
  EXPECT_FALSE(told.machine.force(BreakerState::half_open, told.now));
  EXPECT_FALSE(told.machine.force(BreakerState::probe_due, told.now));
  EXPECT_TRUE(told.machine.force(BreakerState::forced_open, told.now));
  told.now += 1h;
  const auto rejected = told.machine.acquire(told.now);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().retry_after, Duration::max());
  told.machine.force(BreakerState::disabled, told.now);
  told.fail(10);
  EXPECT_EQ(told.machine.counts(), BreakerCounts{});
  told.machine.force(BreakerState::metrics_only, told.now);
  told.events();
  told.fail(10);
  EXPECT_EQ(told.machine.state(), BreakerState::metrics_only);
  EXPECT_EQ(told.machine.counts().failures, 10U);
  const auto events = told.events();
  ASSERT_EQ(events.size(), 1U) << "said once, not with every failure";
  EXPECT_EQ(events[0].kind, Kind::threshold);
}

TEST(BreakerMachine, TellsWhatHappenedWithTheCountsBefore) {
  Told told(three_in_a_row());
  told.fail(3);
  told.call(CallOutcome::success);
  told.call(CallOutcome::success);
  const auto events = told.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, Kind::threshold);
  EXPECT_EQ(events[1].kind, Kind::changed);
  EXPECT_EQ(events[1].to, BreakerState::open);
  EXPECT_EQ(events[1].rule, TripRule::consecutive_failures);
  EXPECT_EQ(events[1].counts.failures, 3U);
  EXPECT_EQ(events[1].wait, 10s);
  EXPECT_EQ(events[2].kind, Kind::rejected) << "the first rejection only";
}

TEST(BreakerMachine, EventsAreBoundedAndSayWhatWasLost) {
  BreakerOptions options = three_in_a_row();
  options.events = 2;
  Told told(options);
  for (int i = 0; i < 3; ++i) told.machine.force(BreakerState::open, told.now += 1s);
  told.machine.force(BreakerState::closed, told.now);
  const auto events = told.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].to, BreakerState::closed);
  EXPECT_EQ(events[1].lost, 2U);
}

TEST(BreakerMachine, OtherOptionsKeepTheStateAndAnUnchangedWindow) {
  BreakerOptions options = three_in_a_row();
  Told told(options);
  told.fail(2);
  options.consecutive_failures = 5;
  told.machine.reconfigure(options);
  EXPECT_EQ(told.machine.counts().failures, 2U);
  told.fail(3);
  EXPECT_EQ(told.machine.state(), BreakerState::open);
  options.window_calls = 50;
  told.machine.reconfigure(options);
  EXPECT_EQ(told.machine.state(), BreakerState::open);
  EXPECT_EQ(told.machine.counts().calls, 0U);
}

TEST(BreakerMachine, TimeThatGoesBackStandsStill) {
  Told told(three_in_a_row());
  told.fail(3);
  told.now -= 30s;
  EXPECT_FALSE(told.call(CallOutcome::success));
  told.now += 40s;
  EXPECT_TRUE(told.call(CallOutcome::success));
}

TEST(BreakerMachine, GoesBackToAnOpenStateThatWasSaved) {
  BreakerOptions options = three_in_a_row();
  options.open_factor = 2;
  Told told(options);
  told.machine.restore_open(told.now - 5s, told.now + 20s, 2, told.now);
  EXPECT_EQ(told.machine.state(told.now), BreakerState::open);
  EXPECT_EQ(told.machine.opened_at(), told.now - 5s);
  told.now += 19s;
  EXPECT_FALSE(told.call(CallOutcome::failure));
  told.now += 1s;
  EXPECT_TRUE(told.call(CallOutcome::failure));
  EXPECT_EQ(told.machine.open_until(), told.now + 40s) << "the third time in a row";
}

/// Sets one field of what it visits.
struct Damage {
  std::string_view field;
  std::uint64_t number = 0;
  template <class T>
  void operator()(std::string_view name, T& value) {
    if (name != field) return;
    if constexpr (std::is_same_v<T, std::uint64_t>) value = number;
    if constexpr (std::is_same_v<T, BreakerState>) value = static_cast<BreakerState>(number);
    if constexpr (requires { value.resize(0); }) value.resize(number);
    if constexpr (std::is_same_v<T, CountWindow>) value = CountWindow(static_cast<std::uint32_t>(number));
    if constexpr (std::is_same_v<T, TimeWindow>) value = TimeWindow(1s, static_cast<std::uint32_t>(number));
  }
};

TEST(BreakerMachine, OneThatWasReadBackWronglyIsNotIntact) {
  Told told(three_in_a_row());
  told.fail(3);
  EXPECT_TRUE(told.machine.intact());
  for (Damage damage : {Damage{"calls", 7}, Damage{"times", 7}, Damage{"probe_results", 9}, Damage{"events", 0},
                        Damage{"first_event", 32}, Damage{"event_count", 33}, Damage{"state", 6}}) {
    BreakerMachine damaged = told.machine;
    BreakerMachine::fields(damaged, damage);
    EXPECT_FALSE(damaged.intact()) << damage.field;
  }
}

TEST(BreakerOptions, AreRefusedWithTheNameOfTheField) {
  const auto fault = [](auto change) {
    BreakerOptions options;
    change(options);
    const auto valid = validate(options);
    return valid ? std::string() : valid.error();
  };
  EXPECT_EQ(fault([](auto&) {}), "");
  EXPECT_EQ(fault([](auto& o) { o.window_calls = 0; }), "window_calls: 0 is not from 1 to 1000000");
  EXPECT_TRUE(fault([](auto& o) { o.failure_rate = 101; }).starts_with("failure_rate: "));
  EXPECT_TRUE(
      fault([](auto& o) { o.failure_rate = std::numeric_limits<double>::quiet_NaN(); }).starts_with("failure_"));
  EXPECT_TRUE(fault([](auto& o) { o.failure_rate = 0; }).starts_with("failure_rate: set it"));
  EXPECT_TRUE(fault([](auto& o) { o.slow_rate = -1; }).starts_with("slow_rate: "));
  EXPECT_TRUE(fault([](auto& o) { o.slow_rate = 50; }).starts_with("slow_above: "));
  EXPECT_TRUE(fault([](auto& o) { o.window_time = -1s; }).starts_with("window_time: "));
  EXPECT_TRUE(fault([](auto& o) { o.window_buckets = 0; }).starts_with("window_buckets: "));
  EXPECT_TRUE(fault([](auto& o) { o.window_time = 5ms; }).starts_with("window_buckets: "));
  EXPECT_TRUE(fault([](auto& o) { o.min_calls = 0; }).starts_with("min_calls: "));
  EXPECT_TRUE(fault([](auto& o) { o.min_calls = 101; }).starts_with("min_calls: "));
  EXPECT_TRUE(fault([](auto& o) { o.open_for = 0s; }).starts_with("open_for: "));
  EXPECT_TRUE(fault([](auto& o) { o.open_factor = 0.5; }).starts_with("open_factor: "));
  EXPECT_TRUE(fault([](auto& o) { o.open_cap = -1s; }).starts_with("open_cap: "));
  EXPECT_TRUE(fault([](auto& o) { o.open_jitter = 120; }).starts_with("open_jitter: "));
  EXPECT_TRUE(fault([](auto& o) { o.half_open_max_calls = 0; }).starts_with("half_open_max_calls: "));
  EXPECT_TRUE(fault([](auto& o) { o.success_threshold = 0; }).starts_with("success_threshold: "));
  EXPECT_TRUE(fault([](auto& o) { o.half_open_for = 0s; }).starts_with("half_open_for: "));
  EXPECT_TRUE(fault([](auto& o) { o.events = 0; }).starts_with("events: "));
}

}  // namespace
}  // namespace homeostat
