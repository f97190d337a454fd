#include "config/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/text.hpp"

namespace homeostat::config {
namespace {

/// Letters to insert, drop, replace, or swap with a neighbour until `a` is `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string render(const Problem& problem) {
  std::string out = problem.line == 0 ? fmt::format("{}: ", problem.file)
                                      : fmt::format("{}:{}:{}: ", problem.file, problem.line, problem.column);
  out += problem.text;
  if (!problem.hint.empty()) out += fmt::format(" (did you mean `{}`?)", problem.hint);
  return out;
}

std::string nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > 64) return {};
  std::size_t best = 2 + word.size() / 4;  // one more than is near enough
  std::string_view found;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      found = candidate;
    }
  }
  return std::string(found);
}

std::string quote(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return fmt::format("`{}`", printable(text, kShown));
}

}  // namespace homeostat::config
