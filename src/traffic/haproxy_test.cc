// A real HAProxy: what it is told it does, and what it does not do is said.
#include "traffic/haproxy.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "traffic/test_kit.hpp"

namespace homeostat::traffic {
namespace {

using testing::Client;
using testing::Crowd;
using testing::Desk;
using testing::RealHaproxy;
using testing::spread;
using namespace std::chrono_literals;

std::map<std::string, int> answers_of(RealHaproxy& haproxy, int requests) {
  Client client(haproxy.port());
  std::map<std::string, int> answers;
  for (int i = 0; i < requests; ++i) ++answers[client.ask()];
  return answers;
}

TEST(Haproxy, GivesEachGroupItsShareToTheRequest) {
  RealHaproxy haproxy(4);
  Desk desk(haproxy.place());
  const std::vector<Group> groups{{3, 950'000}, {1, 50'000}};
  const auto weights = *weights_of(groups);
  const auto done = desk.weights(spread(weights));
  ASSERT_TRUE(done) << done.error().text;
  const auto before = desk.look();
  ASSERT_TRUE(before) << before.error().text;
  const auto answers = answers_of(haproxy, 2000);
  EXPECT_NEAR(answers.at("s4"), 100, 1) << "0.05 points of 2,000 requests";
  const auto after = desk.look();
  ASSERT_TRUE(after);
  ASSERT_EQ(after->size(), 4U);
  EXPECT_EQ(static_cast<int>(after->at(3).requests - before->at(3).requests), answers.at("s4"))
      << "its own counters say the same";
  EXPECT_EQ(after->at(3).answers_5xx, 0U);
}

TEST(Haproxy, SendsNothingToWhatIsDrainedUntilItIsReadyAgain) {
  RealHaproxy haproxy(2);
  Desk desk(haproxy.place());
  ASSERT_TRUE(desk.drain("s1", true));
  EXPECT_EQ(answers_of(haproxy, 20), (std::map<std::string, int>{{"s2", 20}}));
  EXPECT_TRUE(desk.settings()->at(0).drained);
  ASSERT_TRUE(desk.weights({{"s1", 0}})) << "a weight can be set of what is drained";
  ASSERT_TRUE(desk.drain("s1", false)) << "ready, though without weight";
  ASSERT_TRUE(desk.weights({{"s1", 256}}));
  EXPECT_EQ(answers_of(haproxy, 20).at("s1"), 10);
}

TEST(Haproxy, TellsWhoHasBeenPutInMaintenanceByWhom) {
  RealHaproxy haproxy(2);
  Desk desk(haproxy.place());
  EXPECT_FALSE(desk.setting("s1")->maintained);
  testing::say_to(haproxy, "set server pool/s1 state maint");
  EXPECT_TRUE(desk.setting("s1")->maintained);
  EXPECT_FALSE(desk.setting("s1")->disabled) << "not by its configuration";
  EXPECT_EQ(desk.look()->at(0).status, "MAINT");
  ASSERT_TRUE(desk.drain("s2", true));
  EXPECT_EQ(desk.look()->at(1).status, "DRAIN");
  EXPECT_EQ(desk.look()->at(1).weight, 256) << "the weight tells nothing of a drain";
}

TEST(Haproxy, AWholeSwapUnderLoadLosesNoRequest) {
  RealHaproxy haproxy(2);
  Desk desk(haproxy.place());
  Crowd crowd(haproxy.port(), 8);
  for (int i = 0; i < 20; ++i) {
    const auto done = desk.weights({{"s1", i % 2 == 0 ? 0 : 256}, {"s2", i % 2 == 0 ? 256 : 0}});
    ASSERT_TRUE(done) << done.error().text;
    const std::uint64_t before = crowd.answered();
    while (crowd.answered() < before + 50 && crowd.failed() == 0) std::this_thread::sleep_for(1ms);
  }
  crowd.end();
  EXPECT_EQ(crowd.failed(), 0U);
}

TEST(Haproxy, SaysWhatItDoesNotKnow) {
  RealHaproxy haproxy(1);
  Desk desk(haproxy.place());
  EXPECT_NE(desk.weights({{"s9", 10}}).error().text.find("no server `s9`"), std::string::npos);
  EXPECT_NE(desk.drain("s9", true).error().text.find("HAProxy:"), std::string::npos);
  EXPECT_FALSE(desk.drain("s1; shutdown sessions server pool/s1", true)) << "a name is no place for a command";
  HaproxyPlace other = haproxy.place();
  other.backend = "none";
  EXPECT_NE(Desk(other).look().error().text.find("no backend `none`"), std::string::npos);
  other.backend = "pool\nshow info";
  EXPECT_FALSE(Desk(other).settings());
}

TEST(Haproxy, ThatHangsOrIsGoneIsAnErrorAndFoundAgain) {
  RealHaproxy haproxy(1);
  Desk desk(haproxy.place(), 200ms);
  haproxy.signal(SIGSTOP);
  EXPECT_NE(desk.weights({{"s1", 10}}).error().text.find("did not answer"), std::string::npos);
  haproxy.signal(SIGCONT);
  EXPECT_TRUE(desk.weights({{"s1", 10}}));
  haproxy.stop();
  EXPECT_NE(desk.look().error().text.find(haproxy.place().socket), std::string::npos);
  haproxy.start();
  const auto settings = desk.settings();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->at(0).weight, 256) << "a new HAProxy has forgotten what the old one was told, and this is seen";
}

}  // namespace
}  // namespace homeostat::traffic
