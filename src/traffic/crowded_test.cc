// A runtime socket with next to no room, in a time that passes only when the test says so.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <vector>

#include "os/testing.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::traffic {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSettings =
    "1\n# be_id be_name srv_id srv_name srv_op_state srv_admin_state srv_uweight\n2 pool 1 s1 2 0 256\n\n";

os::Fd unix_socket() { return os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// Accepts one connection at a time, when it is told to.
class Listener {
 public:
  Listener(const std::string& path, int backlog) : fd_(unix_socket()) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
  }
  /// Answers the next one; false: there is none.
  bool serve(std::string_view answer) {
    const os::Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return false;
    char command[256];
    EXPECT_GT(::recv(peer.get(), command, sizeof command, 0), 0);
    EXPECT_EQ(::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    return true;
  }
  /// So many are connected and have not been accepted.
  std::size_t waiting() {
    std::vector<os::Fd> peers;
    while (os::Fd peer{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)}) peers.push_back(std::move(peer));
    return peers.size();
  }

 private:
  os::Fd fd_;
};

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
  EXPECT_TRUE(other.serve(kSettings));
  turn();
  EXPECT_EQ(answered_, 1);
}

TEST_F(Crowded, OneThatIsExchangedForAnotherIsAskedAgain) {
  ask(path_);
  pass(50ms);
  Listener haproxy(path_, 0);
  for (int i = 0; i < 300 && !haproxy.serve(""); ++i) pass(1ms);  // the old one's end
  for (int i = 0; i < 300 && !haproxy.serve(kSettings); ++i) pass(1ms);
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
