#include "traffic/turnstile.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace homeostat::traffic {
namespace {

class Visitor : public Turnstile::Guest {
 public:
  Visitor(Turnstile& turnstile, std::vector<int>& entered, int number, bool stays = true)
      : turnstile_(turnstile), entered_(entered), number_(number), stays_(stays) {}
  void enter() override {
    static int depth = 0;
    EXPECT_EQ(++depth, 1) << "a crowd needs no more of the stack than one";
    entered_.push_back(number_);
    if (!stays_) turnstile_.leave(*this);
    --depth;
  }

 private:
  Turnstile& turnstile_;
  std::vector<int>& entered_;
  int number_;
  bool stays_;
};

constexpr int kRoom = static_cast<int>(Turnstile::kAtOnce);

std::vector<int> first(int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(Turnstile, LetsInAFewAtOnceInTheOrderInWhichTheyCame) {
  Turnstile turnstile;
  std::vector<int> entered;
  std::deque<Visitor> visitors;
  for (int i = 0; i < 10; ++i) turnstile.come(visitors.emplace_back(turnstile, entered, i));
  EXPECT_EQ(entered, first(kRoom));
  turnstile.leave(visitors[static_cast<std::size_t>(kRoom)]);  // waits no longer
  EXPECT_EQ(entered, first(kRoom));
  turnstile.leave(visitors[1]);
  EXPECT_EQ(entered.back(), kRoom + 1);
  turnstile.leave(visitors[1]);
  EXPECT_EQ(entered.back(), kRoom + 1) << "nobody leaves twice";
}

TEST(Turnstile, WhoLeavesAtOnceHoldsNobodyUpHoweverManyTheyAre) {
  Turnstile turnstile;
  std::vector<int> entered;
  std::deque<Visitor> visitors;
  for (int i = 0; i < kRoom; ++i) turnstile.come(visitors.emplace_back(turnstile, entered, i));
  constexpr int kMany = 100;
  for (int i = kRoom; i < kMany; ++i) turnstile.come(visitors.emplace_back(turnstile, entered, i, /*stays=*/false));
  turnstile.leave(visitors[0]);
  EXPECT_EQ(entered, first(kMany));
}

TEST(Turnstile, IsTheSameForAllWhoAskOneSocketAndForNobodyElse) {
  const auto one = Turnstile::before("/run/one");
  EXPECT_EQ(one, Turnstile::before("/run/one"));
  EXPECT_NE(one, Turnstile::before("/run/other"));
}

}  // namespace
}  // namespace homeostat::traffic
