#include "homeostat/scaling_schedule.hpp"

#include <array>
#include <chrono>
#include <span>

namespace homeostat {
namespace {

constexpr int kDaysAhead = 5 * 366;
constexpr LocalMinutes kMinutesADay{1440};

struct Field {
  std::string_view name;
  unsigned first;
  unsigned last;
  std::span<const std::string_view> words;  // for first, first + 1, …
};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> kFields{{{"minute", 0, 59, {}},
                                        {"hour", 0, 23, {}},
                                        {"day", 1, 31, {}},
                                        {"month", 1, 12, kMonths},
                                        {"weekday", 0, 7, kWeekdays}}};

/// Cuts the text before `mark` off its front.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view front = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return front;
}

bool same_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char lower = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (lower != word[i]) return false;
  }
  return true;
}

std::optional<unsigned> number_of(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.words.size(); ++i) {
    if (same_word(text, field.words[i])) return field.first + static_cast<unsigned>(i);
  }
  if (text.empty() || text.size() > 2) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value < field.first || value > field.last) return std::nullopt;
  return value;
}

/// One of the parts between commas: `*`, `5`, `1-5`, `*/10`, `1-30/5`.
std::optional<std::uint64_t> part_of(std::string_view part, const Field& field) {
  std::string_view rest = part;
  const std::string_view range = cut(rest, '/');
  const bool stepped = range.size() != part.size();
  unsigned step = 1;
  if (stepped) {
    const auto told = number_of(rest, {"step", 1, 59, {}});
    if (!told) return std::nullopt;
    step = *told;
  }
  std::optional<unsigned> from = field.first;
  std::optional<unsigned> to = field.last;
  if (range != "*") {
    std::string_view high = range;
    const std::string_view low = cut(high, '-');
    from = number_of(low, field);
    if (low.size() != range.size()) {
      to = number_of(high, field);
    } else if (!stepped) {
      to = from;
    }
  }
  if (!from || !to || *from > *to) return std::nullopt;
  std::uint64_t bits = 0;
  for (unsigned value = *from; value <= *to; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

std::optional<std::uint64_t> bits_of(std::string_view text, const Field& field) {
  if (text.empty() || text.back() == ',') return std::nullopt;
  std::uint64_t bits = 0;
  while (!text.empty()) {
    const auto part = part_of(cut(text, ','), field);
    if (!part) return std::nullopt;
    bits |= *part;
  }
  return bits;
}

bool has(std::uint64_t bits, unsigned value) { return (bits >> value & 1) != 0; }

bool matches_day(const CronTime& cron, std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  if (!has(cron.months, unsigned(date.month()))) return false;
  const bool by_day = has(cron.days, unsigned(date.day()));
  const bool by_weekday = has(cron.weekdays, std::chrono::weekday(day).c_encoding());
  return cron.either_day ? by_day || by_weekday : by_day && by_weekday;
}

/// The first matching minute of a day at or after `from`.
std::optional<LocalMinutes> in_day(const CronTime& cron, LocalMinutes from) {
  for (LocalMinutes minute = from; minute < kMinutesADay; ++minute) {
    const auto hour = static_cast<unsigned>(minute / 60);
    if (!has(cron.hours, hour)) {
      minute = minute / 60 * 60 + 59;  // on to the next hour
    } else if (has(cron.minutes, static_cast<unsigned>(minute % 60))) {
      return minute;
    }
  }
  return std::nullopt;
}

}  // namespace

std::expected<CronTime, std::string> parse_cron(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  std::array<std::uint64_t, 5> bits{};
  std::array<bool, 5> all{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    const std::string_view field = text.substr(0, text.find_first_of(kBlank));
    text.remove_prefix(field.size());
    const auto found = bits_of(field, kFields[i]);
    if (!found) {
      return std::unexpected("the " + std::string(kFields[i].name) + " of a cron expression is *, a number from " +
                             std::to_string(kFields[i].first) + " to " + std::to_string(kFields[i].last) +
                             ", a range, a list or a step such as */5; not \"" + std::string(field.substr(0, 40)) +
                             "\"");
    }
    bits[i] = *found;
    all[i] = field.starts_with('*');
  }
  if (text.find_first_not_of(kBlank) != std::string_view::npos)
    return std::unexpected("a cron expression has five fields: minute hour day month weekday");
  if (has(bits[4], 7)) bits[4] |= 1;  // Sunday is 0 and 7
  return CronTime{bits[0],
                  static_cast<std::uint32_t>(bits[1]),
                  static_cast<std::uint32_t>(bits[2]),
                  static_cast<std::uint16_t>(bits[3]),
                  static_cast<std::uint8_t>(bits[4]),
                  !all[2] && !all[4]};
}

std::optional<LocalMinutes> next_match(const CronTime& cron, LocalMinutes from) {
  const LocalMinutes begin = from + 1;
  std::chrono::sys_days day{
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::minutes>(std::chrono::minutes(begin)))};
  LocalMinutes minute = begin - LocalMinutes{day.time_since_epoch().count()} * kMinutesADay;
  for (int ahead = 0; ahead < kDaysAhead; ++ahead, day += std::chrono::days(1), minute = 0) {
    if (!matches_day(cron, day)) continue;
    if (const auto found = in_day(cron, minute)) return day.time_since_epoch().count() * kMinutesADay + *found;
  }
  return std::nullopt;
}

std::string show_local(LocalMinutes time) {
  const std::chrono::sys_time<std::chrono::minutes> at{std::chrono::minutes(time)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto minute = static_cast<unsigned>((at - day).count());
  const auto two = [](unsigned number) { return std::to_string(100 + number).substr(1); };
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + " " + two(minute / 60) + ":" + two(minute % 60);
}

bool between(const CronTime& start, const CronTime& end, LocalMinutes now) {
  const auto starts = next_match(start, now);
  const auto ends = next_match(end, now);
  return starts && ends && *ends < *starts;
}

bool active(const ScalingSchedule& schedule, LocalMinutes now) { return between(schedule.start, schedule.end, now); }

}  // namespace homeostat
