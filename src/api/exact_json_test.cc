#include "api/exact_json.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace homeostat::api {
namespace {

namespace json = boost::json;

json::value read(std::string_view text) {
  boost::system::error_code wrong;
  json::value value = parse_exact(text, wrong);
  EXPECT_FALSE(wrong) << text << ": " << wrong.message();
  return value;
}

bool refused(std::string_view text) {
  boost::system::error_code wrong;
  (void)parse_exact(text, wrong);
  return wrong.failed();
}

TEST(ExactJson, ReadsFractionsAsTheyAreWritten) {
  for (const double number : {14.040000000000001, 94.93731769754977, 5e-324, -1.7976931348623157e308, 0.1}) {
    EXPECT_EQ(read(json::serialize(json::value(number))).as_double(), number);
  }
  EXPECT_EQ(read("14.040000000000001").as_double(), 14.040000000000001);
  EXPECT_EQ(read("1e400").as_double(), std::numeric_limits<double>::infinity());
}

TEST(ExactJson, ReadsTheRestAsBoostDoes) {
  constexpr std::string_view kText =
      R"( {"a":[1,-2,18446744073709551615,true,false,null],"b\u00e9":"x\n\ud83d\ude00","c":{},"d":[]} )";
  EXPECT_EQ(read(kText), json::parse(kText));
  EXPECT_TRUE(read("[9223372036854775807]").at(0).is_int64());
}

TEST(ExactJson, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"", "{", "[1,]", "1 2", "nul", "\"\xff\"", "[1.]"})
    EXPECT_TRUE(refused(text)) << text;
  EXPECT_TRUE(refused(std::string(40, '['))) << "too deep";
}

}  // namespace
}  // namespace homeostat::api
