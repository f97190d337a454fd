// A runtime socket with next to no room, in a time that passes only when the test says so.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/testing.hpp"
#include "traffic/haproxy.hpp"
#include "traffic/listener_kit.hpp"

namespace homeostat::traffic {
namespace {

using testing::address_of;
using testing::Listener;
using testing::settings_of;
using testing::unix_socket;
using namespace std::chrono_literals;

const std::string kSettings = settings_of({"s1 2 0 256"});

class Crowded : public ::testing::Test {
 protected:
  void ask(const std::string& path, int times = 1) {
    for (int i = 0; i < times; ++i) {
      clients_.push_back(std::make_unique<Haproxy>(loop_, HaproxyPlace{path, "pool"}, [this] { return now_; }, 2s));
      clients_.back()->read_back([this](const auto& settings) {
        settings ? ++answered_ : ++failed_;
        if (!settings) said_ = settings.error().text;
      });
    }
  }
  void pass(Duration span) {
    for (const Instant ends = now_ + span; now_ < ends; now_ += 1ms) turn();
  }
  void turn() {
    loop_.run_once({});
    for (const auto& client : clients_) client->advance(now_);
  }

  os::testing::TempDir dir_;
  std::string path_ = dir_ / "api";
  os::Loop loop_ = std::move(*os::Loop::open());
  Instant now_{1s};
  std::vector<std::unique_ptr<Haproxy>> clients_;
  int answered_ = 0;
  int failed_ = 0;
  std::string said_;
};

TEST_F(Crowded, AllWhoAskAtOnceAreAnswered) {
  Listener haproxy(path_, 0);
  ask(path_, 100);
  for (int i = 0; i < 1000 && answered_ < 100; ++i) {
    haproxy.serve(kSettings);
    pass(1ms);
  }
  EXPECT_EQ(answered_, 100);
  EXPECT_EQ(failed_, 0) << said_;
}

TEST_F(Crowded, NoMoreThanAFewTakeRoomThatOthersNeed) {
  Listener haproxy(path_, 100);
  ask(path_, 100);
  pass(1s);
  EXPECT_EQ(haproxy.waiting(), Turnstile::kAtOnce);
}

TEST_F(Crowded, ThatOthersLeaveNoRoomIsSaidWhenTheTimeIsOver) {
  const Listener haproxy(path_, 0);
  const os::Fd other = unix_socket();
  const sockaddr_un address = address_of(path_);
  ASSERT_EQ(::connect(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ask(path_);
  pass(1999ms);
  EXPECT_EQ(failed_, 0) << said_;
  pass(2ms);
  EXPECT_EQ(said_, "HAProxy's socket " + path_ + " has had no room for another connection for 2000 ms");
}

TEST_F(Crowded, WhoWaitsForItsTurnIsToldAsSoonAsWhoHangs) {
  Listener haproxy(path_, 100);
  ask(path_, 20);
  pass(1999ms);
  EXPECT_EQ(failed_, 0) << said_;
  pass(2ms);
  EXPECT_EQ(failed_, 20);
  EXPECT_EQ(said_, "HAProxy did not answer `show servers state pool` within 2000 ms");
}

TEST_F(Crowded, OneThatHangsHoldsNoOtherUp) {
  const Listener hangs(path_, 100);
  Listener other(dir_ / "other", 100);
  ask(path_, 20);
  ask(dir_ / "other");
  turn();
  EXPECT_TRUE(other.serve(kSettings).has_value());
  turn();
  EXPECT_EQ(answered_, 1);
}

TEST_F(Crowded, OneThatIsExchangedForAnotherIsAskedAgain) {
  ask(path_);
  pass(50ms);
  Listener haproxy(path_, 0);
  for (int i = 0; i < 300 && !haproxy.serve("").has_value(); ++i) pass(1ms);  // the old one's end
  for (int i = 0; i < 300 && !haproxy.serve(kSettings).has_value(); ++i) pass(1ms);
  turn();
  EXPECT_EQ(answered_, 1) << said_;
}

TEST_F(Crowded, OneThatIsNotThereIsSaidSoon) {
  ask(path_, 20);
  pass(299ms);
  EXPECT_EQ(failed_, 0) << said_;
  pass(2ms);
  EXPECT_EQ(failed_, 20);
  EXPECT_EQ(said_, "HAProxy's socket " + path_ + ": No such file or directory");
}

TEST_F(Crowded, OneThatEndsEveryConnectionIsSaidSoon) {
  for (const std::string answer : {"", "Proxy is disabled.\n"}) {
    const std::string path = dir_ / ("ends" + std::to_string(answer.size()));
    Listener haproxy(path, 100);
    ask(path);
    const auto serve = [&](int times) {
      for (int i = 0; i < times; ++i, pass(1ms)) haproxy.serve(answer);
    };
    serve(299);
    EXPECT_EQ(failed_, 0) << said_;
    serve(30);
    EXPECT_EQ(std::exchange(failed_, 0), 1) << answer;
  }
}

TEST_F(Crowded, OneThatHasComeBackHasAllItsTimeToAnswer) {
  ask(path_);
  pass(250ms);
  Listener haproxy(path_, 100);
  pass(1s);
  EXPECT_EQ(failed_, 0) << said_;
  haproxy.serve(kSettings);
  turn();
  EXPECT_EQ(answered_, 1);
}

TEST_F(Crowded, OneThatIsExchangedAfterItHadNoRoomIsAskedAgain) {
  auto haproxy = std::make_unique<Listener>(path_, 0);
  const os::Fd other = unix_socket();
  const sockaddr_un address = address_of(path_);
  ASSERT_EQ(::connect(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ask(path_);
  pass(1s);
  haproxy.reset();
  pass(100ms);
  EXPECT_EQ(failed_, 0) << said_;
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  Listener next(path_, 100);
  pass(100ms);
  next.serve(kSettings);
  turn();
  EXPECT_EQ(answered_, 1) << said_;
}

TEST_F(Crowded, WhatCannotChangeIsNotTriedAgain) {
  ask(std::string(200, 'x'));
  turn();
  EXPECT_EQ(failed_, 1);
  EXPECT_NE(said_.find("too long"), std::string::npos) << said_;
}

TEST_F(Crowded, WhoIsForgottenMakesRoomForTheNext) {
  Listener haproxy(path_, 100);
  ask(path_, static_cast<int>(Turnstile::kAtOnce));
  ask(path_);
  clients_.erase(clients_.begin());
  EXPECT_EQ(haproxy.waiting(), Turnstile::kAtOnce + 1);
}

}  // namespace
}  // namespace homeostat::traffic
