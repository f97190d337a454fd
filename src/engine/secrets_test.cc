#include "engine/secrets.hpp"

#include <gtest/gtest.h>

#include "engine/input_codec.hpp"

namespace homeostat::engine {
namespace {

std::string hidden(std::string text, std::initializer_list<std::string_view> secrets) {
  Secrets all;
  for (const std::string_view one : secrets) all.add(one);
  all.hide(text);
  return text;
}

TEST(Secrets, AreHiddenWhereverTheyStand) {
  EXPECT_EQ(hidden("opensesame", {"opensesame"}), "…");
  EXPECT_EQ(hidden("a opensesame, b opensesame.", {"opensesame"}), "a …, b ….");
  EXPECT_EQ(hidden("nothing to see", {"opensesame"}), "nothing to see");
  EXPECT_EQ(hidden("", {"opensesame"}), "");
}

TEST(Secrets, ThatWereCutAreHiddenFromEightBytesOn) {
  EXPECT_EQ(hidden("the word is opensesa", {"opensesame"}), "the word is …");
  EXPECT_EQ(hidden("the word is openses", {"opensesame"}), "the word is openses");
}

TEST(Secrets, ThatAreShortAreNoSecrets) {
  EXPECT_EQ(hidden("one of abc", {"abc"}), "one of abc");
  EXPECT_EQ(hidden("one of abcd", {"abcd"}), "one of …");
}

TEST(Secrets, ThatContainAnotherAreHiddenWhole) {
  EXPECT_EQ(hidden("Bearer opensesame!", {"opensesame", "Bearer opensesame"}), "…!");
}

TEST(Secrets, AreHiddenInWhatIsForPeopleAndInNoName) {
  Secrets secrets;
  secrets.add("opensesame");
  Input done =
      ActionDone{.id = {1, 1}, .outcome = {}, .now_running = {}, .detail = "no opensesame", .version = "opensesame"};
  secrets.hide(done);
  EXPECT_EQ(std::get<ActionDone>(done).detail, "no …");
  EXPECT_EQ(std::get<ActionDone>(done).version, "opensesame");

  Measured measured;
  measured.metrics.resize(2);
  measured.metrics[1].why = "401: opensesame";
  Input input = measured;
  secrets.hide(input);
  EXPECT_EQ(std::get<Measured>(input).metrics[1].why, "401: …");
}

TEST(Secrets, AreHiddenInEveryKindOfInput) {
  Secrets secrets;
  secrets.add("opensesame");
  const std::string said = "opensesame";
  std::vector<Input> inputs{NotifyDone{{}, false, said}, RuntimeHeld{0, 0, said, false}, JournalFailed{said}};
  Found found;
  found.told = said;
  TrafficSeen seen;
  seen.fault = said;
  VersionsMeasured versions;
  versions.fault = said;
  GateAnswered gate;
  gate.why = said;
  Operator person;
  person.reason = said;
  inputs.insert(inputs.end(), {found, seen, versions, gate, person});
  for (Input& input : inputs) {
    secrets.hide(input);
    const std::string bytes = encode_input(input, Instant{});
    EXPECT_EQ(bytes.find(said), std::string::npos) << "input of kind " << input.index();
  }
}

}  // namespace
}  // namespace homeostat::engine
