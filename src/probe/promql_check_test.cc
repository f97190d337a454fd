#include "probe/promql_check.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "probe/promql_answer.hpp"
#include "probe/test_kit.hpp"

namespace homeostat::probe {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kWallMs = 1'700'000'000'000;

Finding answer(std::int64_t thousandths, bool holds, std::int64_t age_ms = 0) {
  return {Observation{Result::success},
          {},
          std::vector<Told>{{thousandths, {}, kWallMs - age_ms}, {holds ? 1'000 : 0, {}, kWallMs}}};
}

class PromqlJudged : public ::testing::Test {
 protected:
  Finding look(const Finding& found, Duration at = {}) { return check_.judge(found, Instant(at), kWallMs * 1'000'000); }

  static PromqlSpec spec() {
    PromqlSpec out{.request = {}, .expect = "< 0.05", .held_for = 2min, .fresh_within = 1min};
    out.request.emplace();
    return out;
  }
  PromqlCheck check_{spec(), {}};
};

TEST_F(PromqlJudged, OnlyWhatDoesNotHoldForLongIsAFailure) {
  EXPECT_EQ(look(answer(50, true)).seen.result, Result::success);
  const Finding first = look(answer(70, false), 10s);
  EXPECT_EQ(first.seen.result, Result::success);
  EXPECT_EQ(first.detail, "0.07 is not < 0.05");
  EXPECT_EQ(look(answer(70, false), 129s).seen.result, Result::success);
  EXPECT_EQ(look(answer(50, false), 130s).seen.result, Result::failure);
  EXPECT_EQ(look(answer(50, true), 131s).seen.result, Result::success);
  EXPECT_EQ(look(answer(70, false), 132s).seen.result, Result::success) << "from here on the time runs anew";
}

TEST_F(PromqlJudged, FailsUntilItHoldsAgain) {
  look(answer(50, true));
  look(answer(70, false), 10s);
  for (const Duration at : {Duration(130s), Duration(131s), Duration(10min)}) {
    EXPECT_EQ(look(answer(70, false), at).seen.result, Result::failure);
  }
  EXPECT_EQ(look(answer(70, false, 60'001), 11min).seen.result, Result::unknown);
  EXPECT_EQ(look(answer(70, false), 12min).seen.result, Result::failure);
}

// Else a repair that does nothing would be proved by the window that begins with us.
TEST_F(PromqlJudged, WhatWasNeverSeenToHoldIsNoSuccess) {
  const Finding first = look(answer(70, false));
  EXPECT_EQ(first.seen.result, Result::unknown);
  EXPECT_EQ(first.detail, "0.07 is not < 0.05, and it is not known yet for how long");
  EXPECT_EQ(look(answer(70, false), 119s).seen.result, Result::unknown);
  EXPECT_EQ(look(answer(70, false), 120s).seen.result, Result::failure);
}

TEST_F(PromqlJudged, TheSameQuestionHasTheSameWindow) {
  EXPECT_TRUE(check_.asks_the_same(PromqlCheck(spec(), {})));
  PromqlSpec other = spec();
  other.request->path = "/{port}";
  EXPECT_FALSE(PromqlCheck(other, {.port = 1}).asks_the_same(PromqlCheck(other, {.port = 2})));
  other = spec();
  other.held_for = 1min;
  EXPECT_FALSE(check_.asks_the_same(PromqlCheck(other, {})));
}

TEST_F(PromqlJudged, WhatIsNotToldIsUnknown) {
  EXPECT_EQ(look(answer(70, false, 60'001), 1h).seen.result, Result::unknown);
  EXPECT_EQ(look({Observation{Result::failure, Reason::refused, 0, {}}, "refused"}).seen.result, Result::unknown);
  EXPECT_EQ(look({Observation{Result::success}, {}, refuse(MetricFault::unread, "no data")}).detail,
            "the Prometheus does not tell: no data");
  Finding half = answer(70, false);
  half.told->pop_back();
  EXPECT_EQ(look(half, 1h).seen.result, Result::unknown);
}

TEST_F(PromqlJudged, WhatOthersSayIsIndirect) {
  PromqlSpec at_once = spec();
  at_once.held_for = {};
  const Finding bad = PromqlCheck(at_once, {}).judge(answer(70, false), Instant{}, kWallMs * 1'000'000);
  EXPECT_EQ(bad.seen.reason, Reason::reported);
  EXPECT_FALSE(bad.seen.direct());
}

/// A Prometheus that tells one number, of which it says whether it is as it must be.
class PromqlRenumbered : public ::testing::Test {
 protected:
  static std::string body(bool holds) {
    const std::string at = "1700000000";
    const std::string mark = std::string(kMarkLabel) + R"(":")" + std::string(kDoneMark);
    return R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[)" + at +
           R"(,"7"]},{"metric":{")" + mark + R"("},"value":[)" + at + (holds ? R"(,"1"]}]}})" : R"(,"0"]}]}})");
  }
  PromqlSpec spec() const {
    PromqlSpec out{.request = {}, .expect = "< 5", .held_for = 1h, .fresh_within = 1min};
    out.request.emplace() = http_to(server_.port(), "/api/v1/query?query=x");
    return out;
  }

  std::atomic<bool> holds_ = true;
  RawServer server_{[this](int fd, int) {
    while (read_request(fd)) {
      const std::string text = body(holds_);
      say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
                  "\r\n\r\n" + text);
    }
  }};
  World world_;
};

TEST_F(PromqlRenumbered, WhatAsksForTheSameKeepsItsWindow) {
  world_.wall_ns = kWallMs * 1'000'000;
  ASSERT_EQ(world_.look(spec()).seen.result, Result::success) << world_.results[0].detail;
  holds_ = false;
  ASSERT_EQ(world_.look(0).seen.result, Result::success) << "it has held, and not failed for long";
  world_.prober->start(0, ++world_.runs, 5s, steady_now());
  world_.prober->renumber({Prober::kNew, 0});
  world_.prober->prepare(1, spec(), {});
  EXPECT_EQ(world_.look(1).seen.result, Result::success) << world_.results[1].detail;
  EXPECT_EQ(world_.results[0].count, 2) << "what was under way has no number any more";
  world_.prober->prepare(0, spec(), {});
  EXPECT_EQ(world_.look(0).seen.result, Result::unknown) << "another one";

  PromqlSpec changed = spec();
  changed.held_for = 30min;
  world_.prober->renumber({1});
  world_.prober->prepare(0, changed, {});
  EXPECT_EQ(world_.look(0).seen.result, Result::unknown) << "it is not known for how long";
}

/// What a check says of this answer.
World::Seen answered(const std::string& status, const std::string& text, const std::string& expect) {
  RawServer server(always("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " +
                          std::to_string(text.size()) + "\r\n\r\n" + text));
  World world;
  world.wall_ns = kWallMs * 1'000'000;
  PromqlSpec spec{.request = {}, .expect = expect, .held_for = {}, .fresh_within = 1min};
  spec.request.emplace() = http_to(server.port(), "/api/v1/query?query=x");
  return world.look(spec);
}

/// A number, and whether the Prometheus finds that it is as it must be.
std::string numbers(const std::string& number, const std::string& holds) {
  return R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,")" + number +
         R"("]},{"metric":{"homeostat":"done"},"value":[1700000000,")" + holds + R"("]}]}})";
}

TEST(PromqlAnswered, AnyNumberCanBeCompared) {
  EXPECT_EQ(answered("200 OK", numbers("-1", "1"), "< 0").seen.result, Result::success);
  EXPECT_EQ(answered("200 OK", numbers("-0.0625", "0"), "> 0").detail, "-0.063 is not > 0");
  EXPECT_EQ(answered("200 OK", numbers("+Inf", "1"), "> 2").seen.result, Result::success);
  EXPECT_EQ(answered("200 OK", numbers("+Inf", "0"), "< 2").detail, "+Inf is not < 2");
  EXPECT_EQ(answered("200 OK", numbers("-Inf", "0"), "> 2").seen.result, Result::failure);
  EXPECT_EQ(answered("200 OK", numbers("-Inf", "0"), "> 2").detail, "-Inf is not > 2");
  EXPECT_EQ(answered("200 OK", numbers("1e+17", "0"), "< 2").detail, "1e+17 is not < 2");
}

TEST(PromqlAnswered, WhatIsNoNumberIsUnknown) {
  for (const char* holds : {"0", "1"}) {
    const World::Seen seen = answered("200 OK", numbers("NaN", holds), "!= 2");
    EXPECT_EQ(seen.seen.result, Result::unknown);
    EXPECT_EQ(seen.detail, "the Prometheus does not tell: \"NaN\" is not a number");
  }
}

TEST(PromqlAnswered, WhatIsWrongWithAQueryIsSaid) {
  const std::string wrong = R"({"status":"error","errorType":"bad_data","error":"1:1: unknown function\nrat"})";
  const World::Seen seen = answered("400 Bad Request", wrong, "< 0");
  EXPECT_EQ(seen.seen.result, Result::unknown);
  EXPECT_EQ(seen.detail,
            "the Prometheus does not tell: HTTP 400, expected 200-299: bad_data: 1:1: unknown function rat");
  EXPECT_EQ(answered("502 Bad Gateway", "<html>", "< 0").detail,
            "the Prometheus does not tell: HTTP 502, expected 200-299");
}

}  // namespace
}  // namespace homeostat::probe
