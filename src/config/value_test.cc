#include "config/value.hpp"

#include <gtest/gtest.h>

#include "config/problem.hpp"

namespace homeostat::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, AsPrometheusWritesIt) {
  EXPECT_EQ(parse_duration("150ms"), Duration(150ms));
  EXPECT_EQ(parse_duration("5s"), Duration(5s));
  EXPECT_EQ(parse_duration("10m"), Duration(10min));
  EXPECT_EQ(parse_duration("1h30m"), Duration(90min));
  EXPECT_EQ(parse_duration("1d1s1ms"), Duration(24h + 1s + 1ms));
  EXPECT_EQ(parse_duration("2w"), Duration(14 * 24h));
  EXPECT_EQ(parse_duration("0"), Duration{});
  EXPECT_EQ(parse_duration("10y"), Duration(87600h));
  for (const char* wrong :
       {"", "5", "s", "-5s", "5 s", "30m1h", "5s5s", "1.5s", "11y", "99999999999999999999s", "5us", "forever"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
  for (const char* text : {"150ms", "5s", "1h30m", "1d1s", "0s"}) EXPECT_EQ(show_duration(*parse_duration(text)), text);
}

TEST(Size, WithItsUnit) {
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("10MiB"), 10U << 20);
  EXPECT_EQ(parse_size("1kB"), 1000U);
  EXPECT_EQ(parse_size("2GiB"), std::uint64_t{2} << 30);
  for (const char* wrong : {"", "MiB", "10 MiB", "10mib", "-1", "99999999999GiB"})
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
}

TEST(Percent, FromOneToAHundred) {
  EXPECT_EQ(parse_percent("1%"), 1U);
  EXPECT_EQ(parse_percent("100%"), 100U);
  for (const char* wrong : {"0%", "101%", "34", "%", "-1%", "3.5%"})
    EXPECT_EQ(parse_percent(wrong), std::nullopt) << wrong;
}

TEST(Range, OneOrTwoEndsInOrder) {
  EXPECT_EQ(parse_range("200", 100, 599)->last, 200U);
  EXPECT_EQ(parse_range("200-299", 100, 599)->first, 200U);
  for (const char* wrong : {"", "99", "600", "300-200", "200-", "-200", "200-299-300"}) {
    EXPECT_FALSE(parse_range(wrong, 100, 599).has_value()) << wrong;
  }
}

TEST(Nearest, NearButNotFar) {
  const std::string_view known[] = {"interval", "timeout", "http"};
  EXPECT_EQ(nearest("intervall", known), "interval");
  EXPECT_EQ(nearest("tiemout", known), "timeout");
  EXPECT_EQ(nearest("htpt", known), "http");
  EXPECT_EQ(nearest("colour", known), "");
}

TEST(Quote, ShortAndHarmless) {
  EXPECT_EQ(quote("a\nb"), "`a b`");
  EXPECT_EQ(quote(std::string(100, 'x')), "`" + std::string(57, 'x') + "…`");
  EXPECT_EQ(quote(std::string(59, 'x') + "\xc3\xa9y"), "`" + std::string(57, 'x') + "…`");
}

}  // namespace
}  // namespace homeostat::config
