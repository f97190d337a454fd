#include "api/clock.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace homeostat::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// The number in text[at, at + digits); -1 when it is none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::optional<std::int64_t> Clock::wall(Instant at) const {
  if (at == kNever || at == kLongAgo) return std::nullopt;
  std::int64_t span = 0;
  std::int64_t result = 0;
  if (__builtin_sub_overflow(at.time_since_epoch().count(), now.time_since_epoch().count(), &span) ||
      __builtin_add_overflow(wall_ns, span, &result)) {
    return std::nullopt;
  }
  return result;
}

std::string iso_time(std::int64_t wall_ns) {
  const std::int64_t seconds = wall_ns / kSecond - (wall_ns % kSecond < 0 ? 1 : 0);
  const auto millis = (wall_ns - seconds * kSecond) / 1'000'000;
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, millis);
}

std::optional<std::int64_t> parse_iso_time(std::string_view text) {
  if (text.size() != 24 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text[19] != '.' || text[23] != 'Z') {
    return std::nullopt;
  }
  const int millis = digits(text, 20, 3);
  std::tm parts{};
  parts.tm_year = digits(text, 0, 4) - 1900;
  parts.tm_mon = digits(text, 5, 2) - 1;
  parts.tm_mday = digits(text, 8, 2);
  parts.tm_hour = digits(text, 11, 2);
  parts.tm_min = digits(text, 14, 2);
  parts.tm_sec = digits(text, 17, 2);
  if (parts.tm_year < 70 || parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_hour < 0 || parts.tm_min < 0 ||
      parts.tm_sec < 0 || millis < 0) {
    return std::nullopt;
  }
  return timegm(&parts) * kSecond + millis * std::int64_t{1'000'000};
}

std::string in_words(Duration span) {
  using namespace std::chrono;
  if (span < Duration::zero()) span = Duration::zero();
  const auto ms = duration_cast<milliseconds>(span).count();
  if (ms == 0 && span > Duration::zero()) return "<1ms";
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}.{}s", ms / 1000, ms / 100 % 10);
  const auto s = ms / 1000;
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86'400, s / 3600 % 24);
}

}  // namespace homeostat::api
