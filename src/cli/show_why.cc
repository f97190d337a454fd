#include <fmt/format.h>

#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

std::string ladder_text(const json::object& place, bool color) {
  const std::string issue = text_at(place, "issue", "");
  std::string out = issue.empty() ? "" : fmt::format("    its ladder is that of {}\n", issue);
  for (const json::value& item : list_at(place, "ladder")) {
    const json::object& rung = item.as_object();
    const std::string state = text_at(rung, "state");
    std::string line = fmt::format("rung {} {}: {}", text_at(rung, "rung"), text_at(rung, "strategy"), state);
    if (state == "next") {
      line += fmt::format(", {} of {} attempts used", number_at(rung, "used"), text_at(rung, "attempts"));
    }
    if (const std::string skipped = text_at(rung, "skipped", ""); !skipped.empty()) line += ", skipped: " + skipped;
    if (const std::string condition = text_at(rung, "condition", ""); !condition.empty())
      line += " (" + condition + ")";
    out += "    " + paint(line, state == "next" ? Color::bold : Color::dim, color) + "\n";
  }
  return out;
}

std::string repair_text(const json::object& place) {
  const json::object* repair = object_at(place, "repair");
  if (repair == nullptr) return "";
  return fmt::format(
      "    failing since {}, verdict at {}{}\n", time_at(*repair, "first_failure"), time_at(*repair, "verdict"),
      text_at(*repair, "first_success") == "-" ? "" : ", well again " + time_at(*repair, "first_success"));
}

std::string place_text(const json::object& place, bool color) {
  std::string out = "  " + paint(text_at(place, "place"), Color::bold, color) + "\n" + repair_text(place);
  for (const json::value& item : list_at(place, "evidence")) {
    const json::object& evidence = item.as_object();
    out +=
        fmt::format("    {}{}\n", text_at(evidence, "text"), flag_at(evidence, "direct") ? "" : " (indirect evidence)");
  }
  out += ladder_text(place, color);
  if (const json::object* hold = object_at(place, "hold")) {
    out += paint(fmt::format("    gate {} holds it since {}: {}", text_at(*hold, "gate"), time_at(*hold, "since", true),
                             text_at(*hold, "detail")),
                 Color::yellow, color) +
           fmt::format("\n      {}\n", text_at(place, "remedy", ""));
  }
  return out + "    next: " + text_at(place, "next") + "\n";
}

/// Who was excused by whom, down to the cause.
std::string walk_text(const json::object& why) {
  std::string out;
  for (const json::value& item : list_at(why, "diagnosis")) {
    const json::object& step = item.as_object();
    out += fmt::format("{} {}: {}\n", out.empty() ? "diagnosis:" : "          ", text_at(step, "service"),
                       text_at(step, "reason"));
  }
  const json::array& waiting = list_at(why, "waiting_for_it");
  return waiting.empty() ? out : out + "waiting for it: " + join(waiting) + "\n";
}

/// Those that make it a likelier cause, as far as somebody wants to read them.
std::string changes_text(const json::object& why) {
  constexpr std::size_t kMost = 5;
  std::string out;
  std::size_t recent = 0;
  for (const json::value& item : list_at(why, "changes")) {
    const json::object& change = item.as_object();
    if (!flag_at(change, "recent") || ++recent > kMost) continue;
    out += fmt::format("{} {} at {}\n", text_at(change, "place"), text_at(change, "what"), time_at(change, "at", true));
  }
  return recent <= kMost ? out : out + fmt::format("and {} more instances\n", recent - kMost);
}

std::string one_budget(const std::string& whose, const json::object& budget) {
  std::string out = fmt::format("budget of {}: {} of {} disruptive actions used in {}", whose,
                                number_at(budget, "used"), text_at(budget, "limit"), span_at(budget, "per_ms"));
  if (number_at(budget, "used") > 0) out += ", one is free again at " + time_at(budget, "frees_at", true);
  return out + "\n";
}

std::string budget_text(const json::object& why) {
  const json::object* budgets = object_at(why, "budgets");
  if (budgets == nullptr) return "";
  std::string out;
  if (const json::object* instances = object_at(*budgets, "instances")) {
    for (const auto& item : *instances) out += one_budget(std::string(item.key()), item.value().as_object());
  }
  for (const std::string_view whose : {"service", "group", "fleet"}) {
    const json::object* budget = object_at(*budgets, whose);
    if (budget == nullptr) continue;
    const std::string name = text_at(*budget, "name", "");
    out += one_budget(fmt::format("the {}{}", whose, name.empty() ? "" : " " + name), *budget);
  }
  return out;
}

std::string maintenance_text(const json::object& service) {
  const json::object* one = object_at(service, "maintenance");
  if (one == nullptr) return "";
  const std::string reason = text_at(*one, "reason", "");
  return fmt::format("in maintenance since {} until {} (by {}{}): it is looked at, and nothing is done to it\n",
                     time_at(*one, "since", true),
                     flag_at(*one, "forever") ? "it is ended by hand" : time_at(*one, "until", true),
                     text_at(*one, "by"), reason.empty() ? "" : ", " + reason);
}

/// The decisions of the open incident, or of the last one: which rungs were skipped, what was tried, how it went.
std::string decisions_text(const json::object& history, bool color) {
  const json::array& incidents = list_at(history, "incidents");
  if (incidents.empty()) return "";
  const json::object& incident = incidents.at(0).as_object();
  std::string out = fmt::format("\nincident {}, {}:\n", text_at(incident, "id"), text_at(incident, "ending"));
  const json::array& lines = list_at(incident, "lines");
  const std::size_t most = 20;
  const std::size_t from = lines.size() > most ? lines.size() - most : 0;
  if (from > 0)
    out += fmt::format("  ({} earlier lines; `homeostat history --incident {}`)\n", from, text_at(incident, "id"));
  for (std::size_t i = from; i < lines.size(); ++i) out += "  " + show_line(lines.at(i).as_object(), color) + "\n";
  return out;
}

}  // namespace

std::string show_why(const json::object& why, const json::object* history, bool color) {
  const json::object* service = object_at(why, "service");
  if (service == nullptr) return "";
  const std::string status = text_at(*service, "status");
  const std::string flags = flags_text(*service);
  std::string out = fmt::format("{} is {} since {}", paint(text_at(*service, "name"), Color::bold, color),
                                paint(status, color_of(status), color), time_at(*service, "since"));
  out += flags.empty() ? "\n" : " (" + flags + ")\n";
  out += show_others(*service, color);
  out += maintenance_text(*service) + changes_text(why) + walk_text(why);
  for (const json::value& place : list_at(why, "places")) out += place_text(place.as_object(), color);
  out += "next: " + text_at(why, "next") + "\n" + budget_text(why) + show_waiting(why, color);
  return history == nullptr ? out : out + decisions_text(*history, color);
}

}  // namespace homeostat::cli
