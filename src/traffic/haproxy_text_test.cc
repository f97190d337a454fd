// What HAProxy answers, and what it might.
#include "traffic/haproxy_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace homeostat::traffic {
namespace {

const std::string kNames =
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,"
    "hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,rtime,mode,\n";

TEST(ReadStat, TakesTheServersOfTheBackend) {
  const auto servers = read_stat(kNames +
                                     "in,FRONTEND,,,1,1,9,7,0,0,0,0,0,,,,,OPEN,,0,7,0,0,0,0,,http,\n"
                                     "b,s1,0,0,3,5,,90,0,0,,0,,1,2,0,0,UP 1/2,12,0,80,0,4,6,0,17,http,\n"
                                     "b,\"s,\"\"2\",0,0,0,0,,0,0,0,,0,,0,0,0,0,MAINT,0,0,0,0,0,0,0,0,http,\n"
                                     "b,BACKEND,0,0,3,5,9,90,0,0,0,0,,1,2,0,0,UP,12,0,80,0,4,6,0,17,http,\n"
                                     "other,s1,0,0,3,5,,90,0,0,,0,,1,2,0,0,UP,12,0,80,0,4,6,0,17,http,\n",
                                 "b");
  ASSERT_TRUE(servers) << servers.error().text;
  ASSERT_EQ(servers->size(), 2U);
  const ServerStat& first = servers->front();
  EXPECT_EQ(first.server, "s1");
  EXPECT_EQ(first.status, "UP 1/2");
  EXPECT_EQ(first.weight, 12);
  EXPECT_EQ(first.sessions, 3U);
  EXPECT_EQ(first.requests, 90U);
  EXPECT_EQ(first.answers_5xx, 6U);
  EXPECT_EQ(first.connect_errors, 1U);
  EXPECT_EQ(first.response_errors, 2U);
  EXPECT_EQ(first.response_ms, 17U);
  EXPECT_EQ(servers->at(1).server, "s,\"2");
  EXPECT_FALSE(servers->at(1).response_ms) << "nothing was measured";
}

TEST(ReadStat, SaysWhatIsWrong) {
  EXPECT_NE(read_stat("Unknown command\n", "b").error().text.find("Unknown command"), std::string::npos);
  EXPECT_NE(read_stat("# pxname,svname,\n", "b").error().text.find("no column"), std::string::npos);
  EXPECT_NE(read_stat(kNames, "b").error().text.find("no backend `b`"), std::string::npos);
}

TEST(ReadColumns, TakesTheServersAndTheBackendItself) {
  const std::vector<std::string> columns{"qcur", "stot"};
  const std::string lines = "b,FRONTEND,,,1,1,9,7\nb,s1,0,0,3,5,,90\nother,s1,1,1,1,1,,1\nb,BACKEND,4,0,3,5,9,91\n\n";
  const auto read = read_columns(kNames + lines, "b", columns);
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).server, "s1");
  EXPECT_EQ(read->at(0).values, (std::vector<std::string>{"0", "90"}));
  EXPECT_EQ(read->at(1).server, "");
  EXPECT_EQ(read->at(1).values, (std::vector<std::string>{"4", "91"}));
  const std::vector<std::string> none{"h3_requests"};
  EXPECT_NE(read_columns(kNames + lines, "b", none).error().text.find("no column `h3_requests`"), std::string::npos);
  EXPECT_EQ(read_columns("No such proxy.\n\n", "b", columns).error().text, "HAProxy has no backend `b`");
}

TEST(ReadWeight, TakesOnlyAWeight) {
  EXPECT_EQ(read_weight("10 (initial 100)\n"), 10);
  for (const char* wrong : {"", "No such server.\n", "-1 (initial 1)", "10", "99999999999 (initial 1)"}) {
    EXPECT_FALSE(read_weight(wrong)) << wrong;
  }
}

TEST(PlainName, IsNothingThatCouldBeACommand) {
  EXPECT_TRUE(is_plain_name("web-1.example:80_a"));
  for (const char* wrong : {"", "a b", "a;b", "a\nb", "a/b", "ä"}) EXPECT_FALSE(is_plain_name(wrong)) << wrong;
  EXPECT_FALSE(is_plain_name(std::string(200, 'a')));
}

RC_GTEST_PROP(ReadStat, EndsOnAnyText, (const std::string& text)) {
  (void)read_stat(kNames + text, "b");
  (void)read_stat(text, "b");
  (void)read_columns(kNames + "b,BACKEND," + text, "b", std::vector<std::string>{"qcur", "rtime"});
  (void)read_settings("1\n# be_id be_name srv_id srv_name srv_op_state srv_admin_state srv_uweight\n" + text, "b");
  (void)read_settings(text, "b");
  (void)read_weight(text);
}

}  // namespace
}  // namespace homeostat::traffic
