#include "kept_kills.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace homeostat::soak {
namespace {

void lose_and_repeat_nothing(KeptWorld& world, std::uint64_t kills) {
  if (const std::string why = world.begin(); !why.empty()) GTEST_SKIP() << why;
  const std::uint64_t seed = std::random_device{}();
  const KeptReport report = run_kept_kills(world, seed, kills);
  std::cout << "seed " << seed << "\n" << report;
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.kills, kills);
}

TEST(KeptKills, UnderSystemdLoseNothingAndRepeatNothing) {
  lose_and_repeat_nothing(*systemd_world(HOMEOSTAT_IN_SYSTEMD), 10);
}

TEST(KeptKills, UnderPodmanLoseNothingAndRepeatNothing) {
  lose_and_repeat_nothing(*podman_world(HOMEOSTAT_IN_CONTAINERS), 5);
}

}  // namespace
}  // namespace homeostat::soak
