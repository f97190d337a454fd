// The name of an enumerator by its number.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace homeostat {

/// "?": a value that is no enumerator, as damage may leave one.
template <std::size_t N, class Enum>
std::string_view pick(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : "?";
}

}  // namespace homeostat
