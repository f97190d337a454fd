#include "homeostat/availability.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

Instant at(std::int64_t seconds) { return Instant(std::chrono::seconds(seconds)); }

TEST(Availability, OneIncidentByHand) {
  AvailabilityFacts facts;
  facts.incidents = {{at(100), at(103), at(110)}};
  facts.down = {{at(100), at(110)}};
  const Availability figures = measure_availability(facts, at(0), at(1000));
  EXPECT_EQ(figures.mttd, 3s);
  EXPECT_EQ(figures.mttr, 10s);
  EXPECT_EQ(figures.mtbf, 990s);
  EXPECT_DOUBLE_EQ(*figures.availability, 0.99);
  EXPECT_DOUBLE_EQ(*figures.uptime, 0.99);
  EXPECT_EQ(figures.failures, 1U);
  EXPECT_EQ(figures.open, 0U);
}

TEST(Availability, MeansOverSeveral) {
  AvailabilityFacts facts;
  facts.incidents = {{at(100), at(101), at(110)}, {at(200), at(204), at(230)}};
  facts.down = {{at(100), at(110)}, {at(200), at(230)}};
  const Availability figures = measure_availability(facts, at(0), at(1000));
  EXPECT_EQ(figures.mttd, 2500ms);
  EXPECT_EQ(figures.mttr, 20s);
  EXPECT_EQ(figures.mtbf, 480s);
  EXPECT_DOUBLE_EQ(*figures.availability, 0.96);
}

TEST(Availability, NoneSeenIsAbsent) {
  const Availability figures = measure_availability({}, at(0), at(1000));
  EXPECT_FALSE(figures.mttd || figures.mttr || figures.mtbf || figures.availability);
  EXPECT_EQ(figures.uptime, 1.0);
  EXPECT_EQ(figures.up, 1000s);
  EXPECT_TRUE(figures.strategies.empty());
}

TEST(Availability, AnEmptyOrReversedWindowGivesNothing) {
  AvailabilityFacts facts;
  facts.incidents = {{at(5), at(5), at(5)}};
  for (const Instant to : {at(5), at(0)}) {
    const Availability figures = measure_availability(facts, at(5), to);
    EXPECT_EQ(figures.failures + figures.open, 0U);
    EXPECT_EQ(figures.up, 0s);
    EXPECT_FALSE(figures.uptime || figures.mtbf);
  }
}

TEST(Availability, AllOfTimeIsAWindowToo) {
  AvailabilityFacts facts;
  facts.incidents = {{kLongAgo, at(3), at(10)}};
  facts.down = {{kLongAgo, kNever}, {at(2), at(10)}};
  facts.maintenance = {{at(0), kNever}};
  const Availability figures = measure_availability(facts, kLongAgo, kNever);
  EXPECT_EQ(figures.up + figures.down + figures.unknown + figures.maintenance, figures.to - figures.from);
  EXPECT_EQ(figures.maintenance, Duration::max());
  EXPECT_EQ(figures.mttr, Duration::max()) << "the longest that can be said";
  EXPECT_GE(figures.uptime.value_or(0), 0.0);
}

TEST(Availability, AnOpenIncidentHasNoRepairYet) {
  AvailabilityFacts facts;
  facts.incidents = {{at(900), at(903), std::nullopt}};
  facts.down = {{at(900), kNever}};
  const Availability figures = measure_availability(facts, at(0), at(1000));
  EXPECT_EQ(figures.open, 1U);
  EXPECT_EQ(figures.failures, 1U);
  EXPECT_FALSE(figures.mttr || figures.availability);
  EXPECT_EQ(figures.mtbf, 900s);
  EXPECT_EQ(figures.down, 100s);
  EXPECT_DOUBLE_EQ(*figures.uptime, 0.9);
}

TEST(Availability, EachEventCountsInTheWindowItFallsInto) {
  AvailabilityFacts facts;
  facts.incidents = {{at(90), at(110), at(205)}};
  facts.down = {{at(90), at(205)}};
  const Availability before = measure_availability(facts, at(0), at(100));
  EXPECT_EQ(before.failures, 1U);
  EXPECT_EQ(before.detected, 0U);
  EXPECT_EQ(before.open, 1U);
  EXPECT_EQ(before.down, 10s);
  const Availability during = measure_availability(facts, at(100), at(200));
  EXPECT_EQ(during.failures, 0U);
  EXPECT_EQ(during.mttd, 20s) << "not cut at the edge";
  EXPECT_EQ(during.open, 1U);
  EXPECT_FALSE(during.mtbf);
  EXPECT_EQ(during.uptime, 0.0);
  const Availability after = measure_availability(facts, at(200), at(300));
  EXPECT_EQ(after.mttr, 115s);
  EXPECT_EQ(after.open, 0U);
  EXPECT_EQ(after.down, 5s);
  EXPECT_EQ(measure_availability(facts, at(205), at(300)).repaired, 1U) << "the edge belongs to the later window";
  const Availability until = measure_availability(facts, at(200), at(205));
  EXPECT_EQ(until.repaired, 0U);
  EXPECT_EQ(until.open, 1U);
}

TEST(Availability, AlwaysDownIsZeroNotNaN) {
  AvailabilityFacts facts;
  facts.incidents = {{at(0), at(0), at(0)}};
  facts.down = {{at(-5), at(200)}};
  const Availability figures = measure_availability(facts, at(0), at(100));
  EXPECT_EQ(figures.mtbf, 0s);
  EXPECT_EQ(figures.mttr, 0s);
  EXPECT_FALSE(figures.availability) << "0 / 0";
  EXPECT_EQ(figures.uptime, 0.0);
}

TEST(Availability, UnknownAndMaintenanceAreNeitherUpNorDown) {
  AvailabilityFacts facts;
  facts.down = {{at(0), at(40)}, {at(10), at(30)}};  // overlapping: merged
  facts.unknown = {{at(30), at(60)}};
  facts.maintenance = {{at(50), at(70)}};
  const Availability figures = measure_availability(facts, at(0), at(100));
  EXPECT_EQ(figures.down, 30s);
  EXPECT_EQ(figures.unknown, 20s);
  EXPECT_EQ(figures.maintenance, 20s);
  EXPECT_EQ(figures.up, 30s);
  EXPECT_DOUBLE_EQ(*figures.uptime, 0.5);
  facts.maintenance = {{kLongAgo, kNever}};
  EXPECT_FALSE(measure_availability(facts, at(0), at(100)).uptime);
}

TEST(Availability, FactsInTheWrongOrderGiveNoNegativeTimes) {
  AvailabilityFacts facts;
  facts.incidents = {{at(50), at(40), at(30)}};
  const Availability figures = measure_availability(facts, at(0), at(100));
  EXPECT_EQ(figures.mttd, 0s);
  EXPECT_EQ(figures.mttr, 0s);
}

TEST(Availability, MeansOfManyLongTimesDoNotOverflow) {
  AvailabilityFacts facts;
  const Duration century = std::chrono::hours(24 * 36525);
  for (int i = 0; i < 100; ++i) facts.incidents.push_back({at(0), at(0) + century, at(0) + century + Duration(i)});
  const Availability figures = measure_availability(facts, at(0), kNever);
  EXPECT_EQ(figures.mttd, century);
  EXPECT_EQ(figures.mttr, century + Duration(49)) << "49.5, rounded down";
}

TEST(Availability, StrategiesAreCountedApart) {
  AvailabilityFacts facts;
  facts.attempts = {{"restart", at(1), true, 10s},  {"rollback", at(2), false, 0s}, {"restart", at(3), true, 2s},
                    {"restart", at(4), false, 99s}, {"restart", at(5), true, 4s},   {"restart", at(100), true, 77s}};
  const Availability figures = measure_availability(facts, at(0), at(100));
  ASSERT_EQ(figures.strategies.size(), 2U);
  const StrategyFigures& restart = figures.strategies[0];
  EXPECT_EQ(restart.strategy, "restart");
  EXPECT_EQ(restart.attempts, 4U);
  EXPECT_EQ(restart.verified, 3U);
  EXPECT_DOUBLE_EQ(restart.rate, 0.75);
  EXPECT_EQ(restart.median_time_to_repair, 4s);
  const StrategyFigures& rollback = figures.strategies[1];
  EXPECT_EQ(rollback.rate, 0.0);
  EXPECT_FALSE(rollback.median_time_to_repair);
  facts.attempts.push_back({"restart", at(6), true, 6s});
  EXPECT_EQ(measure_availability(facts, at(0), at(100)).strategies[0].median_time_to_repair, 5s);
}

TEST(Availability, WhatShadowWouldHaveDoneStandsBesideWhatWasDone) {
  AvailabilityFacts facts;
  facts.attempts = {{"restart", at(1), true, 10s, "", false},
                    {"restart", at(2), true, 2s, "", true},
                    {"rollback", at(3), false, 0s, "", true}};
  const Availability figures = measure_availability(facts, at(0), at(100));
  ASSERT_EQ(figures.strategies.size(), 2U);
  EXPECT_EQ(figures.strategies[0].attempts, 1U);
  EXPECT_EQ(figures.strategies[0].shadow, 1U);
  EXPECT_EQ(figures.strategies[0].verified, 1U);
  EXPECT_EQ(figures.strategies[0].median_time_to_repair, 10s);
  EXPECT_EQ(figures.strategies[1].attempts, 0U);
  EXPECT_EQ(figures.strategies[1].shadow, 1U);
  EXPECT_EQ(figures.strategies[1].rate, 0.0);
}

TEST(AvailabilityProperties, AgreesWithASecondBySecondCount) {
  EXPECT_TRUE(rc::check([] {
    const auto intervals = [] {
      const auto pairs = *rc::gen::container<std::vector<std::pair<int, int>>>(
          rc::gen::pair(rc::gen::inRange(-20, 120), rc::gen::inRange(0, 60)));
      std::vector<Interval> out;
      for (const auto& [from, length] : pairs) out.push_back({at(from), length > 50 ? kNever : at(from + length)});
      return out;
    };
    AvailabilityFacts facts;
    facts.down = intervals();
    facts.unknown = intervals();
    facts.maintenance = intervals();
    const auto covers = [](const std::vector<Interval>& all, Instant when) {
      return std::ranges::any_of(all, [&](const Interval& each) { return each.from <= when && when < each.to; });
    };
    Duration up{}, down{}, unknown{}, maintenance{};
    for (int second = 0; second < 100; ++second) {
      Duration& kind = covers(facts.maintenance, at(second)) ? maintenance
                       : covers(facts.unknown, at(second))   ? unknown
                       : covers(facts.down, at(second))      ? down
                                                             : up;
      kind += 1s;
    }
    const Availability figures = measure_availability(facts, at(0), at(100));
    RC_ASSERT(figures.up == up && figures.down == down);
    RC_ASSERT(figures.unknown == unknown && figures.maintenance == maintenance);
    RC_ASSERT(figures.uptime.has_value() == (up + down > Duration{}));
  }));
}

TEST(ServiceEdges, DownWhenTooFewAreLeftUpWhenEnoughAre) {
  const std::vector<Instant> failures{at(30), at(10), at(20)};
  EXPECT_EQ(down_since(failures, 3, 1), at(30)) << "all three are down";
  EXPECT_EQ(down_since(failures, 3, 2), at(20));
  EXPECT_EQ(down_since(failures, 3, 3), at(10));
  EXPECT_EQ(down_since(failures, 4, 1), std::nullopt) << "one is left";
  EXPECT_EQ(down_since(failures, 3, 0), std::nullopt);
  EXPECT_EQ(down_since(failures, 3, 9), at(10)) << "more than there are cannot be asked for";
  EXPECT_EQ(down_since({}, 0, 1), std::nullopt);
  EXPECT_EQ(up_since(failures, 1), at(10));
  EXPECT_EQ(up_since(failures, 3), at(30));
  EXPECT_EQ(up_since(failures, 4), std::nullopt);
  EXPECT_EQ(up_since({}, 0), kLongAgo);
}

TEST(ServiceEdgesProperties, AgreeWithWalkingThroughTime) {
  EXPECT_TRUE(rc::check([] {
    const auto total = *rc::gen::inRange(1U, 8U);
    const auto min_healthy = *rc::gen::inRange(1U, total + 1);
    std::vector<Instant> failures;
    for (auto left = *rc::gen::inRange(0U, total + 1); left > 0; --left)
      failures.push_back(at(*rc::gen::inRange(0, 20)));
    std::optional<Instant> expected;
    for (int second = 0; second < 20 && !expected; ++second) {
      const auto down = std::ranges::count_if(failures, [&](Instant when) { return when <= at(second); });
      if (total - static_cast<std::uint32_t>(down) < min_healthy) expected = at(second);
    }
    RC_ASSERT(down_since(failures, total, min_healthy) == expected);
    std::optional<Instant> up;
    for (int second = 0; second < 20 && !up; ++second) {
      const auto well = std::ranges::count_if(failures, [&](Instant when) { return when <= at(second); });
      if (well >= static_cast<std::ptrdiff_t>(min_healthy)) up = at(second);
    }
    RC_ASSERT(up_since(failures, min_healthy) == up);
  }));
}

}  // namespace
}  // namespace homeostat
