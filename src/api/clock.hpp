// Engine time for people: wall clock times and spans of time as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat::api {

/// One moment on both clocks, so that any other engine time can be shown as wall time.
struct Clock {
  Instant now{};
  std::int64_t wall_ns = 0;

  /// Wall time of `at`; nothing for kNever and kLongAgo.
  std::optional<std::int64_t> wall(Instant at) const;
  std::int64_t wall_s() const { return wall_ns / 1'000'000'000; }
};

/// "2026-11-22T08:34:09.123Z"
std::string iso_time(std::int64_t wall_ns);
/// The inverse of iso_time; nothing for any other text.
std::optional<std::int64_t> parse_iso_time(std::string_view text);

/// Short and readable: "340ms", "2.1s", "4m05s", "3h07m", "5d02h". Negative spans count as 0.
std::string in_words(Duration span);

}  // namespace homeostat::api
