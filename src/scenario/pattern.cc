#include "scenario/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "config/value.hpp"

namespace homeostat::scenario {
namespace {

constexpr std::uint64_t kMostCount = 1'000'000;
constexpr std::uint64_t kMostSlot = 99'999;

/// What a kind of value must be, in words; empty: any word will do.
std::string_view kind_in_words(std::string_view kind) {
  static const std::map<std::string_view, std::string_view> kKinds{
      {"span", "a span of time such as 5s, 150ms, 1m30s"},
      {"spans", "a span of time or two with .. between, such as 5s or 5s..6s"},
      {"count", "a whole number"},
      {"requests", "a whole number of requests"},
      {"rung", "the number of a rung"},
      {"attempt", "the number of an attempt"},
      {"place", "a service or one of its instances, such as web or web/0"},
      {"service", "the name of a service"},
      {"text", "a text in double quotes"}};
  const auto found = kKinds.find(kind);
  return found == kKinds.end() ? std::string_view{} : found->second;
}

bool is_of_kind(std::string_view kind, const Word& word) {
  if (kind == "text") return word.quoted;
  if (word.quoted || word.text == ",") return false;
  if (kind == "span") return config::parse_duration(word.text).has_value();
  if (kind == "spans") return parse_spans(word.text).has_value();
  if (kind == "count" || kind == "requests" || kind == "rung" || kind == "attempt")
    return config::parse_count(word.text, kMostCount).has_value();
  if (kind == "place") return parse_place(word.text).has_value();
  if (kind == "service") return config::is_name(word.text);
  return true;
}

/// "[a <b>] c" as "[", "a", "<b>", "]", "c".
std::vector<std::string> pieces_of(std::string_view text) {
  std::string spaced;
  for (const char c : text) spaced += c == '[' ? "[ " : c == ']' ? " ]" : std::string(1, c);
  std::istringstream in(spaced);
  std::vector<std::string> pieces;
  for (std::string piece; in >> piece;) pieces.push_back(piece);
  return pieces;
}

}  // namespace

std::optional<Spans> parse_spans(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const auto span = config::parse_duration(text);
    return span ? std::optional<Spans>({*span, *span}) : std::nullopt;
  }
  const auto least = config::parse_duration(text.substr(0, dots));
  const auto most = config::parse_duration(text.substr(dots + 2));
  if (!least || !most || *least > *most) return std::nullopt;
  return Spans{*least, *most};
}

std::optional<PlaceName> parse_place(std::string_view text) {
  const std::size_t slash = text.find('/');
  PlaceName place{std::string(text.substr(0, slash)), -1};
  if (!config::is_name(place.service)) return std::nullopt;
  if (slash == std::string_view::npos) return place;
  const auto slot = config::parse_count(text.substr(slash + 1), kMostSlot);
  if (!slot) return std::nullopt;
  place.slot = static_cast<std::int32_t>(*slot);
  return place;
}

const Word* Captures::find(std::string_view name) const {
  const auto found = std::ranges::find_if(all_, [&](const auto& one) { return one.first == name; });
  return found == all_.end() ? nullptr : &found->second;
}

std::string Captures::text(std::string_view name) const {
  const Word* word = find(name);
  return word == nullptr ? std::string() : word->text;
}

std::uint64_t Captures::count(std::string_view name) const {
  return config::parse_count(text(name), kMostCount).value_or(0);
}
Duration Captures::span(std::string_view name) const { return config::parse_duration(text(name)).value_or(Duration{}); }
Spans Captures::spans(std::string_view name) const { return parse_spans(text(name)).value_or(Spans{}); }
PlaceName Captures::place() const { return parse_place(text("place")).value_or(PlaceName{text("service"), -1}); }

void Miss::note(std::size_t word, std::string_view want) {
  if (word < at) return;
  if (word > at) {
    wanted.clear();
    problem.clear();
  }
  at = word;
  if (std::ranges::find(wanted, want) == wanted.end()) wanted.emplace_back(want);
}

void Miss::wrong(std::size_t word, std::string text) {
  if (word < at) return;
  if (word > at) wanted.clear();
  at = word;
  problem = std::move(text);
}

Pattern::Pattern(std::string_view text) : text_(text), tokens_(compile(pieces_of(text))) {}

Pattern::Token Pattern::compile_one(std::string word) {
  Token token;
  if (word.front() != '<') {
    token.plural = word.ends_with("(s)");
    if (token.plural) word.resize(word.size() - 3);
    token.words = {std::move(word)};
    return token;
  }
  token.plural = word.ends_with("(s)");
  word = word.substr(1, word.find('>') - 1);
  const std::size_t colon = word.find(':');
  token.name = word.substr(0, colon);
  if (colon == std::string::npos) return token;
  std::istringstream choices(word.substr(colon + 1));
  for (std::string one; std::getline(choices, one, '|');) token.words.push_back(one);
  return token;
}

Pattern::Tokens Pattern::compile(std::span<const std::string> words) {
  Tokens tokens;
  bool in_groups = false;  // the token before this one holds optional groups
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "[") {
      tokens.push_back(compile_one(words[i]));
      in_groups = false;
      continue;
    }
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    const auto end = std::find(begin, words.end(), "]");
    if (!in_groups) tokens.emplace_back();
    in_groups = true;
    tokens.back().or_none.push_back(compile(std::span(begin, end)));
    i = static_cast<std::size_t>(end - words.begin());
  }
  return tokens;
}

bool Pattern::match_one(const Token& token, std::span<const Word> words, std::size_t at, Captures& out, Miss& miss) {
  const bool there = at < words.size();
  if (token.words.empty()) {
    const bool fits = there && is_of_kind(token.name, words[at]);
    if (fits)
      out.add(token.name, words[at]);
    else if (const auto kind = kind_in_words(token.name); there && !kind.empty())
      miss.wrong(at, fmt::format("{} is not {}", config::quote(words[at].text), kind));
    else
      miss.note(at, "<" + token.name + ">");
    return fits;
  }
  for (const std::string& word : token.words) {
    const bool plural = token.plural && there && words[at].text == word + "s";
    if (there && !words[at].quoted && (words[at].text == word || plural)) {
      if (!token.name.empty()) out.add(token.name, Word{word, words[at].at, false});
      return true;
    }
  }
  for (const std::string& word : token.words) miss.note(at, word);
  return false;
}

bool Pattern::match_groups(const Token& token, std::span<const Word> words, std::size_t& at, Captures& out,
                           Miss& miss) {
  std::vector<const Tokens*> left;
  for (const Tokens& group : token.or_none) left.push_back(&group);
  for (std::size_t i = 0; i < left.size();) {
    const Token& first = left[i]->front();
    Captures ignored;
    if (!match_one(first, words, at, ignored, miss)) {
      ++i;
      continue;
    }
    if (!match_all(*left[i], words, at, out, miss)) return false;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
    i = 0;
  }
  return true;
}

bool Pattern::match_all(const Tokens& tokens, std::span<const Word> words, std::size_t& at, Captures& out, Miss& miss) {
  for (const Token& token : tokens) {
    if (!token.or_none.empty()) {
      if (!match_groups(token, words, at, out, miss)) return false;
    } else if (!match_one(token, words, at++, out, miss)) {
      return false;
    }
  }
  return true;
}

std::optional<Captures> Pattern::match(std::span<const Word> words, Miss& miss) const {
  Captures captures;
  std::size_t at = 0;
  if (!match_all(tokens_, words, at, captures, miss)) return std::nullopt;
  if (at == words.size()) return captures;
  miss.note(at, "the end of the line");
  return std::nullopt;
}

}  // namespace homeostat::scenario
