// Windows of maintenance: their table, and what they come to.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "config/resolve_parts.hpp"
#include "os/zone.hpp"

namespace homeostat::config {
namespace {

std::uint32_t zone_index(std::vector<std::string>& zones, const std::string& zone) {
  const auto found = std::ranges::find(zones, zone);
  const auto index = static_cast<std::uint32_t>(found - zones.begin());
  if (found == zones.end()) zones.push_back(zone);
  return index;
}

// What is open for longer is hardly meant: nothing is repaired meanwhile.
constexpr Duration kLongWindow = std::chrono::days(4);

std::string is_long(Duration span) {
  return fmt::format("nothing is repaired for {} while this window is open", show_duration(span));
}

/// Of the next few: the others are alike.
Duration longest_opening(const CronTime& start, const CronTime& end) {
  constexpr int kLooked = 3;
  std::chrono::minutes longest{};
  LocalMinutes at = std::time(nullptr) / 60;
  for (int i = 0; i < kLooked; ++i) {
    at = next_match(start, at).value_or(at);
    if (between(start, end, at)) longest = std::max(longest, std::chrono::minutes(*next_match(end, at) - at));
  }
  return longest;
}

/// Seconds since 1970; nothing and reported where it is no such time.
std::optional<std::int64_t> moment(const Resolution& in, const Node& node, std::string_view key,
                                   const std::optional<std::string>& text, const std::string& zone) {
  if (!text) {
    in.reader.problem(node.at, fmt::format("a window that is open once needs `{}`, such as 2026-12-24 18:00", key));
    return std::nullopt;
  }
  const auto seconds = os::utc_seconds(zone, *text);
  if (!seconds)
    in.reader.problem(node.where(key),
                      fmt::format("{} is no time of {}: write it as 2026-12-24 18:00", quote(*text), zone));
  return seconds;
}

void once(const Resolution& in, const Placed<WindowDraft>& placed, engine::MaintenanceWindow& out) {
  const WindowDraft& draft = placed.value;
  const auto from = moment(in, *placed.node, "from", draft.from, draft.zone);
  const auto to = moment(in, *placed.node, "to", draft.to, draft.zone);
  if (!from || !to) return;
  if (*to <= *from) return in.reader.problem(placed.node->where("to"), "it ends before it begins");
  if (*to <= std::time(nullptr)) remark(in, placed.node->where("to"), "this window is over");
  if (std::chrono::seconds(*to - *from) > kLongWindow)
    remark(in, placed.node->where("to"), is_long(std::chrono::seconds(*to - *from)));
  out.from = *from;
  out.to = *to;
}

void again(const Resolution& in, const Placed<WindowDraft>& placed, engine::MaintenanceWindow& out) {
  const WindowDraft& draft = placed.value;
  const Node& node = *placed.node;
  for (const auto& [key, cron] : {std::pair("start", draft.start), std::pair("end", draft.end)}) {
    if (!cron)
      return in.reader.problem(node.at, fmt::format("a window needs `{}`, such as `0 3 * * sun`; one that is open once "
                                                    "needs `from` and `to`",
                                                    key));
    if (*cron == CronTime{}) return;  // reported when it was read
  }
  if (*draft.start == *draft.end) return in.reader.problem(node.where("end"), "it ends when it begins");
  out.start = *draft.start;
  out.end = *draft.end;
  out.zone = zone_index(in.config.plan.zones, draft.zone);
  const Duration longest = longest_opening(*draft.start, *draft.end);
  if (longest > kLongWindow) remark(in, node.where("end"), is_long(longest));
}

}  // namespace

const Table<WindowDraft>& window_table() {
  static const Table<WindowDraft> table = [] {
    Table<WindowDraft> rows("maintenance",
                            "When somebody works on it: it is looked at, and nothing is done to it by itself. `start` "
                            "and `end` are for a window that is open again and again, `from` and `to` for one that is "
                            "open once.");
    rows.add("start", &WindowDraft::start, maybe(cron_type()),
             {.text = "From then: minute, hour, day, month, weekday, as crontab(5).",
              .otherwise = "`from` is needed",
              .example = "0 2 * * sun"});
    rows.add("end", &WindowDraft::end, maybe(cron_type()),
             {.text = "Until then.", .otherwise = "`to` is needed", .example = "0 4 * * sun"});
    rows.add("from", &WindowDraft::from, maybe(text_type()),
             {.text = "Once, from then.", .otherwise = "`start` is needed", .example = "2026-12-24 18:00"});
    rows.add("to", &WindowDraft::to, maybe(text_type()),
             {.text = "Until then.", .otherwise = "`end` is needed", .example = "2026-12-24 20:00"});
    rows.add("zone", &WindowDraft::zone, zone_type(),
             {.text = "The time zone of both, by its name in the system's zone data.",
              .fallback = "UTC",
              .example = "Europe/Berlin"});
    rows.add("reason", &WindowDraft::reason, text_type(),
             {.text = "What is being done, for those who ask why nothing happens.",
              .otherwise = "nothing is said",
              .example = "backup"});
    return rows;
  }();
  return table;
}

std::vector<engine::MaintenanceWindow> resolve_windows(const Resolution& in,
                                                       const std::vector<Placed<WindowDraft>>& drafts) {
  std::vector<engine::MaintenanceWindow> out;
  for (const Placed<WindowDraft>& placed : drafts) {
    const std::size_t before = in.reader.found();
    const WindowDraft& draft = placed.value;
    engine::MaintenanceWindow window;
    window.reason = draft.reason;
    const bool is_once = draft.from || draft.to;
    if (is_once && (draft.start || draft.end))
      in.reader.problem(placed.node->at, "either `start` and `end`, or `from` and `to`");
    else
      is_once ? once(in, placed, window) : again(in, placed, window);
    if (in.reader.found() == before) out.push_back(std::move(window));
  }
  return out;
}

}  // namespace homeostat::config
