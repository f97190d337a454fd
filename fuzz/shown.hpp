// What text from outside must have become before it is shown: short, one line, UTF-8, nothing that drives a terminal.
#pragma once

#include <cstdint>
#include <string_view>

namespace homeostat::fuzz {

/// Strict, and written apart from the code that it judges.
inline bool is_harmless(std::string_view text, std::size_t most = 256) {
  if (text.size() > most) return false;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) {
      if (first < 0x20 || first == 0x7f) return false;
      continue;
    }
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc0 || first > 0xf7) return false;
    std::uint32_t point = first & (0x3fU >> more);
    for (int k = 0; k < more; ++k) {
      if (i == text.size() || (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U) return false;
      point = point << 6 | (static_cast<unsigned char>(text[i++]) & 0x3fU);
    }
    const std::uint32_t least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    if (point < 0xa0) return false;  // C1 control characters
  }
  return true;
}

}  // namespace homeostat::fuzz
