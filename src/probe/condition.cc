#include "probe/condition.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "probe/reading.hpp"

namespace homeostat::probe {
namespace {

constexpr std::array<std::string_view, 6> kWords{"<", "<=", ">", ">=", "==", "!="};

}  // namespace

bool Condition::holds(std::int64_t value) const {
  switch (compare) {
    case Compare::below:
      return value < than;
    case Compare::at_most:
      return value <= than;
    case Compare::above:
      return value > than;
    case Compare::at_least:
      return value >= than;
    case Compare::equal:
      return value == than;
    case Compare::other:
      break;
  }
  return value != than;
}

std::optional<Condition> read_condition(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end() || word.size() == text.size()) return std::nullopt;
  const auto number = read_signed(text.substr(word.size() + 1));
  if (!number) return std::nullopt;
  return Condition{static_cast<Compare>(found - kWords.begin()), *number};
}

std::string to_text(const Condition& condition) {
  return fmt::format("{} {}", kWords[static_cast<std::size_t>(condition.compare)], show_number(condition.than));
}

std::string show_number(std::int64_t thousandths) {
  const std::uint64_t size =
      thousandths < 0 ? 0 - static_cast<std::uint64_t>(thousandths) : static_cast<std::uint64_t>(thousandths);
  std::string out = fmt::format("{}{}.{:03}", thousandths < 0 ? "-" : "", size / 1000, size % 1000);
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace homeostat::probe
