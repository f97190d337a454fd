#include "os/loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace homeostat::os {
namespace {

using std::chrono::milliseconds;

struct Call final : Watcher {
  std::function<void()> what;
  int calls = 0;
  void ready(std::uint32_t) override {
    ++calls;
    if (what) what();
  }
};

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  void fill() { EXPECT_EQ(::write(write.get(), "x", 1), 1); }
  Fd read;
  Fd write;
};

TEST(Loop, DeliversToTheWatcherOfTheDescriptor) {
  auto loop = Loop::open();
  ASSERT_TRUE(loop);
  Pipe first;
  Pipe second;
  Call one;
  Call two;
  ASSERT_TRUE(loop->add(first.read.get(), EPOLLIN, one));
  ASSERT_TRUE(loop->add(second.read.get(), EPOLLIN, two));
  EXPECT_EQ(loop->run_once(Duration{}), 0);
  second.fill();
  EXPECT_EQ(loop->run_once(milliseconds(1000)), 1);
  EXPECT_EQ(one.calls, 0);
  EXPECT_EQ(two.calls, 1);
}

TEST(Loop, AWatcherRemovedDuringDeliveryIsNotCalled) {
  auto loop = Loop::open();
  ASSERT_TRUE(loop);
  Pipe first;
  Pipe second;
  auto one = std::make_unique<Call>();
  auto two = std::make_unique<Call>();
  int calls = 0;
  const auto remove_both = [&] {
    ++calls;
    loop->remove(first.read.get(), *one);
    loop->remove(second.read.get(), *two);
  };
  one->what = remove_both;
  two->what = remove_both;
  ASSERT_TRUE(loop->add(first.read.get(), EPOLLIN, *one));
  ASSERT_TRUE(loop->add(second.read.get(), EPOLLIN, *two));
  first.fill();
  second.fill();
  EXPECT_EQ(loop->run_once(milliseconds(1000)), 1);
  EXPECT_EQ(calls, 1);
}

TEST(Loop, WaitsLessThanAMillisecond) {
  auto loop = Loop::open();
  ASSERT_TRUE(loop);
  // The shortest of many: a busy machine makes any one of them long.
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 100; ++i) {
    const auto before = std::chrono::steady_clock::now();
    loop->run_once(std::chrono::microseconds(50));
    shortest = std::min(shortest, std::chrono::steady_clock::now() - before);
  }
  EXPECT_LT(shortest, milliseconds(1));
}

TEST(Loop, AClosedDescriptorIsAnErrorThatSaysSo) {
  auto loop = Loop::open();
  ASSERT_TRUE(loop);
  Call call;
  const auto added = loop->add(-1, EPOLLIN, call);
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().text.find("cannot watch descriptor -1"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::os
