// A line of a scenario as words with their places.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace homeostat::scenario {

struct Word {
  std::string text;
  config::Position at;
  bool quoted = false;
};

/// What is wrong with a scenario, and where; `render` shows it as "file:line:column: …".
using Problem = config::Problem;

/// Words stand between blanks; a comma is a word of its own, "quoted text" is one word, `#` begins a comment.
std::expected<std::vector<Word>, Problem> split_words(std::string_view line, std::uint32_t number);

}  // namespace homeostat::scenario
