// What is wrong with a scenario is said with its place and, where one is near, the word that was meant.
#include "scenario/read.hpp"

#include <gtest/gtest.h>

#include "scenario/prepare.hpp"

namespace homeostat::scenario {
namespace {

const std::string kConfig =
    "# a title\n"
    "config\n"
    "  homeostat: 1\n"
    "  services: { web: { run: { process: { command: [serve] } }, checks: { alive: { tcp: { port: 80 } } } } }\n"
    "events\n";

/// What is said about these lines, which begin at line 6.
std::string problem(const std::string& lines) {
  const auto read = read_scenario(kConfig + lines, "a.scn");
  if (!read) return config::render(read.error());
  const auto configs = prepare(*read);
  return configs ? "" : config::render(configs.error().front());
}

TEST(Read, GoodLines) {
  EXPECT_EQ(problem("  at 0s..1m expect no action, web is healthy # a comment\n"), "");
  EXPECT_EQ(problem("  at 10s web crashes\n  at 10s expect web/0 is running, restart of web verified within 10s\n"),
            "");
  EXPECT_EQ(
      problem("\n# between\n  at 1s expect escalation because \"a, text\" to homeostat within 1s\n").substr(0, 22),
      "a.scn:8:48: no notifie");
}

TEST(Read, SaysWhereAndWhatWasMeant) {
  EXPECT_EQ(problem("  at 10s web crashs\n").substr(0, 13), "a.scn:6:14: `");
  EXPECT_NE(problem("  at 10s web crashs\n").find("(did you mean `crashes`?)"), std::string::npos);
  EXPECT_EQ(problem("  at 10x web crashes\n"),
            "a.scn:6:6: `10x` is not a span of time or two with .. between, such as 5s or 5s..6s");
  EXPECT_EQ(problem("  on 10s web crashes\n"), "a.scn:6:3: `on` is not understood here; it may be: at");
  EXPECT_EQ(problem("  at 10s expect wab is healthy\n"),
            "a.scn:6:17: no service `wab` is configured (did you mean `web`?)");
  EXPECT_EQ(problem("  at 10s expect web/1 is healthy\n"), "a.scn:6:17: web has 1 instances, counted from 0");
  EXPECT_EQ(problem("  at 10s expect check aliv of web is healthy\n"),
            "a.scn:6:23: no check `aliv` is configured (did you mean `alive`?)");
  EXPECT_NE(problem("  at 10s expect web is helthy\n").find("(did you mean `healthy`?)"), std::string::npos);
  EXPECT_EQ(problem("  at 10s expect action\n"),
            "a.scn:6:17: this takes time: write `at A..B expect …` or `… within SPAN`");
  EXPECT_EQ(problem("  at 10s expect no web is healthy\n"), "a.scn:6:17: a state cannot be counted; say `is not`");
  EXPECT_EQ(problem("  at 10s expect\n"), "a.scn:6:16: the line ends too early; what is expected?");
  EXPECT_EQ(problem("  at 10s web crashes with \"3\"\n").substr(0, 12), "a.scn:6:27: ");
  EXPECT_EQ(problem("  at 10s expect escalation because \"open\n"),
            "a.scn:6:36: the quoted text does not end on this line");
  EXPECT_EQ(problem("  at 10s..20s web crashes\n"), "a.scn:6:6: an event of a span of time needs `every SPAN`");
  EXPECT_EQ(problem("  at 31d web crashes\n"), "a.scn:6:6: longer than 30 days");
}

TEST(Read, AnErrorOfTheConfigurationHasThePlaceInTheScenario) {
  const auto read =
      read_scenario("config\n  homeostat: 1\n  servces: {}\nevents\n  at 1s expect web is healthy\n", "a.scn");
  ASSERT_TRUE(read);
  const auto configs = prepare(*read);
  ASSERT_FALSE(configs);
  std::string all;
  for (const Problem& one : configs.error()) all += config::render(one) + "\n";
  EXPECT_NE(all.find("a.scn:3:3: "), std::string::npos) << all;
}

TEST(Read, NeitherCommentsNorBlankLinesMoveThatPlace) {
  const auto read = read_scenario(
      "config\n  homeostat: 1\n# at the margin\n\n  servces: {}\nevents\n  at 1s expect web is healthy\n", "a.scn");
  ASSERT_TRUE(read);
  const auto configs = prepare(*read);
  ASSERT_FALSE(configs);
  std::string all;
  for (const Problem& one : configs.error()) all += config::render(one) + "\n";
  EXPECT_NE(all.find("a.scn:5:3: "), std::string::npos) << all;
}

TEST(Read, AnErrorAtTheEndOfTheFileIsInTheFile) {
  const auto read = read_scenario("events\n  at 1s expect web is healthy\nconfig\n  a: \"b", "a.scn");
  ASSERT_TRUE(read);
  const auto configs = prepare(*read);
  ASSERT_FALSE(configs);
  EXPECT_EQ(configs.error().front().line, 4U) << config::render(configs.error().front());
}

TEST(Read, ASectionIsKnownByItsWord) {
  EXPECT_NE(problem("evnts\n").find("(did you mean `events`?)"), std::string::npos);
  EXPECT_EQ(config::render(read_scenario("events\n  at 1s expect web is healthy\n", "a.scn").error()),
            "a.scn:1:1: there is no `config`");
  EXPECT_EQ(config::render(read_scenario(kConfig, "a.scn").error()),
            "a.scn:1:1: nothing is expected: it could not fail");
}

TEST(Read, IsBounded) {
  EXPECT_EQ(problem(std::string(kMaxBytes, ' ')), "a.scn: larger than 256 KiB");
  EXPECT_EQ(problem("  at 0s..30d every 1ms web crashes\n"), "a.scn:6:24: too many events");
  EXPECT_EQ(problem("  at 1s expect " + std::string(kMaxLine, 'x')), "a.scn:6:1: longer than 1000 bytes");
  std::string lines;
  for (std::size_t i = 0; i <= kMaxExpectations; ++i) lines += "  at 1s expect web is healthy\n";
  EXPECT_NE(problem(lines).find("too many expectations"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::scenario
