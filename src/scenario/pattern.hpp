// One phrase of the language, such as "<place> answers <count> [to <check>]", and what it caught of a line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homeostat/time.hpp"
#include "scenario/words.hpp"

namespace homeostat::scenario {

struct Spans {
  Duration least{};
  Duration most{};
};

/// `web/0`; slot -1: the service, or all of its instances.
struct PlaceName {
  std::string service;
  std::int32_t slot = -1;
};

/// `5s..20s`; one span stands for both ends.
std::optional<Spans> parse_spans(std::string_view text);
std::optional<PlaceName> parse_place(std::string_view text);

class Captures {
 public:
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Word* find(std::string_view name) const;
  /// The caught text; empty when the optional part was not there.
  std::string text(std::string_view name) const;
  std::uint64_t count(std::string_view name) const;
  Duration span(std::string_view name) const;
  Spans spans(std::string_view name) const;
  PlaceName place() const;
  void add(std::string_view name, Word word) { all_.emplace_back(name, std::move(word)); }
  const std::vector<std::pair<std::string, Word>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, Word>> all_;
};

/// The furthest point that any phrase reached, and what would have been understood there.
struct Miss {
  std::size_t at = 0;
  std::vector<std::string> wanted;  // words of the language
  std::string problem;              // a value of the wrong kind
  void note(std::size_t word, std::string_view want);
  void wrong(std::size_t word, std::string text);
};

/// Words stand for themselves; `(s)` at their end may be left out. `<kind>` catches a word of that kind (service,
/// place, check, name, text, count, span, spans); `<name:a|b>` one of those words. `[…]` may be left out; what stands
/// in neighbouring brackets may come in any order.
class Pattern {
 public:
  explicit Pattern(std::string_view text);
  std::optional<Captures> match(std::span<const Word> words, Miss& miss) const;
  const std::string& text() const { return text_; }

 private:
  struct Token {
    std::string name;                         // of a capture; empty: a word of the language
    std::vector<std::string> words;           // the word, or the words to choose from
    bool plural = false;                      // an s may follow
    std::vector<std::vector<Token>> or_none;  // not empty: optional groups, in any order
  };
  using Tokens = std::vector<Token>;

  static Tokens compile(std::span<const std::string> words);
  static Token compile_one(std::string word);
  static bool match_all(const Tokens& tokens, std::span<const Word> words, std::size_t& at, Captures& out, Miss& miss);
  static bool match_groups(const Token& token, std::span<const Word> words, std::size_t& at, Captures& out, Miss& miss);
  static bool match_one(const Token& token, std::span<const Word> words, std::size_t at, Captures& out, Miss& miss);

  std::string text_;
  Tokens tokens_;
};

}  // namespace homeostat::scenario
