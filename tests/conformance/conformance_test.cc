// The conformance program as a user runs it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "os/testing.hpp"

namespace {

struct Ran {
  int code = -1;
  std::string output;
};

Ran run(const std::string& files) {
  Ran ran;
  FILE* pipe = ::popen((CONFORMANCE " " + files + " 2>&1").c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) ran.output += static_cast<char>(c);
  ran.code = WEXITSTATUS(::pclose(pipe));
  return ran;
}

class ConformanceTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    const std::string path = dir_.path() + "/vectors.json";
    std::ofstream(path) << text;
    return path;
  }
  homeostat::os::testing::TempDir dir_;
};

std::string trace(const std::string& model, const std::string& steps) {
  return R"({"traces":[{"model":")" + model +
         R"(","name":"one","config":{"trip":{"kind":"consecutive","more_than":1},)" +
         R"("window":{"kind":"none"},"half_open_permits":1,"open_ms":1000},"steps":[)" + steps + "]}]}";
}

TEST_F(ConformanceTest, ReproducesEveryTraceOfTheBreakers) {
  const Ran ran = run(VECTORS "/breaker.json");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_NE(ran.output.find("36 of 36 reproduced\ntotal: 36 of 36"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("QUIRK"), std::string::npos);
  EXPECT_NE(ran.output.find("our own rules: step 7"), std::string::npos) << "said apart";
}

TEST_F(ConformanceTest, ReproducesEveryDecisionOfTheAutoscalers) {
  const Ran ran = run(VECTORS "/hpa.json " VECTORS "/kpa.json");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_NE(ran.output.find("hpa.json: 152 of 152 reproduced"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("kpa.json: 17 of 17 reproduced"), std::string::npos) << ran.output;
}

TEST_F(ConformanceTest, TakesThePodsOfAGroupInAnyOrder) {
  const std::string pod = R"("phase":"Pending","deleted":false,"ready":null,"start_age_s":null,)"
                          R"("ready_transition_age_s":null})";
  const Ran ran = run(file(R"({"vectors":[{"id":"one","stage":"group_pods","input":{"resource":null,"samples":{},)"
                           R"("pods":[{"name":"a",)" +
                           pod + R"(,{"name":"b",)" + pod +
                           R"(]},)"
                           R"("expect":{"ready_count":0,"unready":["b","a"]}},{"id":"without a stage"}]})"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("1 of 2 reproduced"), std::string::npos) << "one bad case fails alone\n" << ran.output;
}

TEST_F(ConformanceTest, TakesAnAgeOfAnySize) {
  const Ran ran = run(file(R"({"vectors":[{"id":"one","stage":"legacy_stabilize","input":{"desired_replicas":3,)"
                           R"("down_window_s":300,"recommendations":[{"replicas":9,"age_s":1e10}]},)"
                           R"("expect":{"replicas":3,"log_length":1}}]})"));
  EXPECT_EQ(ran.code, 0) << ran.output;
}

TEST_F(ConformanceTest, SaysWhatAnAutoscalersCaseDiffersIn) {
  const std::string limit =
      R"({"vectors":[{"id":"one","stage":"limit","input":{"direction":"down","current_replicas":10,)"
      R"("rules":{"policies":[{"type":"Percent","value":90,"period_s":60}]}},)"
      R"("expect":{"limit":0},"expect_exact":{"limit":)";
  EXPECT_EQ(run(file(limit + "1}}]}")).code, 0) << "exact arithmetic is what counts";
  const Ran ran = run(file(limit + "2}}]}"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("one: limit is 1, not 2"), std::string::npos) << ran.output;
  EXPECT_EQ(run(file(R"({"vectors":[{"id":"one","stage":"guess","input":{},"expect":{}}]})")).code, 1);
  const Ran unknown = run(file(R"({"vectors":[{"id":"one","spec":{"colour":1},"steps":[]}]})"));
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.output.find("spec.colour is not known"), std::string::npos) << unknown.output;
}

TEST_F(ConformanceTest, ReproducesEveryCaseOfTheCanaryJudge) {
  const Ran ran = run(VECTORS "/kayenta.json");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_NE(ran.output.find("82 of 82 reproduced\ntotal: 82 of 82"), std::string::npos) << ran.output;
}

TEST_F(ConformanceTest, SaysWhatDiffersInACaseOfTheCanaryJudge) {
  const std::string half = R"({"id":"a","kind":"percentile_r7","name":"half","data":[1,2],"config":{"p":50},)";
  const Ran ran = run(file(R"({"vectors":[)" + half + R"("expected":{"value":2}},{"id":"b","kind":"dance",)" +
                           R"("name":"none","expected":{}}]})"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("a: half: value is 1.5E0, not 2"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("b: none: kind is not known: dance"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("0 of 2 reproduced"), std::string::npos);
}

TEST_F(ConformanceTest, ReadsSamplesExactly) {
  const Ran ran = run(file(R"({"vectors":[{"id":"a","kind":"effect_size","name":"one step apart","method":"cles",)"
                           R"("experiment":[14.040000000000001],"control":[14.04],"expected":{"value":1}},)"
                           R"({"id":"b","kind":"percentile_r7","name":"of none","data":[],"config":{"p":50},)"
                           R"("expected":{"value":"NaN"}}]})"));
  EXPECT_EQ(ran.code, 0) << ran.output;
}

TEST_F(ConformanceTest, SaysWhichStepDiffers) {
  const Ran ran = run(file(trace("gobreaker", R"({"op":"acquire","id":"a","expect":{"permitted":false}})")));
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("step 1 (acquire): permitted is true, not false"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("0 of 1 reproduced"), std::string::npos);
}

TEST_F(ConformanceTest, KnowsWhatAPeerRefuses) {
  const Ran ran = run(file(
      R"({"traces":[{"model":"resilience4j","name":"watching","config":{"window":{"kind":"count","size":2},)"
      R"("min_calls":2,"failure_rate_pct":50,"slow_ms":1000,"slow_rate_pct":100,"half_open_permits":1,"open_ms":1000},)"
      R"("steps":[{"op":"force","to":"metrics_only","expect":{"accepted":true}},)"
      R"({"op":"force","to":"open","expect":{"accepted":false,"state":"metrics_only"}},)"
      R"({"op":"force","to":"half_open","expect":{"accepted":false}},)"
      R"({"op":"force","to":"forced_open","expect":{"accepted":true}}]},)"
      R"({"model":"gobreaker","name":"a bucket longer than the interval","config":{"half_open_permits":1,"open_ms":1,)"
      R"("trip":{"kind":"consecutive","more_than":1},"window":{"kind":"rolling","ms":500,"bucket_ms":3000}},)"
      R"("steps":[{"op":"call","outcome":"failure","duration_ms":0,"expect":{"permitted":true}},)"
      R"({"op":"advance","ms":3000,"expect":{}},{"op":"observe","expect":{"counts":{"failures":1}}},)"
      R"({"op":"advance","ms":1,"expect":{}},{"op":"observe","expect":{"counts":{"failures":0}}}]}]})"));
  EXPECT_EQ(ran.code, 0) << ran.output;
}

TEST_F(ConformanceTest, WhatIsNotSupportedIsNotReproduced) {
  EXPECT_EQ(run(file(trace("another", ""))).code, 1);
  EXPECT_EQ(run(file(trace("gobreaker", R"({"op":"dance","expect":{}})"))).code, 1);
  EXPECT_EQ(run(file(trace("gobreaker", R"({"op":"observe","expect":{"colour":"red"}})"))).code, 1);
  EXPECT_EQ(run(file(trace("gobreaker", R"({"op":"advance","expect":{}})"))).code, 1) << "a step without its number";
}

TEST_F(ConformanceTest, WhatCannotBeReadIsAnErrorOfItsOwn) {
  EXPECT_EQ(run(file("{")).code, 2);
  EXPECT_EQ(run(file(R"({"other":1})")).code, 2);
  EXPECT_EQ(run(dir_.path() + "/none.json").code, 2);
  EXPECT_EQ(run("").code, 2);
}

}  // namespace
