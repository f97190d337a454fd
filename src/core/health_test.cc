#include "homeostat/health.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

constexpr Observation kGood{.result = Result::success};
constexpr Observation kSlow{.result = Result::degraded};
constexpr Observation kBad{.result = Result::failure, .reason = Reason::refused};
constexpr Observation kTimeout{.result = Result::timeout, .reason = Reason::timed_out};
constexpr Observation kUnknown{.result = Result::unknown, .reason = Reason::no_descriptors};
constexpr Observation kExited{.result = Result::failure, .reason = Reason::exited, .code = 1};

constexpr CheckPolicy kPolicy{.failure_threshold = 3, .success_threshold = 2, .startup_grace = 0s};

/// A Health fed one observation a second.
struct Fed {
  HealthChange see(const Observation& seen) { return health.observe(policy, seen, now += 1s); }
  HealthChange see(const Observation& seen, int times) {
    HealthChange last;
    for (int i = 0; i < times; ++i) last = see(seen);
    return last;
  }
  CheckPolicy policy = kPolicy;
  Health health;
  Instant now = Instant(0s);
};

TEST(Health, IsUnknownUntilSeen) {
  Fed fed;
  EXPECT_EQ(fed.health.status(), Status::unknown);
  EXPECT_EQ(fed.health.last_seen(), kLongAgo);
  EXPECT_EQ(fed.see(kGood).to, Status::healthy);
  EXPECT_FALSE(fed.health.confirmed());
  EXPECT_TRUE(fed.health.wants_fast(fed.policy));
  EXPECT_TRUE(fed.see(kGood).confirmed);
  EXPECT_FALSE(fed.health.wants_fast(fed.policy));
}

TEST(Health, AVerdictNeedsTheThresholdInARow) {
  Fed fed;
  fed.see(kGood, 2);
  fed.see(kBad, 2);
  EXPECT_TRUE(fed.health.wants_fast(fed.policy));
  EXPECT_EQ(fed.health.status(), Status::healthy);
  fed.see(kGood);
  fed.see(kTimeout, 2);
  const HealthChange change = fed.see(kBad);
  EXPECT_TRUE(change.verdict);
  EXPECT_EQ(change.from, Status::healthy);
  EXPECT_EQ(change.to, Status::unhealthy);
  EXPECT_EQ(fed.health.first_failure(), Instant(6s)) << "of the run that led to the verdict";
  EXPECT_FALSE(fed.see(kBad).verdict) << "once";
  EXPECT_FALSE(fed.health.wants_fast(fed.policy));
}

TEST(Health, RecoveryIsDegradedUntilVerified) {
  Fed fed;
  fed.see(kBad, 3);
  EXPECT_EQ(fed.see(kGood).to, Status::degraded);
  EXPECT_TRUE(fed.health.wants_fast(fed.policy));
  EXPECT_EQ(fed.see(kBad).to, Status::unhealthy);
  fed.see(kGood);
  const HealthChange change = fed.see(kGood);
  EXPECT_TRUE(change.recovered);
  EXPECT_TRUE(change.confirmed);
  EXPECT_EQ(change.to, Status::healthy);
  EXPECT_EQ(fed.health.first_success(), Instant(6s));
}

TEST(Health, AnExitIsAVerdictAtOnce) {
  Fed fed;
  fed.policy.startup_grace = 60s;
  fed.health.begin_startup(fed.now);
  EXPECT_TRUE(fed.see(kExited).verdict);
  EXPECT_EQ(fed.health.status(), Status::unhealthy);
}

TEST(Health, UnknownNeitherCountsNorResets) {
  Fed fed;
  fed.see(kGood, 2);
  fed.see(kBad, 2);
  EXPECT_FALSE(fed.see(kUnknown).any());
  EXPECT_EQ(fed.health.failures(), 2U);
  EXPECT_TRUE(fed.see(kBad).verdict);
  fed.see(kGood);
  fed.see(kUnknown);
  EXPECT_TRUE(fed.see(kGood).recovered);
}

TEST(Health, ThresholdOfUnknownsInARowIsBlindness) {
  Fed fed;
  fed.policy.failure_threshold = 300;  // more than a byte holds
  fed.see(kGood, 2);
  EXPECT_EQ(fed.see(kUnknown, 299).to, Status::healthy);
  EXPECT_EQ(fed.see(kUnknown).to, Status::unknown);
  EXPECT_EQ(fed.see(kGood).to, Status::healthy);
}

TEST(Health, DegradedOutlastsWhatIsNotASuccess) {
  Fed fed;
  fed.see(kGood, 2);
  EXPECT_EQ(fed.see(kSlow).to, Status::degraded);
  EXPECT_EQ(fed.see(kUnknown).to, Status::degraded);
  EXPECT_EQ(fed.see(kBad).to, Status::degraded) << "a failure makes nothing healthy";
  EXPECT_EQ(fed.see(kGood).to, Status::healthy);
}

TEST(Health, ASuccessAboveTheBoundIsDegraded) {
  Fed fed;
  fed.policy.degraded_above = 100ms;
  Observation seen = kGood;
  seen.latency = 100ms;
  EXPECT_EQ(fed.see(seen).to, Status::healthy);
  seen.latency += 1ns;
  EXPECT_EQ(fed.see(seen).to, Status::degraded);
  EXPECT_EQ(fed.health.last().result, Result::degraded);
}

TEST(Health, GraceStillProbesAndEndsAtTheFirstSuccess) {
  Fed fed;
  fed.policy.startup_grace = 60s;
  fed.health.begin_startup(fed.now);
  fed.see(kBad, 10);
  EXPECT_EQ(fed.health.failures(), 0U);
  EXPECT_TRUE(fed.health.wants_fast(fed.policy));
  fed.see(kGood);
  EXPECT_FALSE(fed.health.starting());
  EXPECT_TRUE(fed.see(kBad, 3).verdict);
}

TEST(Health, GraceEndsInTime) {
  Fed fed;
  fed.policy.startup_grace = 60s;
  fed.health.begin_startup(fed.now);
  fed.see(kBad, 59);
  EXPECT_EQ(fed.health.failures(), 0U);
  EXPECT_TRUE(fed.see(kBad, 3).verdict) << "the failures from 60 s on count";
  EXPECT_EQ(fed.health.first_failure(), Instant(60s));
  EXPECT_FALSE(fed.health.starting());
  EXPECT_FALSE(fed.health.wants_fast(fed.policy)) << "the verdict is there";
}

TEST(Health, ARestartKeepsTheVerdictUntilRecoveryIsVerified) {
  Fed fed;
  fed.policy.startup_grace = 10s;
  fed.see(kBad, 3);
  fed.see(kGood);
  fed.health.begin_startup(fed.now);
  EXPECT_TRUE(fed.health.failing());
  EXPECT_EQ(fed.health.successes(), 0U) << "a success from before the restart proves nothing";
  EXPECT_FALSE(fed.see(kGood).recovered);
  EXPECT_TRUE(fed.see(kGood).recovered);
}

TEST(Health, CriticalAfterSoManyFailures) {
  Fed fed;
  fed.policy.critical_after = 5;
  EXPECT_EQ(fed.see(kBad, 4).to, Status::unhealthy);
  EXPECT_EQ(fed.see(kBad).to, Status::critical);
  fed.see(kGood, 2);
  EXPECT_EQ(fed.see(kBad, 3).to, Status::unhealthy);
}

TEST(Health, ForgetKeepsOnlyTheFlappingHistory) {
  Fed fed;
  for (int i = 0; i < 10; ++i) fed.see(i % 2 == 0 ? kGood : kBad);
  ASSERT_TRUE(fed.health.flapping());
  fed.health.forget();
  EXPECT_TRUE(fed.health.flapping());
  EXPECT_EQ(fed.health.status(), Status::unknown);
  EXPECT_EQ(fed.health.failures(), 0U);
}

TEST(Observation, OnlyWhatTheTargetSaidItselfIsDirect) {
  EXPECT_TRUE(kBad.direct());
  EXPECT_TRUE(kExited.direct());
  EXPECT_FALSE(kTimeout.direct());
  EXPECT_FALSE((Observation{.result = Result::timeout}.direct()));
  EXPECT_FALSE((Observation{.result = Result::failure, .reason = Reason::unreachable}.direct()));
  EXPECT_FALSE(kGood.direct());
}

/// The same machine, slow and obvious: it keeps every result that counted and looks at all of them each time.
struct Model {
  explicit Model(const CheckPolicy& given) : policy(given) {}

  void start(Instant at) {
    startup = at;
    starting = true;
    run.clear();
    unknowns = 0;
    if (!failing) seen_since_start = false, failures = 0;
  }

  void see(const Observation& seen, Instant at) {
    if (seen.result == Result::unknown) {
      ++unknowns;
      return;
    }
    unknowns = 0;
    if (seen.good()) {
      starting = false;
      slow = seen.result == Result::degraded;
      seen_since_start = true;
      counted.push_back(true);
      run.push_back(at);
      update_flapping();
      if (!failing) failures = 0;
      if (failing && run.size() >= policy.success_threshold * (flapping ? 3 : 1))
        failing = critical = false, failures = 0;
      return;
    }
    run.clear();
    if (starting && at - startup < policy.startup_grace && seen.reason != Reason::exited) return;
    starting = false;
    counted.push_back(false);
    update_flapping();
    if (++failures >= policy.failure_threshold || seen.reason == Reason::exited) failing = true;
    if (policy.critical_after > 0 && failures >= policy.critical_after) critical = true;
  }

  void update_flapping() {
    int flips = 0;
    const std::size_t begin = counted.size() > 21 ? counted.size() - 21 : 0;
    for (std::size_t i = begin + 1; i < counted.size(); ++i) flips += counted[i] != counted[i - 1] ? 1 : 0;
    if (flips * 100 >= 30 * 20) flapping = true;
    if (flips * 100 < 25 * 20) flapping = false;
  }

  Status status() const {
    if (unknowns >= policy.failure_threshold) return Status::unknown;
    if (failing) return !run.empty() ? Status::degraded : critical ? Status::critical : Status::unhealthy;
    if (!seen_since_start) return Status::unknown;
    return slow ? Status::degraded : Status::healthy;
  }

  CheckPolicy policy;
  std::vector<bool> counted;
  std::vector<Instant> run;  // of successes
  Instant startup{};
  std::uint32_t failures = 0;
  std::uint32_t unknowns = 0;
  bool starting = false, failing = false, critical = false, flapping = false, slow = false, seen_since_start = false;
};

TEST(HealthProperties, AgreesWithTheSlowModel) {
  EXPECT_TRUE(rc::check([] {
    CheckPolicy policy = kPolicy;
    policy.failure_threshold = *rc::gen::inRange(1U, 5U);
    policy.success_threshold = *rc::gen::inRange(1U, 4U);
    policy.startup_grace = *rc::gen::element<Duration>(0s, 5s);
    policy.critical_after = *rc::gen::element(0U, 4U);
    Health health;
    Model model(policy);
    Instant now(0s);
    // Runs of equal results, so that thresholds are reached often.
    const auto runs = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 7), rc::gen::inRange(1, 9)));
    for (const auto& [kind, length] : runs) {
      const std::vector<Observation> kinds{kGood, kSlow, kBad, kTimeout, kUnknown, kExited};
      if (kind == 6) {
        health.begin_startup(now);
        model.start(now);
        continue;
      }
      for (int i = 0; i < length; ++i) {
        now += 1s;
        const Status before = health.status();
        const bool was_failing = health.failing();
        const HealthChange change = health.observe(policy, kinds[static_cast<std::size_t>(kind)], now);
        model.see(kinds[static_cast<std::size_t>(kind)], now);
        RC_ASSERT(health.status() == model.status());
        RC_ASSERT(health.failing() == model.failing);
        RC_ASSERT(health.flapping() == model.flapping);
        RC_ASSERT(health.failures() == model.failures);
        RC_ASSERT(health.successes() == model.run.size());
        RC_ASSERT(health.starting() == model.starting);
        if (!model.run.empty()) RC_ASSERT(health.first_success() == model.run.front());
        RC_ASSERT(change.from == before && change.to == health.status());
        RC_ASSERT(change.verdict == (!was_failing && health.failing()));
        RC_ASSERT(change.recovered == (was_failing && !health.failing()));
        RC_ASSERT(!health.confirmed() || model.run.size() >= policy.success_threshold);
      }
    }
  }));
}

/// Flapping: starts at 30 % of 20 changes, ends below 25 %, and triples the successes that are asked for.
TEST(Health, FlappingHasHysteresisAndAsksForMore) {
  Fed fed;
  fed.policy.success_threshold = 1;
  fed.policy.failure_threshold = 1;
  const auto pair = [&] { fed.see(kBad), fed.see(kGood); };
  fed.see(kGood);
  pair();
  pair();
  EXPECT_FALSE(fed.health.flapping()) << "4 changes";
  fed.see(kBad);
  EXPECT_FALSE(fed.health.flapping()) << "5 changes";
  EXPECT_TRUE(fed.see(kGood).flapping_changed) << "6 changes";
  EXPECT_EQ(fed.health.needed(fed.policy), 3U);
  EXPECT_FALSE(fed.see(kGood).recovered);
  EXPECT_TRUE(fed.see(kGood).recovered) << "the third success";
  fed.see(kGood, 13);  // 20 results after the first change: one has moved out, 5 are left
  EXPECT_TRUE(fed.health.flapping());
  EXPECT_TRUE(fed.see(kGood).flapping_changed) << "4 are left";
  EXPECT_FALSE(fed.health.flapping());
}

}  // namespace
}  // namespace homeostat
