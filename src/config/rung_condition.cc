// When a rung may be used: a condition in words, or several that must all hold.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "config/rung.hpp"

namespace homeostat::config {
namespace {

constexpr std::string_view kChanged = "changed_within";
constexpr std::string_view kFailing = "instances_failing";
constexpr std::string_view kSignal = "signal";
constexpr std::string_view kEjected = "requests_fail";
constexpr std::array kKnown{kChanged, kFailing, kSignal, kEjected};
constexpr int kLastSignal = 31;

/// `SEGV` or `SIGSEGV`; 0: there is none of that name.
int signal_named(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= kLastSignal; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return 0;
}

std::string_view word_of(std::string_view text) { return text.substr(0, text.find(' ')); }

bool read_changed(std::string_view rest, engine::Condition& out) {
  out.changed_within = parse_duration(rest).value_or(Duration{});
  return out.changed_within > Duration{};
}

bool read_failing(std::string_view rest, engine::Condition& out) {
  if (!rest.starts_with("> ")) return false;
  const auto percent = parse_percent(rest.substr(2));
  if (!percent || *percent >= 100) return false;
  out.failing_above = *percent;
  return true;
}

bool read(std::string_view text, engine::Condition& out) {
  const std::string_view word = word_of(text);
  if (text == kEjected) return out.ejected = true;
  if (word.size() == text.size()) return false;
  const std::string_view rest = text.substr(word.size() + 1);
  if (word == kChanged) return read_changed(rest, out);
  if (word == kFailing) return read_failing(rest, out);
  if (word != kSignal) return false;
  out.out_of_memory = rest == "oom";
  out.killed_by = out.out_of_memory ? SIGKILL : signal_named(rest);
  return out.killed_by != 0;
}

void read_one(const Node& node, Reader& reader, engine::Condition& out) {
  if (node.is_scalar() && read(node.text, out)) return;
  const std::string_view word = word_of(node.text);
  const bool known = std::ranges::find(kKnown, word) != kKnown.end();
  reader.problem(
      node.at,
      fmt::format("{} is no condition (write `changed_within 15m`, `instances_failing > 50%`, `signal SEGV`, "
                  "or `requests_fail`)",
                  node.is_scalar() ? quote(node.text) : "this"),
      known ? std::string() : nearest(word, kKnown));
}

}  // namespace

Type<engine::Condition> condition_type() {
  const std::string one =
      R"({"type":"string","pattern":"^(changed_within +[0-9a-z]+|instances_failing > [0-9]+%|signal [A-Za-z]+|)"
      R"(requests_fail)$"})";
  return {{"condition or list", R"({"anyOf":[)" + one + R"(,{"type":"array","minItems":1,"items":)" + one + "}]}"},
          [](const Node& node, Reader& reader, engine::Condition& out) {
            if (!node.is_list()) return read_one(node, reader, out);
            if (node.items.empty()) reader.problem(node.at, "at least one condition is needed here");
            std::vector<std::string_view> seen;
            for (const Node& item : node.items) {
              const std::string_view word = word_of(item.text);
              if (std::ranges::find(seen, word) != seen.end())
                reader.problem(item.at,
                               fmt::format("a second {}: all of a list must hold, so one is enough", quote(word)));
              seen.push_back(word);
              read_one(item, reader, out);
            }
          }};
}

}  // namespace homeostat::config
