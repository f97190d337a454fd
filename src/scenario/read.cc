#include "scenario/read.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/value.hpp"
#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

using Words = std::span<const Word>;
using Outcome = std::expected<void, Problem>;

std::unexpected<Problem> wrong(config::Position at, std::string text, std::string hint = {}) {
  return std::unexpected(Problem{{}, at.line, at.column, std::move(text), std::move(hint)});
}

/// Where the word `index` stands; beyond the last one: behind it.
config::Position place_of(Words words, std::size_t index) {
  if (index < words.size()) return words[index].at;
  config::Position at = words.back().at;
  at.column += static_cast<std::uint32_t>(words.back().text.size() + (words.back().quoted ? 2 : 0));
  return at;
}

/// The part of a line from the first of these words to the last, as it was written.
std::string written(std::string_view line, Words words) {
  const std::size_t from = words.front().at.column - 1;
  return std::string(line.substr(from, place_of(words, words.size()).column - 1 - from));
}

std::unexpected<Problem> missed(Words words, const Miss& miss) {
  const config::Position at = place_of(words, miss.at);
  if (miss.wanted.empty() && !miss.problem.empty()) return wrong(at, miss.problem);
  std::vector<std::string_view> known;
  std::string all;
  for (const std::string& word : miss.wanted) {
    known.push_back(word);
    all += (all.empty() ? "" : ", ") + word;
  }
  if (miss.at >= words.size()) return wrong(at, "the line ends too early; next may be: " + all);
  const std::string& word = words[miss.at].text;
  return wrong(at, fmt::format("{} is not understood here; it may be: {}", config::quote(word), all),
               config::nearest(word, known));
}

class ScenarioReader {
 public:
  explicit ScenarioReader(Scenario& out) : out_(out) {}

  Outcome line(std::string_view line, std::uint32_t number) {
    const bool indented = !line.empty() && (line.front() == ' ' || line.front() == '\t' || line.front() == '\r');
    if (indented && in_config_) return config_line(line, number);
    if (line.size() > kMaxLine) return wrong({number, 1}, fmt::format("longer than {} bytes", kMaxLine));
    auto words = split_words(line, number);
    if (!words) return std::unexpected(std::move(words.error()));
    if (words->empty()) {
      const bool title = line.starts_with('#') && out_.title.empty();
      if (title) out_.title = line.substr(std::min(line.size(), line.find_first_not_of("# ")));
      return in_config_ ? config_line(line, number) : Outcome{};
    }
    if (!indented) return section(*words);
    if (!in_events_) return wrong(words->front().at, "a line outside of `config` and `events`");
    return statement(*words, line);
  }

  Outcome end() {
    if (out_.configs.empty()) return wrong({}, "there is no `config`");
    if (out_.expectations.empty()) return wrong({}, "nothing is expected: it could not fail");
    if (!out_.configs.front().name.empty()) return wrong(out_.configs.front().at, "the first `config` has no name");
    std::ranges::sort(out_.events, {}, [](const Event& one) { return std::pair(one.when, one.at.line); });
    for (const Event& event : out_.events) out_.end = std::max(out_.end, event.when);
    for (const Expectation& one : out_.expectations) out_.end = std::max(out_.end, one.to);
    return {};
  }

 private:
  Outcome config_line(std::string_view line, std::uint32_t number) {
    if (out_.configs.empty()) return {};
    std::string& text = out_.configs.back().text;
    text.append(text.empty() ? number - 1 : 1, '\n');  // each line stands where it stands in the file
    text.append(line);
    return {};
  }

  Outcome section(Words words) {
    static const Pattern kConfig("config [named <name>] [from <file>]");
    static const Pattern kEvents("events");
    Miss miss;
    in_config_ = in_events_ = false;
    if (const auto config = kConfig.match(words, miss)) {
      if (out_.configs.size() == kMaxConfigs) return wrong(words[0].at, "too many configurations");
      const std::string name = config->text("name");
      const bool known = std::ranges::count(out_.configs, name, &ConfigPart::name) > 0;
      if (known) return wrong(words.back().at, "a second configuration of this name");
      in_config_ = true;
      out_.configs.push_back({name, config->text("file"), {}, words[0].at});
      return {};
    }
    in_events_ = kEvents.match(words, miss).has_value();
    return in_events_ ? Outcome{} : missed(words, miss);
  }

  Outcome statement(Words words, std::string_view line) {
    static const Pattern kAt("at <spans>");
    static const Pattern kEvery("every <span>");
    Miss miss;
    const auto at = kAt.match(words.first(std::min<std::size_t>(2, words.size())), miss);
    if (!at) return missed(words, miss);
    const Spans when = at->spans("spans");
    if (when.most > kLongest) return wrong(words[1].at, "longer than 30 days");
    Words rest = words.subspan(2);
    if (rest.empty()) return wrong(place_of(words, 2), "the line ends too early; next is an event, or `expect`");
    const bool range = at->text("spans").find("..") != std::string::npos;
    if (rest[0].text == "expect") return expectation(rest.subspan(1), words, when, range, line);
    Duration every{};
    if (rest[0].text == "every") {
      const auto caught = kEvery.match(rest.first(std::min<std::size_t>(2, rest.size())), miss = {});
      if (!caught) return missed(rest, miss);
      every = caught->span("span");
      rest = rest.subspan(2);
      if (rest.empty()) return wrong(place_of(words, words.size()), "the line ends too early; next is an event");
    }
    if (range != (every > Duration{})) {
      return wrong(words[1].at, range ? "an event of a span of time needs `every SPAN`" : "`every` needs a span: A..B");
    }
    return event(rest, when, every, line);
  }

  Outcome event(Words words, const Spans& when, Duration every, std::string_view line) {
    Miss miss;
    for (const EventRow& row : event_rows()) {
      auto caught = row.pattern.match(words, miss);
      if (!caught) continue;
      for (Duration at = when.least; at <= when.most; at += every) {
        if (out_.events.size() == kMaxEvents) return wrong(words[0].at, "too many events");
        out_.events.push_back({at, &row, *caught, words[0].at, written(line, words)});
        if (every == Duration{}) break;
      }
      return {};
    }
    return missed(words, miss);
  }

  // `within D` ends the line; claims have commas between.
  Outcome expectation(Words words, Words all, const Spans& when, bool range, std::string_view line) {
    if (out_.expectations.size() == kMaxExpectations) return wrong(all[0].at, "too many expectations");
    Expectation one{when.least, when.most, false, {}, all[0].at, written(line, all)};
    if (range) one.to -= Duration(1);
    if (words.size() > 1 && words[words.size() - 2].text == "within") {
      const auto span = config::parse_duration(words.back().text);
      if (!span || *span > kLongest) return wrong(words.back().at, "a span of time such as 5s stands behind `within`");
      if (range) return wrong(words[words.size() - 2].at, "either A..B or `within`");
      one.to = one.from + *span;
      one.eventually = true;
      words = words.first(words.size() - 2);
    }
    while (!words.empty()) {
      const auto comma = std::ranges::find_if(words, [](const Word& w) { return !w.quoted && w.text == ","; });
      const auto length = static_cast<std::size_t>(comma - words.begin());
      if (length == 0) return wrong(words[0].at, "nothing stands before this comma");
      auto claim = read_claim(words.first(length), line);
      if (!claim) return std::unexpected(std::move(claim.error()));
      if (claim->happening != nullptr && !range && !one.eventually) {
        return wrong(claim->at, "this takes time: write `at A..B expect …` or `… within SPAN`");
      }
      one.claims.push_back(std::move(*claim));
      words = words.subspan(std::min(words.size(), length + 1));
    }
    if (one.claims.empty()) return wrong(place_of(all, all.size()), "the line ends too early; what is expected?");
    out_.expectations.push_back(std::move(one));
    return {};
  }

  static std::expected<Claim, Problem> read_claim(Words words, std::string_view line) {
    Claim claim;
    claim.at = words[0].at;
    claim.text = written(line, words);
    const std::string_view first = words[0].text;
    if (first == "no") {
      claim.counted = true;
      claim.least = claim.most = 0;
      words = words.subspan(1);
    } else if (first == "exactly" || first == "at_least" || first == "at_most") {
      const auto count = config::parse_count(words.size() > 1 ? words[1].text : "", 1'000'000);
      if (!count) return wrong(place_of(words, 1), fmt::format("a number stands behind `{}`", first));
      claim.counted = true;
      claim.least = first == "at_most" ? 0 : *count;
      if (first != "at_least") claim.most = *count;
      words = words.subspan(2);
    }
    if (words.empty()) return wrong(claim.at, "what is expected?");
    Miss miss;
    for (const HappeningRow& row : happening_rows()) {
      if (auto caught = row.pattern.match(words, miss)) {
        claim.happening = &row;
        claim.words = std::move(*caught);
        return claim;
      }
    }
    for (const StateRow& row : state_rows()) {
      auto caught = row.pattern.match(words, miss);
      if (!caught) continue;
      if (claim.counted) return wrong(claim.at, "a state cannot be counted; say `is not`");
      claim.state = &row;
      claim.words = std::move(*caught);
      return claim;
    }
    return missed(words, miss);
  }

  Scenario& out_;
  bool in_config_ = false;
  bool in_events_ = false;
};

}  // namespace

std::expected<Scenario, Problem> read_scenario(std::string_view text, const std::string& file) {
  Scenario scenario;
  scenario.file = file;
  ScenarioReader reader(scenario);
  Outcome outcome;
  if (text.size() > kMaxBytes) {
    return std::unexpected(Problem{file, 0, 0, fmt::format("larger than {} KiB", kMaxBytes >> 10), {}});
  }
  std::uint32_t number = 0;
  while (outcome && !text.empty()) {
    const std::size_t end = std::min(text.size(), text.find('\n'));
    outcome = reader.line(text.substr(0, end), ++number);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  if (outcome) outcome = reader.end();
  if (outcome) return scenario;
  outcome.error().file = file;
  return std::unexpected(std::move(outcome.error()));
}

}  // namespace homeostat::scenario
