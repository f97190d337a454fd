#include "homeostat/canary_simple.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace homeostat::canary {
namespace {

using Samples = std::vector<double>;

TEST(SimpleCanary, ComparesTheMeans) {
  const SimpleReport slower = compare_means(Samples{110, 120}, Samples{100, 100}, {});
  EXPECT_EQ(slower.verdict, Verdict::fail);
  EXPECT_EQ(slower.canary_avg, 115);
  EXPECT_EQ(slower.baseline_avg, 100);
  EXPECT_DOUBLE_EQ(slower.improvement_pct, -15);
  EXPECT_EQ(slower.why, "the canary is 15.0 % worse, 5.0 % worse is tolerated");
  EXPECT_EQ(compare_means(Samples{104}, Samples{100}, {}).verdict, Verdict::pass);
  EXPECT_EQ(compare_means(Samples{105}, Samples{100}, {}).verdict, Verdict::pass) << "not beyond";
  EXPECT_EQ(compare_means(Samples{80}, Samples{100}, {}).improvement_pct, 20);
}

TEST(SimpleCanary, KnowsWhichDirectionIsBad) {
  const SimpleRules lower{.worse = Worse::lower};
  EXPECT_EQ(compare_means(Samples{120}, Samples{100}, lower).verdict, Verdict::pass);
  EXPECT_EQ(compare_means(Samples{90}, Samples{100}, lower).verdict, Verdict::fail);
  const SimpleRules either{.worse = Worse::either};
  EXPECT_EQ(compare_means(Samples{90}, Samples{100}, either).verdict, Verdict::fail);
  EXPECT_EQ(compare_means(Samples{110}, Samples{100}, either).verdict, Verdict::fail);
  EXPECT_EQ(compare_means(Samples{-90}, Samples{-100}, {}).verdict, Verdict::fail) << "higher, below zero too";
}

TEST(SimpleCanary, NeedsABaselineThatIsNotZero) {
  EXPECT_EQ(compare_means(Samples{1}, Samples{0, 0}, {}).verdict, Verdict::not_enough_data);
  EXPECT_EQ(compare_means(Samples{}, Samples{1}, {}).verdict, Verdict::not_enough_data);
  EXPECT_EQ(compare_means(Samples{1}, Samples{}, {}).verdict, Verdict::not_enough_data);
  EXPECT_EQ(compare_means(Samples{std::numeric_limits<double>::quiet_NaN()}, Samples{1}, {}).verdict,
            Verdict::not_enough_data);
}

TEST(SimpleCanary, FixedBoundsNeedNoBaseline) {
  const SimpleRules rules{.range = Range{.max = 0.5}};
  EXPECT_EQ(compare_means(Samples{0.4, 0.6}, Samples{}, rules).verdict, Verdict::pass) << "the bound itself is inside";
  EXPECT_EQ(compare_means(Samples{0.7}, Samples{0.7}, rules).verdict, Verdict::fail);
  EXPECT_EQ(compare_means(Samples{}, Samples{}, rules).verdict, Verdict::not_enough_data);
}

}  // namespace
}  // namespace homeostat::canary
