// What `eval canary` reads, refuses, says and draws.
#include <gtest/gtest.h>

#include <string>

#include "cli/canary_eval.hpp"
#include "homeostat/random.hpp"

namespace homeostat::cli {
namespace {

std::string problem(const std::string& text) {
  const auto read = read_canary_json(text);
  return read ? "" : read.error().text;
}

std::string metric(const std::string& members) { return R"({"metrics":[{)" + members + "}]}"; }

TEST(CanaryJson, ReadsSamplesWithAndWithoutTimes) {
  const auto read = read_canary_json(
      R"({"alpha":0.01,"stages":3,"block":"30s","metrics":[
        {"name":"a","worse":"lower","canary":[1,[2.5,3],"NaN"],"baseline":[]},
        {"kind":"errors","critical":false,"canary":[[1,10],[60,2,20]],"baseline":[[0,5]]}]})");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->options.alpha, 0.01);
  EXPECT_EQ(read->options.stages, 3U);
  EXPECT_EQ(read->options.block, std::chrono::seconds(30));
  const CanaryInputMetric& a = read->metrics.at(0);
  EXPECT_EQ(a.metric.worse, canary::Worse::lower);
  EXPECT_EQ(a.canary.at(1).at, 2.5);
  EXPECT_EQ(a.canary.at(1).value, 3);
  EXPECT_NE(a.canary.at(2).value, a.canary.at(2).value);
  const CanaryInputMetric& errors = read->metrics.at(1);
  EXPECT_EQ(errors.metric.name, "metric 2");
  EXPECT_FALSE(errors.metric.critical);
  EXPECT_EQ(errors.canary.at(1).at, 60);
  EXPECT_EQ(errors.canary.at(1).traffic, 20);
}

TEST(CanaryJson, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(problem("{").find("is not JSON"), std::string::npos);
  EXPECT_EQ(problem("{}"), "metrics is missing, or an empty list");
  EXPECT_EQ(problem(R"({"mode":"magic","metrics":[]})"), "mode is not one of native, kayenta, simple");
  EXPECT_EQ(problem(metric(R"("kind":"latencies")")), "metrics[0].kind is not one of latency, value, errors, events");
  EXPECT_EQ(problem(metric(R"("promot_below":1)")),
            "metrics[0].`promot_below` is not known; did you mean `promote_below`?");
  EXPECT_EQ(problem(metric(R"("weight":"much")")), "metrics[0].weight is not a number");
  EXPECT_EQ(problem(metric(R"("kind":"errors","canary":[1])")),
            "metrics[0].canary[0] is neither [events, traffic] nor [seconds, events, traffic]");
  EXPECT_EQ(problem(metric(R"("baseline":[[1e300,1]])")),
            "metrics[0].baseline[0] is neither a number nor [seconds, number]");
  EXPECT_EQ(problem(R"({"stages":1.5,"metrics":[{}]})"), "stages is not a whole number");
  EXPECT_EQ(problem(R"({"metrics":[{"must_have_data":true}]})"), "metrics[0].`must_have_data` is not known")
      << "of another mode";
  EXPECT_EQ(problem(R"([1])"), "the input is not an object");
}

TEST(CanaryJson, ALimitIsCheckedByTheJudge) {
  const auto read = read_canary_json(metric(R"("name":"a","promote_below":0)"));
  ASSERT_TRUE(read);
  const auto looks = canary_looks(*read, 10);
  ASSERT_FALSE(looks);
  EXPECT_EQ(looks.error().text, "metric \"a\": promote_below must be 0 or more, and less than 10");
}

TEST(CanaryColumns, ReadsTwoOrThreeWithOrWithoutNames) {
  const auto two = read_canary_csv("canary,baseline\r\n1.5,2\n,3\n\n4;5\n", {});
  ASSERT_TRUE(two) << two.error().text;
  EXPECT_EQ(two->metrics.at(0).canary.size(), 2U);
  EXPECT_EQ(two->metrics.at(0).baseline.size(), 3U);
  EXPECT_EQ(two->metrics.at(0).metric.kind, canary::Kind::latency);
  const auto three = read_canary_csv("10\t-1\t2\n", {.worse = canary::Worse::lower});
  ASSERT_TRUE(three) << three.error().text;
  EXPECT_EQ(three->metrics.at(0).canary.at(0).at, 10);
  EXPECT_EQ(three->metrics.at(0).metric.kind, canary::Kind::value) << "not all positive";
  EXPECT_EQ(three->metrics.at(0).metric.worse, canary::Worse::lower);
}

TEST(CanaryColumns, SaysWhichLineIsWrong) {
  EXPECT_EQ(read_canary_csv("1,2\n3,x\n", {}).error().text, "line 2 has `x`, which is not a number");
  EXPECT_EQ(read_canary_csv("1\n", {}).error().text, "line 1 has not two or three columns");
  EXPECT_EQ(read_canary_csv("1,2,3,4\n", {}).error().text, "line 1 has not two or three columns");
  EXPECT_EQ(read_canary_csv("a,b,c\nd,1,2\n", {}).error().text, "line 2 does not begin with seconds");
}

std::string columns(double canary, double baseline) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += std::to_string(i) + "," + std::to_string(canary + i % 5) + "," + std::to_string(baseline + i % 5) + "\n";
  }
  return text;
}

json::object judged(const CanaryInput& input) { return judge_canary(input, *canary_looks(input, 50)); }

TEST(CanaryEval, TellsTheVerdictAndWhenItCouldFirstBeSaid) {
  const json::object answer = judged(*read_canary_csv(columns(130, 100), {}));
  EXPECT_EQ(answer.at("verdict"), "fail");
  EXPECT_LT(answer.at("first").at("after_s").to_number<double>(), 30);
  const json::object& metric = answer.at("metrics").at(0).as_object();
  EXPECT_GT(metric.at("lower_pct").to_number<double>(), 20);
  const std::string text = show_canary(answer, false);
  EXPECT_NE(text.find("fail: metric: 29.4 % higher"), std::string::npos) << text;
  EXPECT_EQ(judged(*read_canary_csv(columns(100, 100), {})).at("verdict"), "pass");
  EXPECT_EQ(judged(*read_canary_csv("1,2\n", {})).at("verdict"), "not_enough_data");
}

TEST(CanaryEval, EveryModeAnswers) {
  const CanaryInput kayenta = *read_canary_csv(columns(130, 100), {.mode = CanaryMode::kayenta});
  EXPECT_EQ(judged(kayenta).at("classification"), "Fail");
  EXPECT_NE(show_canary(judged(kayenta), false).find("High"), std::string::npos);
  const CanaryInput simple = *read_canary_csv(columns(90, 100), {.mode = CanaryMode::simple});
  EXPECT_EQ(judged(simple).at("verdict"), "pass");
  const auto range = read_canary_json(R"({"mode":"simple","metrics":[{"canary":[3],"max":2}]})");
  ASSERT_TRUE(range) << range.error().text;
  EXPECT_EQ(judged(*range).at("verdict"), "fail");
}

TEST(CanaryEval, KayentaWeighsGroups) {
  const auto read = read_canary_json(
      R"({"mode":"kayenta","group_weights":{"a":80},"pass":75,"metrics":[
        {"name":"good","groups":["a"],"canary":[1,2,3,4,5],"baseline":[1,2,3,4,5]},
        {"name":"bad","groups":["b"],"canary":[10,11,12,13,14],"baseline":[1,2,3,4,5]}]})");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(judged(*read).at("score").to_number<double>(), 80);
}

TEST(CanaryEval, WhateverBytesComeThereIsAnAnswerInJsonOrARefusalInOneLine) {
  const std::string seeds[] = {
      R"({"block":"2s","metrics":[{"kind":"errors","canary":[[1,2,9],[5,0,7]],"baseline":[[3,1]]}]})",
      R"({"metrics":[{"worse":"either","canary":[1,[2,3],null,1e99],"baseline":[-5,0,[9,1e-9]]}]})",
      R"({"mode":"kayenta","group_weights":{"g":50},"metrics":[{"groups":["g"],"canary":[1,2,"NaN"],"baseline":[0]}]})",
      R"({"mode":"simple","metrics":[{"max":1,"canary":[1,2],"baseline":[0]}]})",
      "t,a,b\n1,2,3\n2,,4\n",
      "1;2\n3;4\n"};
  constexpr std::string_view kBytes = "[]{},:\"\n;.-+eE0123456789NaInf \t\x01\xff";
  Random random(1);
  for (int i = 0; i < 6000; ++i) {
    std::string text = seeds[random.below(std::size(seeds))];
    for (std::uint64_t damage = random.below(4); damage > 0; --damage) {
      const char byte = kBytes[random.below(kBytes.size())];
      const std::size_t at = random.below(text.size());
      random.below(2) == 0 ? text.replace(at, 1, 1, byte) : text.insert(at, 1, byte);
    }
    const auto input = text.starts_with('{') ? read_canary_json(text) : read_canary_csv(text, {});
    const auto looks = input ? canary_looks(*input, 20) : std::unexpected(input.error());
    if (!looks) {
      ASSERT_FALSE(looks.error().text.empty());
      ASSERT_EQ(looks.error().text.find('\n'), std::string::npos) << text;
      continue;
    }
    const std::string answer = json::serialize(judge_canary(*input, *looks));
    boost::system::error_code wrong;
    ASSERT_TRUE(json::parse(answer, wrong).is_object()) << text << "\n" << answer;
    if (!looks->empty()) ASSERT_EQ(picture_canary(*input, *looks).find("nan"), std::string::npos) << text;
  }
}

TEST(CanaryPicture, DrawsEveryMetricAndNothingThatIsNotItsOwn) {
  CanaryInput input = *read_canary_csv(columns(130, 100), {});
  input.metrics[0].metric.name = "<script>";
  const std::string svg = picture_canary(input, *canary_looks(input, 50));
  EXPECT_NE(svg.find("&lt;script&gt;: fail"), std::string::npos) << svg;
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("class=\"band\""), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace homeostat::cli
