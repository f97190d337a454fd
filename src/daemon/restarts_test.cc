#include "daemon/restarts.hpp"

#include <gtest/gtest.h>

namespace homeostat::daemon {
namespace {

using namespace std::chrono_literals;

TEST(Restarts, CountWhatHappenedSinceTheFirstLookAndWithinTheSpan) {
  Restarts restarts;
  const Instant now{1h};
  restarts.saw(7, now);
  EXPECT_EQ(restarts.within(10min, now), 0U) << "those before anybody looked are old";
  restarts.saw(9, now);
  restarts.saw(10, now + 5min);
  EXPECT_EQ(restarts.within(10min, now + 5min), 3U);
  EXPECT_EQ(restarts.within(10min, now + 11min), 1U);
}

TEST(Restarts, BeginAnewWhenSomebodyHasRestartedIt) {
  Restarts restarts;
  const Instant now{1h};
  restarts.saw(0, now);
  restarts.saw(3, now);
  restarts.saw(0, now + 1s);
  EXPECT_EQ(restarts.within(10min, now + 1s), 0U);
  restarts.saw(1, now + 2s);
  EXPECT_EQ(restarts.within(10min, now + 2s), 1U);
}

}  // namespace
}  // namespace homeostat::daemon
