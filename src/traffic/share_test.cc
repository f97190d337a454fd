// Weights: what each group of servers gets of the traffic, and that nobody is ever left without a server.
#include "traffic/share.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace homeostat::traffic {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
constexpr std::uint32_t kPoint = kMillion / 100;

TEST(Weights, GiveTheWantedSharesForAnyNumberOfServersAndAnyHalfPercent) {
  for (std::uint32_t stable = 1; stable <= 12; ++stable) {
    for (std::uint32_t canary = 1; canary <= 4; ++canary) {
      for (std::uint32_t share = kPoint; share <= 99 * kPoint; share += kPoint / 2) {
        const auto weights = weights_of(std::vector<Group>{{stable, kMillion - share}, {canary, share}});
        ASSERT_TRUE(weights);
        const auto got = shares_of(*weights);
        EXPECT_LE(std::abs(static_cast<int>(got[1]) - static_cast<int>(share)), static_cast<int>(kPoint) / 20)
            << stable << " stable, " << canary << " canary, " << share;
      }
    }
  }
}

TEST(Weights, LetAllServeWhereThatIsExact) {
  EXPECT_EQ(weights_of(std::vector<Group>{{3, 950'000}, {1, 50'000}})->at(0).servers, 3U);
  const auto few = *weights_of(std::vector<Group>{{3, 10'000}, {1, 990'000}});
  EXPECT_LT(few[0].servers, 3U) << "a third of a percent of what one server does is less than a weight";
  EXPECT_EQ(shares_of(few)[0], 10'000U);
}

TEST(Weights, AreRefusedWhereSomebodyIsToGetTrafficAndHasNoServer) {
  EXPECT_FALSE(weights_of(std::vector<Group>{{0, kMillion / 2}, {3, kMillion / 2}}));
  EXPECT_FALSE(weights_of(std::vector<Group>{{3, kMillion / 2}}));
  EXPECT_TRUE(weights_of(std::vector<Group>{{0, 0}, {3, kMillion}}));
}

TEST(Weights, AllOrNothingIsExact) {
  const std::vector<Group> groups{{4, 0}, {2, kMillion}};
  EXPECT_EQ(weights_of(groups), (std::vector<Weighted>{{0, 0}, {kMostWeight, 2}}));
}

RC_GTEST_PROP(Weights, AShareHasWeightAndNoShareHasNone, ()) {
  std::vector<Group> groups;
  std::uint32_t left = kMillion;
  for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
    const std::uint32_t share = i == 1 ? left : *rc::gen::inRange<std::uint32_t>(0, left + 1);
    left -= share;
    groups.push_back({*rc::gen::inRange<std::uint32_t>(1, 40), share});
  }
  const auto weights = weights_of(groups);
  RC_ASSERT(weights.has_value());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    RC_ASSERT(((*weights)[i].weight > 0) == (groups[i].share > 0));
    RC_ASSERT(((*weights)[i].servers > 0) == (groups[i].share > 0));
    RC_ASSERT((*weights)[i].weight <= kMostWeight && (*weights)[i].servers <= groups[i].servers);
  }
}

RC_GTEST_PROP(SafeOrder, NeverLeavesLessWeightThanBeforeOrAfter, ()) {
  std::vector<Change> changes;
  for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
    changes.push_back({std::to_string(i), *rc::gen::inRange(0, 257), *rc::gen::inRange(0, 257)});
  }
  int before = 0;
  int after = 0;
  for (const Change& change : changes) {
    before += change.from;
    after += change.to;
  }
  int now = before;
  for (const Change& change : in_safe_order(changes)) {
    now += change.to - change.from;
    RC_ASSERT(now >= std::min(before, after));
  }
  RC_ASSERT(now == after);
}

}  // namespace
}  // namespace homeostat::traffic
