#include "homeostat/healer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

Check make_check(std::string id, Look look) {
  Check check{.id = std::move(id), .look = std::move(look)};
  check.policy = {.interval = 10s, .fast_interval = 1s, .timeout = 20s, .startup_grace = 0s};
  check.backoff = {.initial = 2s, .max = 60s, .jitter_percent = 0};
  return check;
}

void add(Healer& healer, Check check) {
  const auto added = healer.add(std::move(check));
  ASSERT_TRUE(added.has_value()) << added.error();
}

std::vector<std::string> steps(const Healer& healer) {
  std::vector<std::string> out;
  for (const HealingEvent& event : healer.history()) out.emplace_back(to_string(event.step));
  return out;
}

/// Waits for `condition`, which another thread makes true.
bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Healer, RepairsWhatACheckFindsAndProvesIt) {
  std::atomic<bool> well = true;
  Healer healer;
  Check check = make_check("db", [&] { return well.load(); });
  check.remedies = {{.name = "restart", .repair = [&] { return well = true, true; }}};
  add(healer, std::move(check));

  Instant now(0s);
  now = healer.run_once(now);
  EXPECT_EQ(healer.state("db")->status, Status::healthy);
  well = false;
  while (steps(healer).size() < 3 && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(steps(healer), (std::vector<std::string>{"verdict", "repaired", "verified"}));
  EXPECT_EQ(healer.state("db")->status, Status::healthy);
  EXPECT_FALSE(healer.state("none").has_value());
}

TEST(Healer, AStrategyIsSharedByItsNameAndSaysWhyItDoesNotApply) {
  std::atomic<bool> well = false;
  std::atomic<bool> fits = false;
  std::atomic<std::uint32_t> tries = 0;
  Healer healer;
  const auto registered = healer.register_strategy({
      .name = "failover",
      .validate = [&](const RepairContext& context) -> std::optional<std::string> {
        EXPECT_EQ(context.last.result, Result::failure);
        return fits ? std::nullopt : std::optional<std::string>("no replica of " + context.check + " is in step");
      },
      .execute = [&](const RepairContext& context) { return tries = context.tries, well = true, true; },
  });
  ASSERT_TRUE(registered) << registered.error();
  for (const char* id : {"db", "cache"}) {
    Check check = make_check(id, [&] { return well.load(); });
    check.remedies = {{.name = "reconnect", .repair = [] { return false; }}, {.strategy = "failover"}};
    add(healer, std::move(check));
  }
  Instant now(0s);
  const auto skipped = [&] {
    std::vector<std::string> why;
    for (const HealingEvent& event : healer.history()) {
      if (event.step == HealingStep::skipped) why.push_back(event.remedy + ": " + event.detail);
    }
    std::ranges::sort(why);
    return why;
  };
  while (skipped().size() < 2 && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(skipped(), (std::vector<std::string>{"failover: no replica of cache is in step",
                                                 "failover: no replica of db is in step"}));
  fits = true;
  while (healer.state("db")->status != Status::healthy && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(healer.state("db")->status, Status::healthy);
  EXPECT_GE(tries, 2U) << "what has been tried before is told";
}

TEST(Healer, AStrategyMustBeKnownAndWhole) {
  Healer healer;
  EXPECT_EQ(healer.register_strategy({.name = "", .execute = [](const RepairContext&) { return true; }}).error(),
            "a strategy needs a name");
  EXPECT_EQ(healer.register_strategy({.name = "failover"}).error(), "strategy failover: execute is not set");
  ASSERT_TRUE(healer.register_strategy({.name = "failover", .execute = [](const RepairContext&) { return true; }}));
  EXPECT_EQ(
      healer.register_strategy({.name = "failover", .execute = [](const RepairContext&) { return true; }}).error(),
      "strategy failover: the name is taken");
  Check check = make_check("db", [] { return true; });
  check.remedies = {{.strategy = "failovr"}};
  EXPECT_EQ(healer.add(check).error(), "check db: no strategy failovr is registered; known are: failover");
  check.remedies = {{.name = "both", .repair = [] { return true; }, .strategy = "failover"}};
  EXPECT_EQ(healer.add(check).error(), "check db: remedy both: repair and strategy are both set");
}

TEST(Healer, PrerequisitesAreAskedEachTime) {
  std::atomic<bool> allowed = false;
  std::atomic<int> asked = 0;
  std::atomic<int> repairs = 0;
  Healer healer;
  Check check = make_check("db", [] { return false; });
  check.remedies = {
      {.name = "restart", .repair = [&] { return ++repairs > 0; }, .prerequisites = {{"the network is up", [&] {
                                                                                        ++asked;
                                                                                        return allowed.load();
                                                                                      }}}}};
  add(healer, std::move(check));
  Instant now(0s);
  while (steps(healer).size() < 3 && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(steps(healer), (std::vector<std::string>{"verdict", "skipped", "escalated"}));
  EXPECT_EQ(healer.history()[1].detail, "prerequisite not met: the network is up");
  EXPECT_EQ(repairs, 0);
  allowed = true;
  while (repairs == 0 && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(repairs, 1);
  EXPECT_EQ(asked, 2);
}

TEST(Healer, ExceptionsAreFailures) {
  std::vector<Escalation> told;
  Healer healer({.escalate = [&](const Escalation& escalation) {
    told.push_back(escalation);
    throw 42;
  }});
  Check check = make_check("db", []() -> bool { throw std::runtime_error("no answer"); });
  check.remedies = {{.name = "restart", .repair = []() -> bool { throw std::runtime_error("not allowed"); }}};
  add(healer, std::move(check));
  Instant now(0s);
  while (told.empty() && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(steps(healer), (std::vector<std::string>{"verdict", "failed", "escalated", "escalation_failed"}));
  EXPECT_EQ(healer.state("db")->detail, "no answer");
  EXPECT_EQ(healer.state("db")->last.result, Result::failure);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].detail, "restart: failed: not allowed");
  EXPECT_EQ(healer.history().back().detail, "an exception of an unknown type");
}

TEST(Healer, AnObservationIsTakenAsItIsAndItsLatencyMeasured) {
  Healer healer;
  add(healer, make_check("a", [] { return Observation{.result = Result::degraded}; }));
  add(healer, make_check("b", [] { return Observation{.result = Result::success, .latency = 7s}; }));
  Check slow = make_check("c", [] { return Observation{.result = Result::success, .latency = 7s}; });
  slow.policy.degraded_above = 5s;
  add(healer, std::move(slow));
  healer.run_once(Instant(0s));
  EXPECT_EQ(healer.state("a")->status, Status::degraded);
  EXPECT_GT(healer.state("a")->last.latency, Duration{});
  EXPECT_EQ(healer.state("b")->last.latency, 7s);
  EXPECT_EQ(healer.state("c")->status, Status::degraded);
}

/// Holds callables back. Stands before the Healer, whose destructor waits for them; an Opener stands after it.
class Gate {
 public:
  void open() {
    if (!open_.exchange(true)) latch_.count_down();
  }
  void wait() { latch_.wait(); }

 private:
  std::atomic<bool> open_ = false;
  std::latch latch_{1};
};

struct Opener {
  Gate& gate;
  ~Opener() { gate.open(); }
};

TEST(Healer, AHangingLookDelaysNoOtherAndIsNotStartedTwice) {
  std::atomic<int> hung_runs = 0;
  std::atomic<int> good_runs = 0;
  std::atomic<int> repairs = 0;
  Gate gate;
  Healer healer;
  const Opener opener{gate};
  Check hung = make_check("hung", [&] {
    ++hung_runs;
    gate.wait();
    return true;
  });
  hung.policy.timeout = 20ms;
  hung.remedies = {{.name = "restart", .repair = [&] { return ++repairs > 0; }, .verify_within = 5s}};
  add(healer, std::move(hung));
  add(healer, make_check("good", [&] { return ++good_runs > 0; }));
  for (int i = 0; i <= 5; ++i) healer.run_once(Instant(i * 10s));
  EXPECT_EQ(good_runs, 6);
  EXPECT_EQ(hung_runs, 1);
  EXPECT_GE(repairs, 1) << "a time-out leads to the remedy";
  EXPECT_GE(healer.state("hung")->failures, 3U);
  EXPECT_TRUE(healer.state("hung")->looking);
  EXPECT_EQ(healer.state("good")->status, Status::healthy);
  gate.open();
  EXPECT_TRUE(eventually([&] {
    healer.run_once(Instant(50s));  // nothing new is due
    return !healer.state("hung")->looking;
  }));
  EXPECT_EQ(healer.state("hung")->successes, 0U) << "a late result is dropped";
}

TEST(Healer, AHangingRepairDoesNotStopTheLadder) {
  std::atomic<int> escalations = 0;
  std::atomic<int> runs = 0;
  Gate gate;
  Healer healer({.escalate = [&](const Escalation&) { ++escalations; }});
  const Opener opener{gate};
  Check check = make_check("db", [] { return false; });
  check.remedies = {{.name = "hang",
                     .repair =
                         [&] {
                           ++runs;
                           gate.wait();
                           return true;
                         },
                     .attempts = 3,
                     .timeout = 20ms}};
  add(healer, std::move(check));
  Instant now(0s);
  while (escalations == 0 && now < Instant(1h)) now = healer.run_once(now);
  EXPECT_EQ(steps(healer), (std::vector<std::string>{"verdict", "timed_out", "skipped", "escalated"}));
  EXPECT_EQ(runs, 1);
}

TEST(Healer, RunWorksInRealTimeUntilItIsStopped) {
  std::atomic<bool> well = true;
  std::atomic<int> looks = 0;
  Gate gate;
  Healer healer;
  const Opener opener{gate};
  Check check = make_check("db", [&] {
    ++looks;
    return well.load();
  });
  check.policy.interval = 20ms;
  check.policy.fast_interval = 5ms;
  check.remedies = {{.name = "restart", .repair = [&] { return well = true, true; }}};
  add(healer, std::move(check));
  Check hung = make_check("hung", [&] {
    gate.wait();
    return true;
  });
  hung.policy.interval = 20ms;
  add(healer, std::move(hung));

  std::jthread runner([&](std::stop_token stop) { healer.run(stop); });
  EXPECT_TRUE(eventually([&] { return healer.state("db")->status == Status::healthy; }));
  well = false;
  EXPECT_TRUE(eventually([&] {
    const auto history = healer.history();
    return !history.empty() && history.back().step == HealingStep::verified;
  }));
  add(healer, make_check("late", [] { return true; }));
  EXPECT_TRUE(eventually([&] { return healer.states().size() == 3; }));
  const int before = looks;
  EXPECT_TRUE(eventually([&] { return looks > before + 3; }));
  runner.request_stop();
  runner.join();  // returns although `hung` still runs
  EXPECT_TRUE(healer.state("hung")->looking);
}

TEST(Healer, ACallableMayUseItsHealer) {
  Healer healer;
  std::atomic<std::size_t> seen = 0;
  add(healer, make_check("self", [&] {
        healer.run_once(Instant(5s));  // somebody drives already: does nothing
        seen = healer.states().size();
        return true;
      }));
  healer.run_once(Instant(0s));
  EXPECT_EQ(seen, 1U);
}

TEST(Healer, ManyChecksAreLookedAtTogether) {
  constexpr int kChecks = 40;
  std::latch all(kChecks);
  Healer healer;
  for (int i = 0; i < kChecks; ++i) {
    add(healer, make_check("c" + std::to_string(i), [&all] {
          all.arrive_and_wait();  // returns only when all run at the same time
          return true;
        }));
  }
  healer.run_once(Instant(0s));
  for (const CheckState& state : healer.states()) EXPECT_EQ(state.successes, 1U) << state.id;
}

}  // namespace
}  // namespace homeostat
