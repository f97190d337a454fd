// What systemd says of a unit, and what it means.
#include "runtime/systemd_unit.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace homeostat::runtime {
namespace {

UnitState killed(std::int32_t signal, const std::string& result) {
  UnitState state;
  state.load = "loaded";
  state.active = "failed";
  state.sub = "failed";
  state.result = result;
  state.run = {1, 2, 3};
  state.exit_code = CLD_KILLED;
  state.exit_status = signal;
  return state;
}

TEST(UnitState, OnlySystemdTellsWhetherAKillWasForItsMemory) {
  const Sight plain = sight_of(killed(SIGKILL, "signal"), false);
  EXPECT_EQ(plain.is, Sight::Is::ended);
  EXPECT_TRUE(plain.known && plain.signalled);
  EXPECT_FALSE(plain.out_of_memory);
  EXPECT_EQ(plain.code, SIGKILL);

  const Sight hungry = sight_of(killed(SIGKILL, "oom-kill"), false);
  EXPECT_TRUE(hungry.out_of_memory);
  EXPECT_EQ(hungry.detail, "the unit has failed: oom-kill");
  // The kernel took another of its processes, and systemd then ended the main one.
  EXPECT_EQ(sight_of(killed(SIGTERM, "oom-kill"), false).code, SIGKILL) << "as `signal oom` wants it";
}

TEST(UnitState, AnEndByItselfIsAStopOnlyIfSomebodyHadItStopped) {
  UnitState state = killed(0, "success");
  state.active = "inactive";
  state.exit_code = CLD_EXITED;
  EXPECT_EQ(sight_of(state, false).is, Sight::Is::ended);
  EXPECT_EQ(sight_of(state, true).is, Sight::Is::stopped);
  state.run = {};
  EXPECT_EQ(sight_of(state, false).is, Sight::Is::stopped) << "it was never started, or nobody knows";
}

}  // namespace
}  // namespace homeostat::runtime
