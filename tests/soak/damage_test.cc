#include "damage.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace homeostat::soak {
namespace {

TEST(Damage, IsDetectedOrHarmless) {
  const char* count = std::getenv("HOMEOSTAT_DAMAGES");
  const DamageReport report = run_damages(1, count == nullptr ? 2'500 : std::strtoull(count, nullptr, 10));
  std::cout << report;
  EXPECT_EQ(report.silent, "");
  EXPECT_GE(report.by_kind.size(), 19U) << "every kind of damage to every file";
  EXPECT_EQ(report.by_age.size(), 5U) << "journals of every age";
  for (const auto& [kind, counts] : report.by_kind) EXPECT_GT(counts[0] + counts[1], 0U) << kind;
}

}  // namespace
}  // namespace homeostat::soak
