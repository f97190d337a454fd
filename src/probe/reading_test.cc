// Numbers out of answers that may say anything.
#include <gtest/gtest.h>

#include "probe/json_pointer.hpp"
#include "probe/promql_answer.hpp"
#include "probe/series.hpp"
#include "probe/source.hpp"

namespace homeostat::probe {
namespace {

MetricFault fault_of(const Reading& reading) { return reading ? MetricFault::none : reading.error().fault; }
std::string why(const Reading& reading) { return reading ? "" : reading.error().why; }
std::int64_t only(const Reading& reading) {
  EXPECT_TRUE(reading && reading->size() == 1) << why(reading);
  return reading && reading->size() == 1 ? reading->front().value : -1;
}

TEST(Number, IsReadInThousandths) {
  EXPECT_EQ(read_number("12"), 12'000);
  EXPECT_EQ(read_number("+12.5"), 12'500);
  EXPECT_EQ(read_number("1e3"), 1'000'000);
  EXPECT_EQ(read_number("0.0015"), 2);
  EXPECT_EQ(read_number("-0"), 0);
}

TEST(Number, ThatIsNoneIsRefusedWithItsReason) {
  const std::vector<std::pair<std::string_view, MetricFault>> cases{
      {"", MetricFault::not_a_number},     {"many", MetricFault::not_a_number}, {"12x", MetricFault::not_a_number},
      {"0x10", MetricFault::not_a_number}, {"+-3", MetricFault::not_a_number},  {"1,5", MetricFault::not_a_number},
      {"NaN", MetricFault::not_a_number},  {"+Inf", MetricFault::infinite},     {"-Inf", MetricFault::infinite},
      {"-3", MetricFault::negative},       {"1e400", MetricFault::too_large},   {"1e17", MetricFault::too_large},
      {"1 2", MetricFault::not_a_number},  {"1e-400", MetricFault::too_large}};
  for (const auto& [text, fault] : cases) {
    const auto read = read_number(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().fault, fault) << text;
    EXPECT_NE(read.error().why.find(std::string(text.substr(0, 40))), std::string::npos) << read.error().why;
  }
}

TEST(Number, ThatIsPrintedStandsAlone) {
  EXPECT_EQ(only(read_printed(" 42\r\n", 1)), 42'000);
  const Reading queue = read_printed("42 7\n", 2);
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->at(1).value, 7'000);
  EXPECT_EQ(fault_of(read_printed("42 7\n", 1)), MetricFault::not_a_number);
  EXPECT_EQ(fault_of(read_printed("42\n", 2)), MetricFault::not_a_number);
  EXPECT_EQ(fault_of(read_printed(" \n", 1)), MetricFault::absent);
  EXPECT_EQ(fault_of(read_printed("warning: slow\n42\n", 1)), MetricFault::not_a_number);
}

Reading json(std::string_view pointer, std::string_view document) {
  return read_json(*parse_pointer(pointer), document);
}

TEST(JsonPointer, FindsTheNumber) {
  EXPECT_EQ(only(json("/stats/waiting", R"({"a":[1,{"x":2}],"stats":{"busy":3,"waiting":7}})")), 7'000);
  EXPECT_EQ(only(json("/a/1/x", R"({"a":[1,{"x":2.5}]})")), 2'500);
  EXPECT_EQ(only(json("", "5")), 5'000);
  EXPECT_EQ(only(json("/", R"({"":6})")), 6'000);
  EXPECT_EQ(only(json("/a~1b/c~0d", R"({"a/b":{"c~d":1}})")), 1'000);
  EXPECT_EQ(only(json("/aéb", R"({"a\u00e9b":1})")), 1'000);
  EXPECT_EQ(only(json("/n", R"({"n":1844674407370})")), 1'844'674'407'370'000);
  EXPECT_EQ(only(json("/n", R"({"n":0.1,"n2":1})")), 100);
  EXPECT_EQ(only(json("/x/n", R"({"y":{"n":1,"n":2},"x":{"n":3}})")), 3'000) << "what is elsewhere does not matter";
}

TEST(JsonPointer, SaysWhatIsThereInstead) {
  EXPECT_EQ(why(json("/stats/waiting", R"({"stats":{}})")), "the answer has no /stats/waiting");
  EXPECT_EQ(fault_of(json("/stats/waiting", R"({"stats":{}})")), MetricFault::absent);
  EXPECT_EQ(fault_of(json("/a/2", R"({"a":[1,2]})")), MetricFault::absent);
  EXPECT_EQ(fault_of(json("/a/01", R"({"a":[1,2]})")), MetricFault::absent);
  EXPECT_EQ(fault_of(json("/a/b", R"({"a":3})")), MetricFault::absent);
  EXPECT_EQ(why(json("/a", R"({"a":"12"})")), "/a: text, not a number");
  EXPECT_EQ(why(json("/a", R"({"a":null})")), "/a: null, not a number");
  EXPECT_EQ(why(json("/a", R"({"a":[1]})")), "/a: a list, not a number");
  EXPECT_EQ(why(json("/a", R"({"a":-3})")), "/a: \"-3\" is negative");
  EXPECT_EQ(fault_of(json("/a", R"({"a":1e400})")), MetricFault::too_large);
  EXPECT_EQ(fault_of(json("/a", R"({"a":true})")), MetricFault::not_a_number);
}

TEST(JsonPointer, RefusesWhatIsThereTwice) {
  EXPECT_EQ(why(json("/a", R"({"a":1,"a":2})")), "/a is there twice");
  EXPECT_EQ(fault_of(json("/a/b", R"({"a":{"b":1},"a":{"c":2}})")), MetricFault::not_a_number);
  EXPECT_EQ(fault_of(json("/a/b", R"({"a":{"b":1,"\u0062":1}})")), MetricFault::not_a_number);
}

TEST(JsonPointer, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"", "{", R"({"a":NaN})", R"({"a":1}})", "<html>", R"({"a":1,})", R"({'a':1})"}) {
    EXPECT_EQ(fault_of(json("/a", text)), MetricFault::unread) << text;
  }
  EXPECT_EQ(fault_of(json("/a", std::string(100'000, '['))), MetricFault::unread);
}

TEST(JsonPointer, IsCheckedBeforeItIsUsed) {
  for (const std::string_view text : {"waiting", "/a~2", "/a~", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"})
    EXPECT_FALSE(parse_pointer(text)) << text;
}

Reading series(std::string_view selector, std::string_view text) {
  const auto parsed = parse_selector(selector);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().text);
  return parsed ? read_series(*parsed, text) : refuse(MetricFault::unread, "no selector");
}

constexpr std::string_view kJobs =
    "# HELP jobs_waiting How many wait.\n# TYPE jobs_waiting gauge\n"
    "jobs_waiting{queue=\"a\",state=\"new\"} 3\njobs_waiting{queue=\"a\",state=\"old\",} 4.5\n"
    "jobs_waiting { queue = \"b\" } 100 \njobs_waiting_total 9\nup 1\n";

TEST(Series, AreAddedUp) {
  EXPECT_EQ(only(series("jobs_waiting", kJobs)), 107'500);
  EXPECT_EQ(only(series("jobs_waiting{queue=\"a\"}", kJobs)), 7'500);
  EXPECT_EQ(only(series("jobs_waiting{queue=\"a\",state!=\"old\"}", kJobs)), 3'000);
  EXPECT_EQ(only(series("jobs_waiting{state=\"\"}", kJobs)), 100'000) << "a label that is not there is empty";
  EXPECT_EQ(only(series("jobs_waiting{queue=~\"a|c\"}", kJobs)), 7'500);
  EXPECT_EQ(only(series("jobs_waiting{queue!~\"a.*\"}", kJobs)), 100'000);
  EXPECT_EQ(only(series("up", kJobs)), 1'000);
  EXPECT_EQ(only(series("x{l=\"a\\\\b\\\"c\\nd\"}", "x{l=\"a\\\\b\\\"c\\nd\"} 2\r\n")), 2'000);
}

TEST(Series, ThatAreNotThereAreAbsent) {
  const Reading read = series("jobs_waiting{queue=\"z\"}", kJobs);
  EXPECT_EQ(fault_of(read), MetricFault::absent);
  EXPECT_EQ(why(read), "no series jobs_waiting{queue=\"z\"} in 7 lines");
  EXPECT_EQ(fault_of(series("jobs", kJobs)), MetricFault::absent);
  EXPECT_EQ(fault_of(series("jobs", "")), MetricFault::absent);
}

TEST(Series, OneOfThemThatIsNoNumberMakesTheSumNone) {
  EXPECT_EQ(fault_of(series("x", "x{a=\"1\"} 3\nx{a=\"2\"} NaN\n")), MetricFault::not_a_number);
  EXPECT_EQ(why(series("x", "x{a=\"2\"} -1\n")), "x{a=\"2\"}: \"-1\" is negative");
  EXPECT_EQ(fault_of(series("x", "x +Inf\n")), MetricFault::infinite);
  EXPECT_EQ(fault_of(series("x", "x{a=\"1\"} 9e15\nx{a=\"2\"} 9e15\n")), MetricFault::too_large);
  EXPECT_EQ(why(series("x", "x{a=\"1\"} 3\nx{a=\"1\"} 3\n")), "x{a=\"1\"} is there twice");
}

TEST(Series, AMalformedLineIsRefused) {
  for (const std::string_view text : {"x{a=\"1} 3\n", "x{a=1} 3\n", "x{a=\"1\"b=\"2\"} 3\n", "x 3 yesterday\n",
                                      "x 3 1 2\n", "x{a=\"1\",a=\"2\"} 3\n", "x{ 3\n", "x 3 1e300\n"}) {
    EXPECT_EQ(fault_of(series("x", text)), MetricFault::unread) << text;
  }
  EXPECT_EQ(fault_of(series("x", "x\n")), MetricFault::not_a_number);
}

TEST(Series, TellWhenTheyWereMeasured) {
  EXPECT_EQ(series("x", "x{a=\"1\"} 3 1700000002000\nx{a=\"2\"} 3 1700000001000\n")->front().wall_ms,
            1'700'000'001'000);
  EXPECT_EQ(series("x", "x 3 1700000001.5 # {id=\"7\"} 1\n# EOF\n")->front().wall_ms, 1'700'000'001'500);
  EXPECT_FALSE(series("x", "x 3\n")->front().wall_ms);
}

TEST(Series, ASelectorIsCheckedBeforeItIsUsed) {
  for (const std::string_view text : {"", "1x", "{a=\"b\"}", "x{a=b}", "x{a=\"b\"", "x{a~\"b\"}", "x{=\"b\"}", "x + 1",
                                      "sum(x)", "x[5m]", "x{a=~\"(\"}", "x{a=\"b\" c=\"d\"}"}) {
    EXPECT_FALSE(parse_selector(text)) << text;
  }
}

Reading promql(std::string_view answer, const std::string& label = "", bool done = false) {
  return read_promql({label, done}, answer);
}
std::string vector(std::string_view elements) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + std::string(elements) + "]}}";
}

TEST(Promql, AScalarOrOneElementIsANumber) {
  const Reading scalar = promql(R"({"status":"success","data":{"resultType":"scalar","result":[1700000000.5,"2.5"]}})");
  EXPECT_EQ(only(scalar), 2'500);
  EXPECT_EQ(scalar->front().wall_ms, 1'700'000'000'500);
  EXPECT_EQ(only(promql(vector(R"({"metric":{},"value":[1700000000,"7"]})"))), 7'000);
}

TEST(Promql, TheTimeOfASampleIsToldBesideIt) {
  const Reading read = promql(vector(R"({"metric":{"__name__":"x"},"value":[1700000060,"7"]},)"
                                     R"({"metric":{"homeostat":"at"},"value":[1700000060,"1700000000.25"]})"));
  EXPECT_EQ(only(read), 7'000);
  EXPECT_EQ(read->front().wall_ms, 1'700'000'000'250);
}

TEST(Promql, WhatWasDoneIsToldBesideWhatWaits) {
  const std::string waits = R"({"metric":{"__name__":"x"},"value":[1700000060,"7"]})";
  const std::string done = R"({"metric":{"homeostat":"done"},"value":[1700000060,"900"]})";
  const Reading read = promql(vector(waits + "," + done), "", true);
  ASSERT_TRUE(read) << why(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).value, 7'000);
  EXPECT_EQ(read->at(1).value, 900'000);
  EXPECT_EQ(fault_of(promql(vector(waits), "", true)), MetricFault::absent);
  EXPECT_EQ(fault_of(promql(vector(waits + "," + done + "," + done), "", true)), MetricFault::not_a_number);
}

TEST(Promql, MoreThanOneElementIsRefused) {
  const Reading read = promql(vector(R"({"metric":{"q":"a"},"value":[1,"7"]},{"metric":{"q":"b"},"value":[1,"8"]})"));
  EXPECT_EQ(fault_of(read), MetricFault::not_a_number);
  EXPECT_EQ(why(read), R"(the query has 2 results, such as {"q":"a"}, and one is needed, as of sum(…))");
  EXPECT_EQ(fault_of(promql(vector(""))), MetricFault::absent);
}

TEST(Promql, ByLabelEachElementHasItsKey) {
  const Reading read =
      promql(vector(R"({"metric":{"pod":"a"},"value":[1,"7"]},{"metric":{"pod":"b"},"value":[1,"NaN"]},)"
                    R"({"metric":{"pod":"c"},"value":[1,"9"]})"),
             "pod");
  ASSERT_TRUE(read) << why(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).key, "a");
  EXPECT_EQ(read->at(1).key, "c");
  EXPECT_EQ(read->at(1).value, 9'000);
  EXPECT_EQ(why(promql(vector(R"({"metric":{"pod":"a"},"value":[1,"NaN"]})"), "pod")), "a: \"NaN\" is not a number");
  EXPECT_EQ(fault_of(promql(vector(R"({"metric":{"x":"a"},"value":[1,"7"]})"), "pod")), MetricFault::absent);
  EXPECT_EQ(fault_of(promql(vector(R"({"metric":{"pod":"a","x":"1"},"value":[1,"7"]},)"
                                   R"({"metric":{"pod":"a","x":"2"},"value":[1,"8"]})"),
                            "pod")),
            MetricFault::not_a_number);
}

TEST(Promql, AnythingElseIsNoAnswer) {
  for (const std::string_view text :
       {"", "[]", "null", "<html>", R"({"status":"success"})", R"({"status":"success","data":[]})",
        R"({"status":"error","data":{"resultType":"scalar","result":[1,"2"]}})"}) {
    EXPECT_EQ(fault_of(promql(text)), MetricFault::unread) << text;
  }
  for (const std::string_view element :
       {"7", "{}", R"({"value":[1]})", R"({"value":["1","7"]})", R"({"value":[1,7]})", R"({"value":[1e300,"7"]})"}) {
    EXPECT_EQ(fault_of(promql(vector(element))), MetricFault::unread) << element;
  }
  EXPECT_EQ(fault_of(promql(R"({"status":"success","data":{"resultType":"matrix","result":[]}})")),
            MetricFault::not_a_number);
  EXPECT_EQ(promql_error(R"({"status":"error","errorType":"bad_data","error":"parse\nerror"})"),
            "bad_data: parse error");
  EXPECT_FALSE(promql_error("<html>"));
}

TEST(Promql, TheQueryIsEncodedButForWhatIsFilledIn) {
  EXPECT_EQ(promql_path("/prom/", "sum(x{a=\"{port}\"})", "", std::chrono::seconds(30)),
            "/prom/api/v1/query?query=sum%28x%7Ba%3D%22{port}%22%7D%29&lookback_delta=30000ms");
  EXPECT_NE(promql_path("/", "x{a=\"b\"}", "", std::chrono::seconds(30)).find("timestamp%28x"), std::string::npos);
  EXPECT_EQ(promql_path("", "sum(x)", "y", std::chrono::seconds(1)),
            "/api/v1/query?query=sum%28x%29%0A%20or%20label_replace%28y%0A%2C%22homeostat%22%2C%22done%22%2C%22%22%2C"
            "%22%22%29&lookback_delta=1000ms");
}

}  // namespace
}  // namespace homeostat::probe
