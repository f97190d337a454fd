// What is wrong with a configuration, and where.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace homeostat::config {

/// Both count from 1; columns count bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct Problem {
  std::string file;
  std::uint32_t line = 0;  // 0: the file as a whole
  std::uint32_t column = 0;
  std::string text;
  std::string hint;  // the nearest known word; empty: none is near
};

/// "file:line:column: text (did you mean `interval`?)"
std::string render(const Problem& problem);

/// The known word that `word` most likely was meant to be; empty when none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> known);

/// `text` as it may be shown in a message: in back quotes, short, without control characters.
std::string quote(std::string_view text);

}  // namespace homeostat::config
