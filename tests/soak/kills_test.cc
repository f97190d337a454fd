#include "kills.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace homeostat::soak {
namespace {

TEST(Kills, LoseNothingAndRepeatNothing) {
  const std::uint64_t seed = std::random_device{}();
  const KillReport report = run_kills(seed, 50);
  std::cout << "seed " << seed << "\n" << report;
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.total(), 50U);
  EXPECT_GE(report.starts, 10U) << "hardly anything was repaired";
}

}  // namespace
}  // namespace homeostat::soak
