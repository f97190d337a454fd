#include "engine/wheel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace homeostat::engine {
namespace {

using namespace std::chrono_literals;

// The slow model: a deadline an id, rounded up to a tick and never before the tick that was swept last.
TEST(Wheel, FiresWhatAListWouldFire) {
  const bool held = rc::check([] {
    constexpr std::size_t kIds = 8;
    Wheel wheel(kIds);
    std::vector<Instant> model(kIds, kNever);
    Instant now{};
    Instant swept = Instant(-10ms);
    const auto steps = *rc::gen::inRange(1, 80);
    for (int step = 0; step < steps; ++step) {
      if (*rc::gen::inRange(0, 3) > 0) {
        const auto id = static_cast<Wheel::Id>(*rc::gen::inRange<std::size_t>(0, kIds));
        const Instant at = now + std::chrono::milliseconds(*rc::gen::inRange(-100, 100000));
        wheel.set(id, at);
        const Duration since = std::max(at, Instant{}).time_since_epoch();
        model[id] = std::max(Instant((since + kSlack - 1ns) / kSlack * kSlack), swept + kSlack);
        continue;
      }
      now += std::chrono::milliseconds(*rc::gen::inRange(0, 60000));
      const Instant earliest = *std::min_element(model.begin(), model.end());
      RC_ASSERT(wheel.next().has_value() == (earliest != kNever));
      if (earliest != kNever) RC_ASSERT(*wheel.next() <= earliest);
      std::vector<Wheel::Id> fired;
      wheel.expire(now, fired);
      std::vector<std::pair<Instant, Wheel::Id>> expected;
      for (Wheel::Id id = 0; id < kIds; ++id) {
        if (model[id] <= now) expected.emplace_back(std::exchange(model[id], kNever), id);
      }
      std::sort(expected.begin(), expected.end());
      RC_ASSERT(fired.size() == expected.size());
      for (std::size_t i = 0; i < fired.size(); ++i) RC_ASSERT(fired[i] == expected[i].second);
      swept = Instant(now.time_since_epoch() / kSlack * kSlack);
    }
  });
  EXPECT_TRUE(held);
}

TEST(Wheel, ADeadlineAtTheEndOfTimeIsNoOverflow) {
  Wheel wheel(1);
  wheel.set(0, kNever - 1ns);
  EXPECT_EQ(wheel.deadline(0), kNever);
}

}  // namespace
}  // namespace homeostat::engine
