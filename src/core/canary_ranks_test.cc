// Rank statistics against what they mean, counted pair by pair, over ties, infinities and what is not a number.
#include "homeostat/canary_ranks.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "homeostat/canary_stats.hpp"

namespace homeostat::canary {
namespace {

using Samples = std::vector<double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Few different values, so that most are tied; now and then an odd one.
rc::Gen<double> any_value() {
  return rc::gen::weightedOneOf<double>({{12, rc::gen::map(rc::gen::inRange(-3, 4), [](int x) { return x * 0.5; })},
                                         {1, rc::gen::element(kInfinity, -kInfinity, kNan, 1e300, -0.0)}});
}

rc::Gen<Samples> samples(int least, int most) {
  return rc::gen::mapcat(rc::gen::inRange(least, most + 1),
                         [](int n) { return rc::gen::container<Samples>(static_cast<std::size_t>(n), any_value()); });
}

rc::Gen<Samples> finite(int least, int most) {
  return rc::gen::mapcat(rc::gen::inRange(least, most + 1), [](int n) {
    return rc::gen::container<Samples>(static_cast<std::size_t>(n),
                                       rc::gen::map(rc::gen::inRange(-20, 21), [](int x) { return x * 0.25; }));
  });
}

double ranked(double x) { return std::isnan(x) ? kInfinity : x; }

/// How many pairs the experiment wins, ties counted half.
double wins(const Samples& experiment, const Samples& control) {
  double sum = 0;
  for (const double x : experiment) {
    for (const double y : control) sum += ranked(x) > ranked(y) ? 1 : ranked(x) == ranked(y) ? 0.5 : 0;
  }
  return sum;
}

/// The statistic by its definition, the variance over all permutations of the mid-ranks.
double slow_statistic(const Samples& experiment, const Samples& control) {
  Samples all = experiment;
  all.insert(all.end(), control.begin(), control.end());
  const auto m = static_cast<double>(experiment.size());
  const auto n = static_cast<double>(control.size());
  double squares = 0;
  for (const double x : all) {
    double rank = 0.5;
    for (const double y : all) rank += ranked(y) < ranked(x) ? 1 : ranked(y) == ranked(x) ? 0.5 : 0;
    squares += (rank - (m + n + 1) / 2) * (rank - (m + n + 1) / 2);
  }
  const double sigma = std::sqrt(m * n / ((m + n) * (m + n - 1)) * squares);
  const double w = wins(experiment, control) - m * n / 2;
  return (w - (w > 0 ? 0.5 : w < 0 ? -0.5 : 0)) / sigma;
}

Samples shuffled(Samples x) {
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  for (std::size_t i = x.size(); i > 1; --i) std::swap(x[i - 1], x[(seed * i * 2654435761U >> 7) % i]);
  return x;
}

RC_GTEST_PROP(ShiftTestProperty, IsWhatCountingPairsGives, ()) {
  const Samples x = *samples(1, 8);
  const Samples y = *samples(1, 8);
  const auto got = ShiftTest(x, y).statistic(0);
  const double slow = slow_statistic(x, y);
  if (!got) {
    RC_ASSERT(std::isnan(slow));  // all tied: 0 / 0
  } else {
    RC_ASSERT(std::abs(*got - slow) <= 1e-9);
  }
}

RC_GTEST_PROP(ShiftTestProperty, DoesNotDependOnTheOrder, ()) {
  const Samples x = *samples(1, 12);
  const Samples y = *samples(1, 12);
  const double shift = *rc::gen::element(0.0, 0.5, -1.0);
  RC_ASSERT((ShiftTest(x, y).statistic(shift) == ShiftTest(shuffled(x), shuffled(y)).statistic(shift)));
}

RC_GTEST_PROP(ShiftTestProperty, ChangesSignWithTheSides, ()) {
  const Samples x = *samples(1, 12);
  const Samples y = *samples(1, 12);
  const auto one = ShiftTest(x, y).statistic(0);
  const auto other = ShiftTest(y, x).statistic(0);
  RC_ASSERT(one.has_value() == other.has_value());
  if (one) RC_ASSERT(*one == -*other);
  RC_ASSERT(ShiftTest(x, y).p_value() == ShiftTest(y, x).p_value());
}

RC_GTEST_PROP(ShiftTestProperty, FallsAsTheExperimentIsMovedDown, ()) {
  const Samples x = *finite(2, 12);
  const Samples y = *finite(2, 12);
  const ShiftTest test(x, y);
  const auto high = test.statistic(test.least() - 1);
  const auto low = test.statistic(test.most() + 1);
  RC_ASSERT(high.has_value() && low.has_value());
  RC_ASSERT(*high > 0);
  RC_ASSERT(*low < 0);
}

RC_GTEST_PROP(ShiftIntervalProperty, LiesBetweenTheExtremesAndTurnsWithTheSides, ()) {
  const Samples x = *finite(1, 20);
  const Samples y = *finite(1, 20);
  const auto one = shift_interval(x, y, 0.98);
  const auto other = shift_interval(y, x, 0.98);
  RC_ASSERT(one.has_value() == other.has_value());
  if (!one) return;
  const ShiftTest test(x, y);
  RC_ASSERT(one->lower >= test.least() && one->upper <= test.most());
  // Brent's method stops anywhere within its tolerance of a jump, and jumps are a quarter apart here.
  RC_ASSERT(std::abs(one->lower + other->upper) <= 2.1e-4 + 1e-12);
}

RC_GTEST_PROP(CommonLanguageEffectProperty, IsTheShareOfPairsThatAreWon, ()) {
  const Samples x = *samples(1, 10);
  const Samples y = *samples(1, 10);
  const double share = wins(x, y) / static_cast<double>(x.size() * y.size());
  RC_ASSERT(std::abs(common_language_effect(x, y) - share) <= 1e-12);
  RC_ASSERT(std::abs(common_language_effect(x, y) + common_language_effect(y, x) - 1) <= 1e-12);
}

TEST(ShiftInterval, NeedsSamplesThatDiffer) {
  EXPECT_FALSE(shift_interval({}, Samples{1, 2}, 0.95).has_value());
  EXPECT_FALSE(shift_interval(Samples{1, 2}, {}, 0.95).has_value());
  EXPECT_FALSE(shift_interval(Samples{3, 3}, Samples{3, 3, 3}, 0.95).has_value());
  EXPECT_FALSE(shift_interval(Samples{5}, Samples{3}, 0.95).has_value()) << "moved together they are tied";
}

TEST(ShiftInterval, ReachesTheExtremesWhereFewSamplesCannotProveAnything) {
  const auto interval = shift_interval(Samples{100, 101, 102}, Samples{1, 2, 3}, 0.98);
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->lower, 97);
  EXPECT_EQ(interval->upper, 101);
}

TEST(ShiftInterval, NeedsSamplesOnBothSides) {
  for (const auto& [x, y] : {std::pair{Samples{}, Samples{1}}, {Samples{1}, {}}, {Samples{}, {}}}) {
    EXPECT_EQ(ShiftTest(x, y).statistic(0).error(), "there are no samples");
    EXPECT_EQ(ShiftTest(x, y).p_value(), 1);
    EXPECT_FALSE(shift_interval(x, y, 0.95).has_value());
  }
}

TEST(ShiftInterval, EndsWithInfinitiesToo) {
  const Samples odd{1, kInfinity, 2, kNan, -kInfinity};
  EXPECT_NO_FATAL_FAILURE((void)shift_interval(odd, Samples{1, 2, 3}, 0.95));
  EXPECT_NO_FATAL_FAILURE((void)shift_interval(Samples{1, 2, 3}, odd, 0.95));
}

RC_GTEST_PROP(PercentileProperty, GrowsFromTheLeastToTheMost, ()) {
  const Samples x = *finite(1, 15);
  const double a = *rc::gen::map(rc::gen::inRange(1, 101), [](int p) { return static_cast<double>(p); });
  const double b = *rc::gen::map(rc::gen::inRange(1, 101), [](int p) { return static_cast<double>(p); });
  RC_ASSERT(percentile(x, std::min(a, b)) <= percentile(x, std::max(a, b)));
  RC_ASSERT(percentile(x, 100) == *std::max_element(x.begin(), x.end()));
  RC_ASSERT(percentile(x, 1) >= *std::min_element(x.begin(), x.end()));
}

TEST(Statistics, OfNoneAndOne) {
  EXPECT_EQ(mean({}), 0);
  EXPECT_EQ(standard_deviation(Samples{4}), 0);
  EXPECT_TRUE(std::isnan(percentile({}, 50)));
  EXPECT_EQ(summarise({}).count, 0U);
}

TEST(Statistics, OfTheWholePopulationAreExactWhereTheyCanBe) {
  EXPECT_EQ(population_deviation(Samples{-5.5, -6.25}), 0.375) << "an outlier is further than this, not as far";
  EXPECT_EQ(population_deviation({}), 0);
}

TEST(NormalQuantile, InvertsTheDistribution) {
  for (const double p : {1e-300, 1e-12, 0.01, 0.02425, 0.3, 0.5, 0.7, 0.98, 1 - 1e-12}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)) / p, 1, 1e-12) << p;
  }
  EXPECT_EQ(normal_quantile(0), -kInfinity);
  EXPECT_EQ(normal_quantile(1), kInfinity);
  EXPECT_TRUE(std::isnan(normal_quantile(1.5)));
}

}  // namespace
}  // namespace homeostat::canary
