#include "config/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace homeostat::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::pair<std::string_view, Duration>, 7> kUnits{{{"y", hours(24 * 365)},
                                                                       {"w", hours(24 * 7)},
                                                                       {"d", hours(24)},
                                                                       {"h", hours(1)},
                                                                       {"m", minutes(1)},
                                                                       {"s", seconds(1)},
                                                                       {"ms", milliseconds(1)}}};
constexpr Duration kLongest = hours(24 * 365 * 10);

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kSizes{{{"", 1},
                                                                            {"B", 1},
                                                                            {"kB", 1000},
                                                                            {"KiB", 1024},
                                                                            {"MB", 1000 * 1000},
                                                                            {"MiB", 1024 * 1024},
                                                                            {"GB", 1000 * 1000 * 1000},
                                                                            {"GiB", 1024 * 1024 * 1024}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Cuts the number off the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t most) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  const std::optional<std::uint64_t> number = parse_count(text.substr(0, digits), most);
  text.remove_prefix(digits);
  return number;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{};
  if (text.empty()) return std::nullopt;
  Duration sum{};
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto number = take_number(text, std::numeric_limits<std::int64_t>::max());
    const auto end = std::find_if(text.begin(), text.end(), is_digit);
    const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(name.size());
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].first != name) ++unit;
    if (!number || unit == kUnits.size()) return std::nullopt;
    if (*number > static_cast<std::uint64_t>(kLongest / kUnits[unit].second)) return std::nullopt;
    sum += kUnits[unit].second * static_cast<std::int64_t>(*number);
    if (sum > kLongest) return std::nullopt;
    next_unit = unit + 1;
  }
  return sum;
}

std::string show_duration(Duration span) {
  std::string out;
  for (const auto& [name, unit] : kUnits) {
    if (span < unit || name == "y" || name == "w") continue;
    out += std::to_string(span / unit);
    out += name;
    span %= unit;
  }
  return out.empty() ? "0s" : out;
}

std::optional<std::int64_t> parse_decimal(std::string_view text, std::size_t places) {
  constexpr std::size_t kMostDigits = 15;
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && decimals.empty())) return std::nullopt;
  if (decimals.size() > places || whole.size() + places > kMostDigits) return std::nullopt;
  std::string digits(whole);
  digits.append(decimals).append(places - decimals.size(), '0');
  const auto number = parse_count(digits, std::numeric_limits<std::int64_t>::max());
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text, std::numeric_limits<std::int64_t>::max());
  const auto unit = std::find_if(kSizes.begin(), kSizes.end(), [&](const auto& size) { return size.first == text; });
  if (!number || unit == kSizes.end()) return std::nullopt;
  if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit->second)
    return std::nullopt;
  return *number * unit->second;
}

std::optional<std::uint32_t> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const auto number = parse_count(text, 100);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<Range> parse_range(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const std::size_t dash = text.find('-');
  const auto first = parse_count(text.substr(0, dash), most);
  const auto last = dash == std::string_view::npos ? first : parse_count(text.substr(dash + 1), most);
  if (!first || !last || *first < least || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
  });
}

}  // namespace homeostat::config
