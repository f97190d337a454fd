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

/// It ran from 100 to 200.
UnitState rested(const std::string& active, const std::string& result, std::uint64_t main_ended) {
  UnitState state = killed(SIGTERM, result);
  state.active = active;
  state.left_inactive = state.became_active = 100;
  state.left_active = 200;
  state.main_ended = main_ended;
  return state;
}

TEST(UnitState, TheClockOfSystemdTellsAStopFromAnEnd) {
  EXPECT_FALSE(was_stopped(rested("inactive", "success", 199)));
  EXPECT_FALSE(was_stopped(rested("inactive", "success", 200)));
  EXPECT_TRUE(was_stopped(rested("inactive", "success", 201)));
  EXPECT_TRUE(was_stopped(rested("inactive", "success", 0))) << "it has no main process";
  EXPECT_TRUE(was_stopped(rested("inactive", "success", 99))) << "that was over when it became active";
  EXPECT_TRUE(was_stopped(UnitState{.active = "inactive", .result = "success"})) << "it is forgotten";
  UnitState again = rested("inactive", "success", 199);
  again.left_inactive = 210;
  EXPECT_TRUE(was_stopped(again)) << "while it was being started anew";
  again.result = "exec-condition";
  EXPECT_FALSE(was_stopped(again)) << "its start was not wanted by itself";
}

TEST(UnitState, WhatOutlivesItsMainProcessIsInactiveOnlyOfAStop) {
  UnitState state = rested("inactive", "success", 150);
  state.exit_type = "main";
  EXPECT_FALSE(was_stopped(state));
  state.exit_type = "cgroup";
  EXPECT_TRUE(was_stopped(state));
  state.exit_type = "main";
  state.remains = true;
  EXPECT_TRUE(was_stopped(state));
  state.active = "failed";
  state.result = "exit-code";
  EXPECT_FALSE(was_stopped(state)) << "it does not outlive a failure";
}

TEST(UnitState, WhoMaySayThatHeStopsFailsByHimself) {
  UnitState state = rested("failed", "exit-code", 201);
  state.type = "simple";
  EXPECT_TRUE(was_stopped(state));
  for (const char* type : {"notify", "notify-reload"}) {
    state.type = type;
    EXPECT_FALSE(was_stopped(state)) << type;
  }
}

TEST(UnitState, WhatFailedOfBeingStoppedWasStoppedUnlessSystemdDidSo) {
  for (const char* result : {"exit-code", "signal", "core-dump", "timeout"}) {
    EXPECT_TRUE(was_stopped(rested("failed", result, 201))) << result;
    EXPECT_FALSE(was_stopped(rested("failed", result, 199))) << result;
  }
  for (const char* result : {"watchdog", "oom-kill", "protocol", "start-limit-hit"})
    EXPECT_FALSE(was_stopped(rested("failed", result, 201))) << result;
  UnitState state = rested("failed", "timeout", 201);
  state.may_run = 4'000'000;
  EXPECT_FALSE(was_stopped(state));
  state = rested("failed", "signal", 201);
  state.bus_name = "org.example.Web";
  EXPECT_FALSE(was_stopped(state)) << "the loss of its name ended it";
  state = rested("failed", "exit-code", 201);
  state.left_inactive = 210;
  EXPECT_FALSE(was_stopped(state)) << "it could not be started anew";
}

}  // namespace
}  // namespace homeostat::runtime
