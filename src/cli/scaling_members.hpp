// The small values of `eval scaling`: each reads one member of an object, or says what is wrong with it.
#pragma once

#include <array>
#include <cmath>

#include "cli/members.hpp"
#include "cli/scaling_input.hpp"
#include "config/value.hpp"

namespace homeostat::cli {

inline constexpr std::string_view kDurations = "durations such as 15s";

inline void whole(Members& members, std::string_view key, std::int32_t& out) {
  members.with(key, [&](const json::value& value) {
    boost::system::error_code wrong;
    const auto number = value.to_number<std::int32_t>(wrong);
    if (wrong || number < 0) return members.wrong(key, "is not a whole number from 0");
    out = number;
  });
}

/// A share such as 0.1.
inline void share(Members& members, std::string_view key, std::int64_t& out) {
  members.with(key, [&](const json::value& value) {
    const auto millionths = value.is_number() ? to_millionths(value.to_number<double>()) : std::nullopt;
    if (!millionths) return members.wrong(key, "is not a share from 0 to 1000, such as 0.1");
    out = *millionths;
  });
}

inline void thousandths(Members& members, std::string_view key, std::int64_t& out) {
  members.with(key, [&](const json::value& value) {
    const auto number = value.is_number() ? to_thousandths(value.to_number<double>()) : std::unexpected(MetricFault{});
    if (!number) return members.wrong(key, "is not a number from 0");
    out = *number;
  });
}

inline void duration(Members& members, std::string_view key, Duration& out) {
  members.word<Duration>(key, out, config::parse_duration, kDurations);
}

/// An age before now.
inline void age(Members& members, std::string_view key, std::optional<Instant>& out) {
  Duration ago{};
  if (!members.has(key)) return members.with(key, [](const json::value&) {});
  duration(members, key, ago);
  out = ScalingQuestion::kNow - ago;
}

/// Each of a list's objects, with its place.
inline void each(Members& members, std::string_view key, std::size_t most,
                 const std::function<void(const json::value&, const std::string&)>& use) {
  members.with(key, [&](const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->size() > most)
      return members.wrong(key, fmt::format("is not a list of at most {}", most));
    for (std::size_t i = 0; i < list->size(); ++i) use((*list)[i], fmt::format("{}[{}]", key, i));
  });
}

template <class Enum, std::size_t N>
std::function<std::optional<Enum>(std::string_view)> one_of(
    const std::array<std::pair<std::string_view, Enum>, N>& all) {
  return [all](std::string_view word) {
    for (const auto& [name, value] : all) {
      if (name == word) return std::optional(value);
    }
    return std::optional<Enum>();
  };
}

}  // namespace homeostat::cli
