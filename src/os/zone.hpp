// Local time by the system's zone data (/usr/share/zoneinfo).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace homeostat::os {

/// What a clock on the wall of `zone` shows, as minutes since 1970-01-01 00:00 of that clock; nothing where the system
/// knows no such zone. `wall_ns`: since 1970 in UTC.
std::optional<std::int64_t> local_minutes(const std::string& zone, std::int64_t wall_ns);

/// The seconds since 1970 in UTC of what a clock on the wall of `zone` shows, such as `2026-12-24 18:00`; nothing where
/// there is no such zone or time.
std::optional<std::int64_t> utc_seconds(const std::string& zone, const std::string& time);

}  // namespace homeostat::os
