#include "kept_kills.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace homeostat::soak {
namespace {

TEST(KeptKills, UnderSystemdLoseNothingAndRepeatNothing) {
  const auto world = systemd_world(HOMEOSTAT_IN_SYSTEMD);
  if (const std::string why = world->begin(); !why.empty()) GTEST_SKIP() << why;
  const std::uint64_t seed = std::random_device{}();
  const KeptReport report = run_kept_kills(*world, seed, 10);
  std::cout << "seed " << seed << "\n" << report;
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.kills, 10U);
}

}  // namespace
}  // namespace homeostat::soak
