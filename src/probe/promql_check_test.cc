#include "probe/promql_check.hpp"

#include <gtest/gtest.h>

namespace homeostat::probe {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kWallMs = 1'700'000'000'000;

Finding answer(std::int64_t thousandths, std::int64_t age_ms = 0) {
  return {Observation{Result::success}, {}, std::vector<Told>{{thousandths, {}, kWallMs - age_ms}}};
}

class PromqlJudged : public ::testing::Test {
 protected:
  Finding look(const Finding& found, Duration at = {}) { return check_.judge(found, Instant(at), kWallMs * 1'000'000); }

  PromqlSpec spec_{.request = {}, .expect = {Expectation::Op::below, 50}, .held_for = 2min, .fresh_within = 1min};
  PromqlCheck check_{spec_, {}};
};

TEST_F(PromqlJudged, OnlyWhatDoesNotHoldForLongIsAFailure) {
  EXPECT_EQ(look(answer(49)).seen.result, Result::success);
  const Finding first = look(answer(70), 10s);
  EXPECT_EQ(first.seen.result, Result::success);
  EXPECT_EQ(first.detail, "0.07 is not < 0.05");
  EXPECT_EQ(look(answer(70), 129s).seen.result, Result::success);
  EXPECT_EQ(look(answer(50), 130s).seen.result, Result::failure);
  EXPECT_EQ(look(answer(49), 131s).seen.result, Result::success);
  EXPECT_EQ(look(answer(70), 132s).seen.result, Result::success) << "from here on the time runs anew";
}

TEST_F(PromqlJudged, WhatIsNotToldIsUnknown) {
  EXPECT_EQ(look(answer(70, 60'001), 1h).seen.result, Result::unknown);
  EXPECT_EQ(look({Observation{Result::failure, Reason::refused, 0, {}}, "refused"}).seen.result, Result::unknown);
  EXPECT_EQ(look({Observation{Result::success}, {}, refuse(MetricFault::unread, "no data")}).detail,
            "the Prometheus does not tell: no data");
  Finding two = answer(70);
  two.told->push_back({70, {}, kWallMs});
  EXPECT_EQ(look(two).seen.result, Result::unknown);
}

TEST(Expectation, HoldsAsItIsWritten) {
  using Op = Expectation::Op;
  struct Row {
    Op op;
    bool less, same, more;
    const char* word;
  };
  for (const Row& row : {Row{Op::below, true, false, false, "< -1.5"}, Row{Op::at_most, true, true, false, "<= -1.5"},
                         Row{Op::above, false, false, true, "> -1.5"}, Row{Op::at_least, false, true, true, ">= -1.5"},
                         Row{Op::equal, false, true, false, "== -1.5"}, Row{Op::other, true, false, true, "!= -1.5"}}) {
    const Expectation expectation{row.op, -1500};
    EXPECT_EQ(holds(expectation, -1501), row.less) << row.word;
    EXPECT_EQ(holds(expectation, -1500), row.same) << row.word;
    EXPECT_EQ(holds(expectation, -1499), row.more) << row.word;
    EXPECT_EQ(in_words(expectation), row.word);
  }
}

}  // namespace
}  // namespace homeostat::probe
