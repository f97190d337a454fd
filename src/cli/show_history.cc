#include <fmt/format.h>

#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

Color color_of_line(const json::object& line) {
  const std::string kind = text_at(line, "kind");
  if (kind == "failing" || kind == "escalated") return Color::red;
  if (kind == "recovered" || kind == "closed" || kind == "verified") return Color::green;
  if (kind == "held" || kind == "skipped") return Color::yellow;
  return Color::none;
}

std::string incident_head(const json::object& incident, bool color) {
  const std::string ending = text_at(incident, "ending");
  const bool open = ending == "open";
  std::string head = fmt::format("incident {}  {}  {}  ", text_at(incident, "id"), text_at(incident, "service"),
                                 time_at(incident, "first_failure"));
  head += open ? "still open" : ending == "by_itself" ? "recovered by itself" : ending;
  std::string facts = fmt::format("detected after {}", span_at(incident, "detected_after_ms"));
  if (!open) facts += fmt::format(", repaired after {}", span_at(incident, "repaired_after_ms"));
  const std::int64_t actions = number_at(incident, "actions");
  facts += fmt::format(", {} action{}", actions, actions == 1 ? "" : "s");
  const std::int64_t reopened = number_at(incident, "reopened");
  if (reopened > 0) facts += fmt::format(", reopened {} time{}", reopened, reopened == 1 ? "" : "s");
  return paint(head, open ? Color::red : Color::bold, color) + "\n  " + facts + "\n";
}

std::string incident_text(const json::object& incident, bool color) {
  std::string out = incident_head(incident, color);
  for (const json::value& line : list_at(incident, "lines")) out += "  " + show_line(line.as_object(), color) + "\n";
  const std::int64_t left_out = number_at(incident, "lines_left_out");
  if (left_out > 0) {
    out += fmt::format("  ({} lines in between are left out; see `homeostat journal show`)\n", left_out);
  }
  return out;
}

std::string share_at(const json::object& figures, std::string_view key) {
  const json::value* value = figures.if_contains(key);
  if (value == nullptr || !value->is_number()) return "-";
  return fmt::format("{:.4f} %", value->to_number<double>() * 100);
}

}  // namespace

std::string show_line(const json::object& line, bool color) {
  return fmt::format("{}  {}", paint(time_at(line, "at", true), Color::dim, color),
                     paint(text_at(line, "text"), color_of_line(line), color));
}

std::string show_history(const json::object& history, bool color) {
  std::string out;
  for (const json::value& item : list_at(history, "incidents")) {
    const json::object& incident = item.as_object();
    if (!out.empty()) out += "\n";
    out += incident_text(incident, color);
    for (const json::value& part : list_at(incident, "parts")) {
      out += "  with it: " + incident_text(part.as_object(), color);
    }
  }
  if (out.empty()) out = "no incidents\n";
  const json::array& events = list_at(history, "events");
  if (!events.empty()) out += "\n" + paint("beside incidents", Color::bold, color) + "\n";
  for (const json::value& line : events) out += "  " + show_line(line.as_object(), color) + "\n";
  return out;
}

std::string show_stats(const json::object& stats, bool color) {
  const std::string none = "none seen in " + span_at(stats, "window_ms");
  Table table({"SERVICE", "WINDOW", "FAILURES", "MTTD", "MTTR", "MTBF", "AVAILABILITY", "UPTIME", "DOWN", "UNKNOWN",
               "MAINTENANCE"});
  for (const json::value& item : list_at(stats, "services")) {
    const json::object& f = item.as_object();
    const std::string seen = "none seen in " + span_at(f, "window_ms");
    table.add({{text_at(f, "service")},
               {span_at(f, "window_ms")},
               {number_at(f, "failures") == 0 ? seen : text_at(f, "failures")},
               {span_at(f, "mttd_ms")},
               {span_at(f, "mttr_ms")},
               {span_at(f, "mtbf_ms")},
               {share_at(f, "availability")},
               {share_at(f, "uptime")},
               {span_at(f, "down_ms")},
               {span_at(f, "unknown_ms")},
               {span_at(f, "maintenance_ms")}});
  }
  if (table.empty()) return "no services\n";
  Table strategies(
      {"SERVICE", "STRATEGY", "AGAINST", "ATTEMPTS", "VERIFIED", "RATE", "SHADOW", "MEDIAN TIME TO REPAIR"});
  for (const json::value& item : list_at(stats, "services")) {
    for (const json::value& entry : list_at(item.as_object(), "strategies")) {
      const json::object& s = entry.as_object();
      strategies.add({{text_at(item.as_object(), "service")},
                      {text_at(s, "strategy")},
                      {text_at(s, "against")},
                      {text_at(s, "attempts")},
                      {text_at(s, "verified")},
                      {share_at(s, "rate")},
                      {text_at(s, "shadow")},
                      {span_at(s, "median_time_to_repair_ms", "none verified")}});
    }
  }
  return table.text(color) + "\n" + (strategies.empty() ? "repairs: " + none + "\n" : strategies.text(color));
}

}  // namespace homeostat::cli
