// Little-endian numbers in byte strings: every on-disk layout of this room is made of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace homeostat::journal {

template <typename T>
void put(std::string& out, T value) {
  const auto bits = static_cast<std::uint64_t>(value);
  char bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>((bits >> (8 * i)) & 0xFF);
  out.append(bytes, sizeof(T));
}

/// Takes a number from the front of `in`; nothing if `in` is too short.
template <typename T>
std::optional<T> take(std::string_view& in) {
  if (in.size() < sizeof(T)) return std::nullopt;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  }
  in.remove_prefix(sizeof(T));
  return static_cast<T>(bits);
}

/// Takes `size` bytes from the front of `in`; nothing if `in` is too short.
inline std::optional<std::string_view> take_bytes(std::string_view& in, std::size_t size) {
  if (in.size() < size) return std::nullopt;
  const std::string_view head = in.substr(0, size);
  in.remove_prefix(size);
  return head;
}

}  // namespace homeostat::journal
