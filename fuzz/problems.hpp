// What the reader of a text must say when it refuses it.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "kit.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {

/// How long each line is, in bytes.
inline std::vector<std::size_t> line_lengths(std::string_view text) {
  std::vector<std::size_t> lengths;
  while (true) {
    const std::size_t end = text.find('\n');
    lengths.push_back(std::min(end, text.size()));
    if (end == std::string_view::npos) return lengths;
    text.remove_prefix(end + 1);
  }
}

inline void judge_problems(const std::vector<config::Problem>& problems, std::string_view text) {
  require(!problems.empty() && problems.size() <= 101, "a refusal has reasons, and an end");
  const std::vector<std::size_t> lengths = line_lengths(text);
  for (const config::Problem& problem : problems) {
    require(!problem.text.empty() && is_harmless(config::render(problem), 1024), "a problem is one harmless line");
    require(problem.line <= lengths.size(), "a problem's line is in the file");
    require(problem.line == 0 || (problem.column >= 1 && problem.column <= lengths[problem.line - 1] + 1),
            "a problem's column is in its line");
  }
}

}  // namespace homeostat::fuzz
