#include "engine/secrets.hpp"

#include <gtest/gtest.h>

#include <set>

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

TEST(Secrets, ThatWereCutAtTheEndAreHiddenFromEightBytesOn) {
  EXPECT_EQ(hidden("the word is opensesa", {"opensesame"}), "the word is …");
  EXPECT_EQ(hidden("the word is openses", {"opensesame"}), "the word is openses");
  EXPECT_EQ(hidden("\"opensesa…\" is not a number", {"opensesame"}), "\"……\" is not a number");
  EXPECT_EQ(hidden("answered opensesa..., expected ok", {"opensesame"}), "answered …..., expected ok");
  EXPECT_EQ(hidden("nothing at https://db.example/", {"https://db.example/secret-path"}),
            "nothing at https://db.example/");
  EXPECT_EQ(hidden("opensesa is no word", {"opensesame"}), "opensesa is no word");
  EXPECT_EQ(hidden("https://db does not answer", {"https://db.example/secret-path"}), "https://db does not answer");
}

TEST(Secrets, ThatAreShortAreNoSecrets) {
  EXPECT_EQ(hidden("one of abc", {"abc"}), "one of abc");
  EXPECT_EQ(hidden("one of abcd", {"abcd"}), "one of …");
}

TEST(Secrets, ThatContainAnotherAreHiddenWhole) {
  EXPECT_EQ(hidden("Bearer opensesame!", {"opensesame", "Bearer opensesame"}), "…!");
}

TEST(Secrets, ThatAreAPartOfAnotherLeaveNothingOfIt) {
  EXPECT_EQ(hidden("bad s3cr3t-homeostat-t0ken", {"homeostat-production-hook", "homeostat", "s3cr3t-homeostat-t0ken"}),
            "bad …");
  EXPECT_EQ(hidden("abcdefgh-ijklmnop!", {"abcdefgh-ijkl", "gh-ijklmnop"}), "…!");
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

/// Says a word in every text of an input, and looks where it still stands.
struct Everywhere {
  const std::string& word;
  bool says = true;
  std::set<std::string> heard{};

  void operator()(std::string_view name, std::string& text) {
    if (says) text = word;
    if (text.find(word) != std::string::npos) heard.insert(std::string(name));
  }
  template <class T>
  void operator()(std::string_view name, std::vector<T>& list) {
    if (says) list.resize(1);
    for (T& one : list) (*this)(name, one);
  }
  template <class T>
  void operator()(std::string_view, T& value) {
    if constexpr (requires { T::fields; }) T::fields(value, *this);
  }
};

template <std::size_t I = 0>
void each_kind_of_input(const auto& use) {
  if constexpr (I < std::variant_size_v<Input>) {
    Input input{std::in_place_index<I>};
    use(input);
    each_kind_of_input<I + 1>(use);
  }
}

// A text that joins an input is for people, or it is listed here because it is a name.
TEST(Secrets, AreHiddenInEveryTextOfAnInputThatIsNoName) {
  const std::string word = "opensesame";
  Secrets secrets;
  secrets.add(word);
  std::set<std::string> names;
  each_kind_of_input([&](Input& input) {
    std::visit([&](auto& in) { Everywhere{word}("", in); }, input);
    secrets.hide(input);
    Everywhere left{word, false};
    std::visit([&](auto& in) { left("", in); }, input);
    names.merge(left.heard);
  });
  EXPECT_EQ(names, (std::set<std::string>{"by", "issue", "service", "source", "version"}));
}

}  // namespace
}  // namespace homeostat::engine
