#include "cuts.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace homeostat::soak {
namespace {

TEST(Cuts, OfItsOwnNetworkTouchNobody) {
  const std::uint64_t seed = std::random_device{}();
  const CutReport report = run_cuts(seed, 10, 5);
  std::cout << "seed " << seed << "\n" << report;
  if (!report.possible) GTEST_SKIP() << "needs root to make namespaces";
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.cuts(), 10U);
  EXPECT_EQ(report.starts, 5U * 10U + report.crashes);
}

}  // namespace
}  // namespace homeostat::soak
