// What HAProxy's numbers mean for a check.
#include "probe/haproxy_check.hpp"

#include <gtest/gtest.h>

#include "probe/condition.hpp"

namespace homeostat::probe {
namespace {

using namespace std::chrono_literals;

HaproxySpec errors() {
  return {.place = {"/run/h.sock", "web"},
          .server = "m{port}",
          .field = "hrsp_5xx",
          .grows = true,
          .expect = *read_condition("< 2")};
}

Result seen(HaproxyCheck& check, const Reading& reading, Instant now) {
  return check.judge(reading, 1ms, now).seen.result;
}

TEST(HaproxyCheck, AsksForTheColumnOfItsServers) {
  const HaproxyCheck check(errors(), Place{.port = 9001});
  const SourceSpec source = check.source(3s);
  const auto& from = std::get<HaproxySource>(source.from);
  EXPECT_EQ(from.columns, std::vector<std::string>{"hrsp_5xx"});
  EXPECT_TRUE(from.of_servers);
  EXPECT_EQ(source.timeout, 3s);
}

TEST(HaproxyCheck, WhatOnlyGrowsCountsBySoManyASecond) {
  HaproxyCheck check(errors(), Place{.port = 9001});
  const Instant now{1h};
  EXPECT_EQ(seen(check, std::vector<Told>{{10'000, "m9001"}, {0, "m9002"}}, now), Result::unknown);
  EXPECT_EQ(seen(check, std::vector<Told>{{13'000, "m9001"}, {900'000, "m9002"}}, now + 2s), Result::success);
  const Finding bad = check.judge(std::vector<Told>{{33'000, "m9001"}}, 1ms, now + 4s);
  EXPECT_EQ(bad.seen.result, Result::failure);
  EXPECT_EQ(bad.detail, "hrsp_5xx is 10 a second, not < 2");
  EXPECT_EQ(seen(check, std::vector<Told>{{0, "m9001"}}, now + 6s), Result::unknown) << "HAProxy was started anew";
  EXPECT_EQ(seen(check, std::vector<Told>{{0, "m9001"}}, now + 8s), Result::success);
}

TEST(HaproxyCheck, TheSameQuestionGoesOnCounting) {
  const HaproxyCheck check(errors(), Place{.port = 9001});
  EXPECT_TRUE(check.asks_the_same(HaproxyCheck(errors(), Place{.port = 9001})));
  EXPECT_FALSE(check.asks_the_same(HaproxyCheck(errors(), Place{.port = 9002})));
  HaproxySpec other = errors();
  other.expect = *read_condition("< 3");
  EXPECT_FALSE(check.asks_the_same(HaproxyCheck(other, Place{.port = 9001})));
}

TEST(HaproxyCheck, WhatItDoesNotTellIsNotTheInstancesFault) {
  HaproxyCheck check(errors(), Place{.port = 9003});
  const Finding absent = check.judge(std::vector<Told>{{1, "m9001"}}, 1ms, Instant{1h});
  EXPECT_EQ(absent.seen.result, Result::unknown);
  EXPECT_EQ(absent.detail, "HAProxy tells no hrsp_5xx of m9003 in web");
  const Finding gone = check.judge(refuse(MetricFault::unread, "HAProxy's socket is not there"), 1ms, Instant{1h});
  EXPECT_EQ(gone.seen.result, Result::unknown);
  EXPECT_EQ(gone.detail, "HAProxy's socket is not there");
}

TEST(HaproxyCheck, OfTheBackendAsAWhole) {
  HaproxyCheck check({{"/run/h.sock", "web"}, "", "qcur", false, *read_condition("<= 20")}, Place{});
  EXPECT_FALSE(std::get<HaproxySource>(check.source(1s).from).of_servers);
  EXPECT_EQ(seen(check, std::vector<Told>{{20'000, ""}}, Instant{1h}), Result::success);
  EXPECT_EQ(seen(check, std::vector<Told>{{20'001, ""}}, Instant{1h}), Result::failure);
}

TEST(Condition, ComparesAndIsWrittenAsItWasRead) {
  const auto holds = [](std::string_view text, std::int64_t value) { return read_condition(text)->holds(value); };
  EXPECT_TRUE(holds("< 1", 999) && !holds("< 1", 1000) && holds("<= 1", 1000) && !holds("<= 1", 1001));
  EXPECT_TRUE(holds("> 1", 1001) && !holds("> 1", 1000) && holds(">= 1", 1000) && !holds(">= 1", 999));
  EXPECT_TRUE(holds("== 0.5", 500) && !holds("== 0.5", 501) && holds("!= 0.5", 501) && !holds("!= 0.5", 500));
  for (const std::string_view text : {"< 0.05", "<= 20", "> -3", "!= 1.5"}) {
    EXPECT_EQ(to_text(*read_condition(text)), text);
  }
  for (const std::string_view text : {"", "<", "< ", "< x", "=< 1", "1", "<1"})
    EXPECT_FALSE(read_condition(text)) << text;
}

}  // namespace
}  // namespace homeostat::probe
