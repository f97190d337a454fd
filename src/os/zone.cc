#include "os/zone.hpp"

#include <absl/time/time.h>

#include <algorithm>
#include <cctype>

namespace homeostat::os {
namespace {

// The library would read any file that is named.
bool is_name(const std::string& zone) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '_' || c == '-' || c == '+'; };
  return !zone.empty() && zone.size() < 64 && zone.front() != '/' && std::ranges::all_of(zone, fits);
}

}  // namespace

std::optional<std::int64_t> local_minutes(const std::string& zone, std::int64_t wall_ns) {
  absl::TimeZone found;
  if (!is_name(zone) || !absl::LoadTimeZone(zone, &found)) return std::nullopt;
  const absl::CivilMinute local = absl::ToCivilMinute(absl::FromUnixNanos(wall_ns), found);
  return local - absl::CivilMinute(1970, 1, 1);
}

std::optional<std::int64_t> utc_seconds(const std::string& zone, const std::string& time) {
  absl::TimeZone found;
  absl::Time out;
  std::string problem;
  if (!is_name(zone) || !absl::LoadTimeZone(zone, &found)) return std::nullopt;
  if (!absl::ParseTime("%Y-%m-%d %H:%M", time, found, &out, &problem)) return std::nullopt;
  return absl::ToUnixSeconds(out);
}

}  // namespace homeostat::os
