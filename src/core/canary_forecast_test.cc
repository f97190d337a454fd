#include "homeostat/canary_forecast.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "homeostat/canary.hpp"
#include "homeostat/random.hpp"

namespace homeostat::canary {
namespace {

using namespace std::chrono_literals;

constexpr Traffic kSixty{.canary_per_minute = 60, .baseline_per_minute = 60};

TEST(CanaryForecast, TellsTheSmallestHarmThatWillBeSeenAndWhenAGoodVersionPasses) {
  const Metric latency{.name = "latency"};
  const Forecast half_an_hour = forecast(latency, {}, 1, kSixty, 30min);
  ASSERT_TRUE(half_an_hour.least_harm && half_an_hour.passes_after);
  EXPECT_NEAR(*half_an_hour.least_harm, 0.045, 0.01);
  EXPECT_GT(*half_an_hour.passes_after, 4min);
  EXPECT_LT(*half_an_hour.passes_after, 10min);
  EXPECT_GT(*forecast(latency, {}, 1, kSixty, 3min).least_harm, 0.1) << "less time, only more harm is seen";
  EXPECT_GT(*forecast(latency, {}, 0.1, kSixty, 30min).least_harm, *half_an_hour.least_harm) << "a tenth of alpha";
}

TEST(CanaryForecast, OfErrorsTakesAllTheTraffic) {
  const Metric errors{.name = "errors", .kind = Kind::errors};
  const Traffic busy{.canary_per_minute = 600, .baseline_per_minute = 600};
  const Forecast five = forecast(errors, {}, 1, busy, 5min);
  ASSERT_TRUE(five.least_harm);
  EXPECT_NEAR(*five.least_harm, 0.9, 0.15) << "1 % to 2 % in about five minutes";
  EXPECT_GT(*forecast(errors, {}, 1, kSixty, 5min).least_harm, 2);
}

TEST(CanaryForecast, SaysNothingWhereNothingWillBeSeen) {
  const Metric latency{.name = "latency"};
  const Forecast none = forecast(latency, {}, 1, {.canary_per_minute = 0, .baseline_per_minute = 60}, 30min);
  EXPECT_FALSE(none.least_harm || none.passes_after);
  const Metric events{.name = "restarts", .kind = Kind::events};
  EXPECT_FALSE(forecast(events, {}, 1, {.canary_per_minute = 1, .baseline_per_minute = 1, .rate = 0}, 1h).passes_after)
      << "no event is no proof that there will be none";
}

TEST(CanaryForecast, IsMadeOfWhatAJudgeHasBeenTold) {
  auto judge = *Judge::make({}, {{.name = "latency"}, {.name = "errors", .kind = Kind::errors}});
  Random random(3);
  Instant now{};
  EXPECT_FALSE(judge.traffic(0, 10min));
  for (; now < Instant(10min); now += 1s) {
    for (const Arm arm : {Arm::canary, Arm::baseline}) {
      const double luck = static_cast<double>(random.below(1000)) / 1000 - 0.5;  // its standard deviation is 0.29
      judge.sample(0, arm, 0.1 * std::exp(luck), now);
      judge.count(1, arm, 0, arm == Arm::canary ? 1 : 9, now);
    }
  }
  const auto latency = judge.traffic(0, 10min);
  ASSERT_TRUE(latency);
  EXPECT_NEAR(latency->canary_per_minute, 60, 0.1);
  EXPECT_NEAR(latency->spread, 0.29, 0.02);
  const auto errors = judge.traffic(1, 10min);
  ASSERT_TRUE(errors);
  EXPECT_NEAR(errors->baseline_per_minute, 540, 5.4);
  EXPECT_GT(errors->rate, 0) << "none so far may be few";
  const Forecast alone = forecast({.name = "latency"}, {}, 0.5, *latency, 30min);
  EXPECT_EQ(judge.expect(0, *latency, 30min).least_harm, alone.least_harm) << "two metrics share alpha";
}

}  // namespace
}  // namespace homeostat::canary
