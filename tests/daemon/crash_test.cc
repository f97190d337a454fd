// The daemon is killed, and its next life finds what its last one had started. Kills at random points: tests/soak.
#include <csignal>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

TEST(DaemonAdoption, KeepsHealthyChildrenAndSeesTheirExit) {
  Lab lab;
  lab.configure({lab.service("web", {.instances = 2})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t first = lab.pid("web/0");
  const pid_t second = lab.pid("web/1");
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.pid("web/0"), first);
  EXPECT_EQ(lab.pid("web/1"), second);
  EXPECT_EQ(lab.starts().size(), 2U);

  send_signal(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(0) && lab.pid("web/0") != first; }));
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.pid("web/1"), second);
  EXPECT_EQ(lab.starts().size(), 3U);
}

// No check would notice: the next one is an hour away. Only who has found the process again sees its exit.
TEST(DaemonAdoption, TheExitOfAnAdoptedChildIsSeenWithoutAnyCheck) {
  Lab lab;
  lab.configure({lab.service("web", {.checks = "alive: { http: { path: /healthz }, interval: 1h }"})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  send_signal([&] { return lab.pid("web/0"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.serves(0); }));
  EXPECT_EQ(lab.starts().size(), 2U);
}

TEST(DaemonAdoption, AnInstanceThatDiedMeanwhileIsStartedAgain) {
  Lab lab;
  lab.configure({lab.service("web")});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t before = lab.pid("web/0");
  lab.kill9();
  send_signal(before, SIGKILL);
  ASSERT_TRUE(eventually([&] { return !alive(before); }));
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.starts().size(), 2U);
}

}  // namespace
}  // namespace homeostat::lab
