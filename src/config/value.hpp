// Values that are written as one word: spans of time, sizes, shares, ranges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat::config {

/// As Prometheus writes it: `150ms`, `5s`, `1h30m`; units from large to small, at most 10 years in all.
std::optional<Duration> parse_duration(std::string_view text);
/// The shortest text that parses to `span` (a multiple of 1 ms).
std::string show_duration(Duration span);

/// A whole number without a sign, at most `most`.
std::optional<std::uint64_t> parse_count(std::string_view text, std::uint64_t most);

/// A number from 0 without an exponent, in units of its last possible decimal: `1.5` with two places is 150.
std::optional<std::int64_t> parse_decimal(std::string_view text, std::size_t places);

/// `512`, `64KiB`, `10MiB`, `2GiB`, `1kB`, `5MB`.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// `1%` … `100%`.
std::optional<std::uint32_t> parse_percent(std::string_view text);

struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// `200` or `200-299`, both ends within [least, most] and in order.
std::optional<Range> parse_range(std::string_view text, std::uint64_t least, std::uint64_t most);

/// A service's, check's or notifier's name: 1 to 63 of a-z 0-9 _ -
bool is_name(std::string_view text);

}  // namespace homeostat::config
