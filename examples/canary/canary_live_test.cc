// Rollouts behind a real HAProxy, judged from outside: what is slower or fails now and then is taken back.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

int run(const std::string& releases) {
  const std::string command = "HOMEOSTAT_BUILD='" BUILD "' '" HERE "/run.sh' " + releases;
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CanaryLive, WhatIsSlowerOrFailsNowAndThenIsRolledBack) { EXPECT_EQ(run("faulty slow"), 0); }

}  // namespace
