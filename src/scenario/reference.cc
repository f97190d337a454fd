// The tables of docs/scenarios.md, from the rows that are read.
#include <fmt/format.h>

#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

/// "<how:cut|restored>" as "(cut|restored)": what it is called inside is of no interest.
std::string shown(const std::string& pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const std::size_t end = pattern.find('>', i), colon = pattern.find(':', i);
    if (pattern[i] != '<' || colon > end) {
      out += pattern[i++];
      continue;
    }
    const std::string words = pattern.substr(colon + 1, end - colon - 1);
    out += words.find('|') == std::string::npos ? words : "(" + words + ")";
    i = end + 1;
  }
  return out;
}

template <class Rows>
std::string list(std::string_view head, const Rows& rows) {
  std::string out = fmt::format("### {}\n\n", head);
  for (const auto& row : rows) out += fmt::format("- `{}`  \n  {}\n", shown(row.pattern.text()), row.meaning);
  return out + "\n";
}

}  // namespace

std::string reference() {
  return list("Events", event_rows()) + list("States", state_rows()) + list("Happenings", happening_rows());
}

}  // namespace homeostat::scenario
