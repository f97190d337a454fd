// Weights written to a HAProxy that is exchanged in the middle of it, or whose weights somebody else writes, too.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "os/testing.hpp"
#include "traffic/haproxy.hpp"
#include "traffic/listener_kit.hpp"

namespace homeostat::traffic {
namespace {

using testing::settings_of;
using namespace std::chrono_literals;

constexpr const char* kZero = "\n0 (initial 256)\n\n";
constexpr const char* kFull = "\n256 (initial 256)\n\n";

class WeightsWritten : public ::testing::Test {
 protected:
  void set(std::map<std::string, int> weights) {
    haproxy_.set_weights(std::move(weights), [this](const auto& done) { said_ = done ? "done" : done.error().text; });
  }
  /// What it asks next; it gets this answer.
  std::string asks(const std::string& answer) {
    std::string asked;
    if (auto got = listener_.serve(answer)) asked = *got;
    for (int i = 0; i < 10; ++i) loop_.run_once({});
    return asked;
  }

  os::testing::TempDir dir_;
  testing::Listener listener_{dir_ / "api", 10};
  os::Loop loop_ = std::move(*os::Loop::open());
  Haproxy haproxy_{loop_, {dir_ / "api", "pool"}, [] { return Instant(1s); }};
  std::string said_;
};

TEST_F(WeightsWritten, AreRaisedFirstInWhicheverHaproxyTheyAreLowered) {
  set({{"s1", 0}, {"s2", 256}, {"s3", 256}});
  EXPECT_EQ(asks(settings_of({"s1 2 0 256", "s2 0 0 0", "s3 2 0 0"})), "show servers state pool\n");
  EXPECT_EQ(asks(kFull), "set server pool/s2 weight 256; get weight pool/s2\n");
  EXPECT_EQ(asks(kFull), "set server pool/s3 weight 256; get weight pool/s3\n");
  EXPECT_EQ(asks("\n" + std::string(kZero)),
            "set server pool/s3 weight 256; set server pool/s1 weight 0; get weight pool/s1\n")
      << "with s3, which is up";
  EXPECT_EQ(said_, "") << "not before all has been read back";
  EXPECT_EQ(asks(settings_of({"s1 2 0 0", "s2 0 0 256", "s3 2 0 256"})), "show servers state pool\n");
  EXPECT_EQ(said_, "done");
}

TEST_F(WeightsWritten, ThatAReloadForgetsAreWrittenAgain) {
  set({{"s1", 0}});
  asks(settings_of({"s1 2 0 256"}));
  asks(kZero);
  EXPECT_EQ(asks(settings_of({"s1 2 0 256"})), "show servers state pool\n");
  EXPECT_EQ(asks(kZero), "set server pool/s1 weight 0; get weight pool/s1\n");
  asks(settings_of({"s1 2 0 0"}));
  EXPECT_EQ(said_, "done");
}

TEST_F(WeightsWritten, ThatSomebodyElseWritesAgainAndAgainAreNotFoughtFor) {
  set({{"s1", 0}});
  for (int i = 0; i < 3; ++i) {
    asks(settings_of({"s1 2 0 128"}));
    asks(kZero);
  }
  asks(settings_of({"s1 2 0 128"}));
  EXPECT_EQ(said_, "HAProxy does not keep the weights it is told: pool/s1 has 128, 0 was wanted");
}

TEST_F(WeightsWritten, AnswersOfAHaproxyThatIsAboutToEndAreNoAnswers) {
  set({{"s1", 0}});
  asks(settings_of({"s1 2 0 256"}));
  EXPECT_EQ(asks("Proxy is disabled.\n\n256 (initial 256)\n\n"), "set server pool/s1 weight 0; get weight pool/s1\n");
  EXPECT_EQ(said_, "");
  EXPECT_TRUE(haproxy_.was_exchanged());
  haproxy_.advance(*haproxy_.next_deadline());
  EXPECT_EQ(asks(kZero), "set server pool/s1 weight 0; get weight pool/s1\n");
  asks(settings_of({"s1 2 0 0"}));
  EXPECT_EQ(said_, "done");
}

TEST_F(WeightsWritten, ADrainThatAReloadForgetsIsSaidAgain) {
  haproxy_.set_drain("s1", true, [this](const auto& done) { said_ = done ? "done" : done.error().text; });
  asks("\n");
  EXPECT_FALSE(haproxy_.was_exchanged());
  asks(settings_of({"s1 2 0 256"}));
  EXPECT_TRUE(haproxy_.was_exchanged()) << "the one before may still have requests";
  EXPECT_EQ(asks("\n"), "set server pool/s1 state drain\n");
  EXPECT_EQ(said_, "");
  asks(settings_of({"s1 2 8 256"}));
  EXPECT_EQ(said_, "done");
}

}  // namespace
}  // namespace homeostat::traffic
