// Bounds that depend on the hour: cron expressions, matched against local time that is told.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace homeostat {

/// A local time as minutes since 1970-01-01 00:00 of the same wall clock. Whoever knows time zones makes it.
using LocalMinutes = std::int64_t;

/// `minute hour day month weekday`, as crontab(5) reads it.
struct CronTime {
  std::uint64_t minutes = 0;  // one bit each
  std::uint32_t hours = 0;
  std::uint32_t days = 0;
  std::uint16_t months = 0;
  std::uint8_t weekdays = 0;
  /// Both the day and the weekday are restricted: one of them is enough.
  bool either_day = false;

  friend bool operator==(const CronTime&, const CronTime&) = default;
};

/// Or what is wrong: the field and what it may be.
std::expected<CronTime, std::string> parse_cron(std::string_view text);

/// The first time after `from` that matches; none within five years: never (30 February).
std::optional<LocalMinutes> next_match(const CronTime& cron, LocalMinutes from);

/// From the minute of `start` until that of `end`.
bool between(const CronTime& start, const CronTime& end, LocalMinutes now);

/// `2026-03-01 09:30`
std::string show_local(LocalMinutes time);

/// From `start` to `end` other bounds hold.
struct ScalingSchedule {
  std::string zone{};  // for whoever makes the local time
  CronTime start{};
  CronTime end{};
  std::optional<std::int32_t> min{};
  std::optional<std::int32_t> max{};
  friend bool operator==(const ScalingSchedule&, const ScalingSchedule&) = default;
};

bool active(const ScalingSchedule& schedule, LocalMinutes now);

}  // namespace homeostat
