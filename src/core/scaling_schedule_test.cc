#include "homeostat/scaling_schedule.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace homeostat {
namespace {

using namespace std::chrono;

LocalMinutes at(year_month_day date, int hour, int minute) {
  return sys_days(date).time_since_epoch().count() * 24 * 60 + hour * 60 + minute;
}

constexpr auto kWednesday = 2026y / November / 25;

LocalMinutes next(std::string_view text, LocalMinutes from) {
  return next_match(parse_cron(text).value(), from).value();
}

TEST(ScalingSchedule, FindsTheNextTimeThatMatches) {
  const LocalMinutes now = at(kWednesday, 10, 30);
  EXPECT_EQ(next("* * * * *", now), now + 1);
  EXPECT_EQ(next("30 10 * * *", now), at(2026y / November / 26, 10, 30)) << "strictly later";
  EXPECT_EQ(next("*/15 * * * *", now), at(kWednesday, 10, 45));
  EXPECT_EQ(next("0 8-18/5 * * *", now), at(kWednesday, 13, 0));
  EXPECT_EQ(next("5/20 * * * *", now), at(kWednesday, 10, 45));
  EXPECT_EQ(next("0 8 * * mon-fri", at(2026y / November / 27, 9, 0)), at(2026y / November / 30, 8, 0));
  EXPECT_EQ(next("0 0 * * 7", now), at(2026y / November / 29, 0, 0));
  EXPECT_EQ(next("0 0 1,15 * *", now), at(2026y / December / 1, 0, 0));
  EXPECT_EQ(next("0 0 1 JAN *", now), at(2027y / January / 1, 0, 0));
  EXPECT_EQ(next("0 0 29 2 *", now), at(2028y / February / 29, 0, 0));
  EXPECT_FALSE(next_match(parse_cron("0 0 30 2 *").value(), now));
}

TEST(ScalingSchedule, OfDayAndWeekdayOneIsEnoughWhenBothAreTold) {
  const LocalMinutes now = at(kWednesday, 10, 30);
  EXPECT_EQ(next("0 0 13 * fri", now), at(2026y / November / 27, 0, 0));
  EXPECT_EQ(next("0 0 28 * fri", at(2026y / November / 27, 9, 0)), at(2026y / November / 28, 0, 0));
}

TEST(ScalingSchedule, SaysWhatIsWrong) {
  for (const std::string_view wrong :
       {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
        "1, * * * *", "a * * * *", "-1 * * * *"}) {
    EXPECT_FALSE(parse_cron(wrong)) << wrong;
  }
  EXPECT_EQ(parse_cron("\t0 8\t*  * mon-fri \t").value(), parse_cron("0 8 * * mon-fri").value());
  EXPECT_NE(parse_cron("* 24 * * *").error().find("hour"), std::string::npos);
  EXPECT_NE(parse_cron("* * * * * *").error().find("five fields"), std::string::npos);
}

TEST(ScalingSchedule, IsActiveFromItsStartUntilItsEnd) {
  ScalingSchedule office;
  office.start = parse_cron("0 8 * * mon-fri").value();
  office.end = parse_cron("0 18 * * mon-fri").value();
  EXPECT_FALSE(active(office, at(kWednesday, 7, 59)));
  EXPECT_TRUE(active(office, at(kWednesday, 8, 0)));
  EXPECT_TRUE(active(office, at(kWednesday, 17, 59)));
  EXPECT_FALSE(active(office, at(kWednesday, 18, 0)));
  EXPECT_FALSE(active(office, at(2026y / November / 28, 12, 0))) << "a Saturday";
  ScalingSchedule never = office;
  never.end = never.start;
  EXPECT_FALSE(active(never, at(kWednesday, 12, 0)));
  never.start = parse_cron("0 8 31 2 *").value();
  EXPECT_FALSE(active(never, at(kWednesday, 12, 0))) << "no February has so many days";
  ScalingSchedule night;
  night.start = parse_cron("0 22 * * *").value();
  night.end = parse_cron("0 6 * * *").value();
  EXPECT_TRUE(active(night, at(kWednesday, 23, 0)));
  EXPECT_TRUE(active(night, at(kWednesday, 5, 59))) << "over midnight";
  EXPECT_FALSE(active(night, at(kWednesday, 12, 0)));
}

TEST(ScalingSchedule, ALocalTimeIsShown) {
  EXPECT_EQ(show_local(at(2026y / 3 / 1, 9, 5)), "2026-03-01 09:05");
  EXPECT_EQ(show_local(at(1969y / 12 / 31, 23, 59)), "1969-12-31 23:59");
}

}  // namespace
}  // namespace homeostat
