// What `simulate` says of a configuration is the truth of the simulated world.
#include "sim/forecast.hpp"

#include <gtest/gtest.h>

#include "sim/plans.hpp"

namespace homeostat::sim {
namespace {

using namespace std::chrono_literals;

engine::Plan two_of_web() { return plan_of({web("web", 2)}); }

TEST(Forecast, WhatComesUpOnlyToFallAgainIsNotRepaired) {
  const Weather weather{.span = 24h, .mtbf = 4h, .heals_after = 20min, .stubborn_percent = 100, .network_mtbf = {}};
  const Forecast forecast = forecast_one(two_of_web(), weather, 1);
  const ServiceForecast& web = forecast.services.at("web");
  const std::uint64_t crashes = forecast.faults[0];
  ASSERT_GT(forecast.faults[3], 0U) << "no crash loop among the faults: another seed";
  ASSERT_GT(web.repaired, crashes);
  EXPECT_GE(web.to_repair, 19min * static_cast<std::int64_t>(web.repaired - crashes));
}

TEST(Forecast, ARestartCuresWhatIsNotStubborn) {
  const Weather weather{.span = 24h, .mtbf = 2h, .heals_after = 1h, .stubborn_percent = 0, .network_mtbf = {}};
  const Forecast forecast = forecast_one(two_of_web(), weather, 1);
  const ServiceForecast& web = forecast.services.at("web");
  const auto loops = static_cast<std::int64_t>(forecast.faults[3]);
  ASSERT_GT(web.faults, forecast.faults[3]);
  EXPECT_EQ(web.repaired, web.faults);
  // A loop that outlasts the ladder waits until the ladder may begin again.
  EXPECT_LE(web.to_repair, 33min * loops + 3s * static_cast<std::int64_t>(web.faults));
}

TEST(Forecast, IsTheSumOfItsSeeds) {
  const Weather weather{.span = 2h, .mtbf = 30min};
  std::atomic<std::uint64_t> done = 0;
  const Forecast both = forecast(two_of_web(), weather, 5, 2, 2, done);
  Forecast sum = forecast_one(two_of_web(), weather, 5);
  sum.add(forecast_one(two_of_web(), weather, 6));
  EXPECT_EQ(done, 2U);
  EXPECT_EQ(both.inputs, sum.inputs);
  EXPECT_EQ(both.services.at("web").to_repair, sum.services.at("web").to_repair);
  EXPECT_EQ(both.services.at("web").down, sum.services.at("web").down);
}

}  // namespace
}  // namespace homeostat::sim
