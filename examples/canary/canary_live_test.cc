// A rollout behind a real HAProxy, judged from outside: what fails now and then is taken back, and nobody notices more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

int run(const std::string& releases) {
  const std::string command = "HOMEOSTAT_BUILD='" BUILD "' '" HERE "/run.sh' " + releases;
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CanaryLive, AReleaseThatFailsNowAndThenIsRolledBackAndAGoodOneIsPromoted) { EXPECT_EQ(run("faulty good"), 0); }

}  // namespace
