#include "runtime/launch.hpp"

#include <gtest/gtest.h>

#include "runtime/fill.hpp"

namespace homeostat::runtime {
namespace {

TEST(Fill, KnowsItsNamesAndLeavesTheRest) {
  const Values values{{"port", "9001"}, {"release", "/srv/{port}"}};
  EXPECT_EQ(fill("--port={port}", values), "--port=9001");
  EXPECT_EQ(fill("{release}/{port}", values), "/srv/{port}/9001") << "what was put in was looked at again";
  EXPECT_EQ(fill(R"({"a":{port}})", values), R"({"a":9001})");
  EXPECT_EQ(fill("{{port}} {Port} {} {port", values), "{9001} {Port} {} {port");
  EXPECT_EQ(fill("", values), "");
}

TEST(Fill, WhatAnAlertDoesNotTellIsEmpty) {
  Values values{{"label_a", "1"}, {"service", "web"}};
  complete_told({"x", "{label_a}", "{label_b}", "{alert}", "{version}", "-{label_c}"}, values);
  EXPECT_EQ(values, (Values{{"label_a", "1"}, {"service", "web"}, {"label_b", ""}, {"alert", ""}}));
}

TEST(Fill, WhatAnAlertTellsIsNoOption) {
  const Values values{{"label_a", "--all"}, {"label_b", "b-"}, {"summary", "-x"}};
  EXPECT_EQ(taken_for_option({"rm", "{label_a}"}, values), "label_a");
  EXPECT_EQ(taken_for_option({"rm", "--", "{label_a}"}, values), "");
  EXPECT_EQ(taken_for_option({"rm", "{label_a}", "--"}, values), "label_a");
  EXPECT_EQ(taken_for_option({"rm", "{label_b}", "{summary}", "--x"}, values), "");
}

TEST(Names, CannotLeaveTheirDirectory) {
  for (const char* good : {"v1", "1.2.3-rc_1", "0"}) EXPECT_TRUE(valid_name(good)) << good;
  for (const char* bad : {"", ".", "..", ".hidden", "-rf", "a/b", "../a", "a b", "a\n", "ä", "a*"}) {
    EXPECT_FALSE(valid_name(bad)) << bad;
  }
  EXPECT_FALSE(valid_name(std::string(129, 'a')));
}

TEST(StartTag, WhatIsWrittenIsReadAndNothingElse) {
  const StartTag tag{.command = {.epoch = 3, .counter = 18446744073709551615ULL}, .port = 65535, .version = "v1"};
  const auto read = parse_tag(to_text(tag));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->command, tag.command);
  EXPECT_EQ(read->port, tag.port);
  EXPECT_EQ(read->version, tag.version);
  EXPECT_TRUE(parse_tag(to_text({})));
  for (const char* bad : {"", "command=1.2", "command=1.2 port=70000 version=", "command=-1.2 port=1 version=",
                          "command=1.2 port=1 version=../x", "x command=1.2 port=1 version="}) {
    EXPECT_FALSE(parse_tag(bad)) << bad;
  }
}

TEST(ChildOf, APlaceholderThatMeansNothingHereIsAnError) {
  ProcessSpec spec;
  spec.command = {"serve", "{port}"};
  EXPECT_EQ(child_of(spec, {"api", 0, {}}).error().text, "the command uses {port}, but `ports` is not set");
  spec.command = {"serve"};
  spec.env = {{"DIR", "{release}"}};
  EXPECT_EQ(child_of(spec, {"api", 0, {}}).error().text, "the command uses {release}, but `releases` is not set");
}

}  // namespace
}  // namespace homeostat::runtime
