// Two ways to write down a struct that names its fields (`static constexpr auto fields = [](auto& self, auto& visit)`):
// canonical JSON for the journal (fields in order, no blanks, integers only) and a compact binary form for the input
// log, snapshots and hashes. Both are exact inverses of their readers, on every compiler: floating point is written by
// its bits.
#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/compact.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

template <class T>
concept Fielded = requires { T::fields; };

/// Enums that have names in JSON declare `constexpr std::span<const std::string_view> names_of(E)`; found by ADL.
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) { names_of(value); };

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsOptional<Boxed<T>> : std::true_type {};

template <class T>
concept Sequence = requires(T t) {
  t.begin();
  typename T::value_type;
} && !requires { typename T::mapped_type; } && !std::same_as<T, std::string>;

/// Sequences whose length is part of their type.
template <class T>
concept Fixed = Sequence<T> && requires { std::tuple_size<T>::value; };

template <class T>
concept Mapping = requires { typename T::mapped_type; };

template <class T>
constexpr std::int64_t to_number(const T& value) {
  static_assert(!std::is_floating_point_v<T>, "would lose what is behind the point");
  if constexpr (std::same_as<T, Instant>)
    return value.time_since_epoch().count();
  else if constexpr (std::same_as<T, Duration>)
    return value.count();
  else
    return static_cast<std::int64_t>(value);
}

template <class T>
constexpr T from_number(std::int64_t number) {
  if constexpr (std::same_as<T, Instant>)
    return Instant(Duration(number));
  else if constexpr (std::same_as<T, Duration>)
    return Duration(number);
  else
    return static_cast<T>(number);
}

}  // namespace homeostat::engine
