// HAProxy's statistics as numbers, and what it might say instead.
#include "probe/haproxy_answer.hpp"

#include <gtest/gtest.h>

#include "probe/rates.hpp"

namespace homeostat::probe {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<traffic::StatLine>;

Reading read(bool of_servers, const Lines& lines, std::vector<std::string> columns = {"scur"}) {
  return read_haproxy({{"/socket", "web"}, std::move(columns), of_servers}, lines);
}
std::string why(const Reading& reading) { return reading ? "" : reading.error().why; }

TEST(HaproxyAnswer, TellsOfServersOrOfTheBackend) {
  const Lines lines{{"m1", {"3"}}, {"m2", {""}}, {"m3", {"4"}}, {"", {"9"}}};
  const Reading servers = read(true, lines);
  ASSERT_TRUE(servers);
  ASSERT_EQ(servers->size(), 2U) << "what is not counted is no 0";
  EXPECT_EQ(servers->at(1).key, "m3");
  EXPECT_EQ(servers->at(1).value, 4'000);
  const Reading whole = read(false, lines);
  ASSERT_TRUE(whole);
  ASSERT_EQ(whole->size(), 1U);
  EXPECT_EQ(whole->front().value, 9'000);
}

TEST(HaproxyAnswer, IsNoNumberWhereThereIsNone) {
  EXPECT_EQ(why(read(true, {{"", {"9"}}})), "HAProxy does not count it for any server of web");
  EXPECT_EQ(why(read(false, {{"", {"9", ""}}}, {"qcur", "stot"})), "HAProxy does not count it for the backend of web");
  EXPECT_EQ(why(read(true, {{"m1", {"1"}}, {"m1", {"1"}}})), "server m1 is there twice");
  EXPECT_EQ(why(read(true, {{"m1", {"-1"}}})), "server m1: \"-1\" is negative");
  EXPECT_EQ(why(read(false, {{"", {"UP"}}})), "the backend: \"UP\" is not a number");
}

TEST(Rates, AreOfWhatHasGrownBetweenTwoLooks) {
  Rates rates;
  EXPECT_EQ(rates.of(0, {{10'000, "a"}}, Instant(1s)).error().fault, MetricFault::absent);
  const Reading second = rates.of(0, {{13'000, "a"}, {99'000, "b"}}, Instant(3s));
  ASSERT_TRUE(second);
  ASSERT_EQ(second->size(), 1U) << "b is seen for the first time";
  EXPECT_EQ(second->front().value, 1'500);
  EXPECT_FALSE(rates.of(1, {{13'000, "a"}}, Instant(4s))) << "another source's counter";
}

TEST(Rates, BeginAnewWithTheCounter) {
  Rates rates;
  (void)rates.of(0, {{10'000, "a"}}, Instant(1s));
  EXPECT_FALSE(rates.of(0, {{9'000, "a"}}, Instant(2s)));
  const Reading next = rates.of(0, {{9'000, "a"}}, Instant(3s));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->front().value, 0);
  EXPECT_FALSE(rates.of(0, {{9'500, "a"}}, Instant(3s))) << "no time has passed";
}

TEST(Rates, GoOnUnderAnotherNumber) {
  Rates rates;
  (void)rates.of(0, {{10'000, "a"}}, Instant(1s));
  (void)rates.of(1, {{50'000, "a"}}, Instant(1s));
  rates.renumber({{1, 0}, {2, 7}});
  const Reading read = rates.of(1, {{12'000, "a"}}, Instant(2s));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().value, 2'000);
  EXPECT_FALSE(rates.of(0, {{60'000, "a"}}, Instant(2s))) << "nobody has this number now";
  EXPECT_FALSE(rates.of(2, {{60'000, "a"}}, Instant(2s)));
}

TEST(Rates, OfTheLargestNumbersDoNotOverflow) {
  Rates rates;
  constexpr std::int64_t kLargest = 1'000'000'000'000'000'000;
  (void)rates.of(0, {{0, "a"}}, Instant(1s));
  const Reading read = rates.of(0, {{kLargest, "a"}}, Instant(11s));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().value, kLargest / 10);
}

}  // namespace
}  // namespace homeostat::probe
