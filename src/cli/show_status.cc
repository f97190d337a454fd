#include <fmt/format.h>

#include <map>

#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

/// How many are well, or, when nobody looks, how many ran last.
std::string instances_text(const json::object& service, bool live) {
  std::size_t count = 0;
  for (const json::value& item : list_at(service, "instances")) {
    const std::string status = text_at(item.as_object(), "status");
    const bool well = status == "healthy" || status == "degraded";
    if (live ? well : text_at(item.as_object(), "state") == "running") ++count;
  }
  return fmt::format("{}/{}{}", count, list_at(service, "instances").size(), live ? "" : " ran");
}

/// What is being done about the incident, in a few words.
std::string repair_text(const json::object& service) {
  if (const json::object* operation = object_at(service, "operation")) {
    const std::size_t done = list_at(*operation, "done").size();
    return fmt::format("{} {} of {}", text_at(*operation, "kind"), done, done + list_at(*operation, "pending").size());
  }
  const json::object* incident = object_at(service, "incident");
  if (incident == nullptr) return "";
  std::string text = "incident " + text_at(*incident, "id");
  for (const json::value& item : list_at(*incident, "failing")) {
    const json::object& place = item.as_object();
    if (object_at(place, "first_success") != nullptr || text_at(place, "first_success") != "-") continue;
    if (const json::object* action = object_at(place, "action")) {
      return text + fmt::format(": {} {}, {}", text_at(*action, "strategy"), text_at(place, "place"),
                                text_at(*action, "phase"));
    }
    if (const json::object* hold = object_at(place, "hold")) {
      return text + fmt::format(": {} waits, {}: {}", text_at(place, "place"), text_at(*hold, "gate"),
                                text_at(*hold, "detail"));
    }
    const std::string at = time_at(place, "next_try", true);
    if (flag_at(place, "called")) return text + ": somebody has been called, the ladder ends at " + at + " and rests";
    const std::string next = flag_at(place, "spent") ? "ladder spent" : "next " + text_at(place, "strategy", "rung");
    return text + fmt::format(": {} at {}", next, at);
  }
  return text;
}

std::string engine_text(const json::object& status, bool color) {
  const json::object* engine = object_at(status, "engine");
  if (engine == nullptr) return "";
  std::string out;
  const auto warn = [&](const std::string& text) { out += paint("! " + text, Color::red, color) + "\n"; };
  if (const std::string reason = text_at(*engine, "observe_only", ""); !reason.empty()) warn("observe only: " + reason);
  if (text_at(*engine, "tilt_since", "") != "") warn("time has jumped; no action until a fresh round of checks");
  if (const std::string doubt = text_at(*engine, "doubt", ""); !doubt.empty()) warn("we doubt ourselves: " + doubt);
  if (flag_at(*engine, "shadow")) warn("shadow: everything is decided, nothing is done");
  for (const json::value& item : list_at(*engine, "pauses")) {
    const json::object& pause = item.as_object();
    const std::string until = flag_at(pause, "forever") ? "until resumed" : "until " + time_at(pause, "until", true);
    const std::string by = text_at(pause, "by", "");
    warn(fmt::format("{} paused {}, since {}{}", text_at(pause, "service", "everything"), until,
                     time_at(pause, "since", true), by.empty() ? "" : " by " + by));
  }
  for (const json::value& item : list_at(*engine, "maintenance")) {
    const json::object& one = item.as_object();
    const std::string until = flag_at(one, "forever") ? "until ended" : "until " + time_at(one, "until", true);
    const std::string reason = text_at(one, "reason", "");
    warn(fmt::format("{} in maintenance {}{}", text_at(one, "service", "everything"), until,
                     reason.empty() ? "" : ": " + reason));
  }
  return out;
}

Table instances_table(const json::object& service) {
  Table table({"INSTANCE", "STATUS", "STATE", "PID", "PORT", "VERSION", "UP"});
  for (const json::value& item : list_at(service, "instances")) {
    const json::object& instance = item.as_object();
    const std::string status = text_at(instance, "status");
    std::string state = text_at(instance, "state");
    if (flag_at(instance, "outdated")) state += " (outdated)";
    table.add({{text_at(instance, "name")},
               {status, color_of(status)},
               {state},
               {text_at(instance, "pid")},
               {text_at(instance, "port")},
               {text_at(instance, "version")},
               {span_at(instance, "up_ms")}});
  }
  return table;
}

std::string observation(const json::object& check) {
  const std::string last = text_at(check, "last", flag_at(check, "active") ? "nothing yet" : "not looked at");
  const std::string words = text_at(check, "last_words", "");
  return words.empty() ? last : last + ": " + words;
}

Table checks_table(const json::object& service) {
  Table table({"CHECK", "STATUS", "STREAK", "LAST SEEN", "LAST OBSERVATION"});
  for (const json::value& item : list_at(service, "checks")) {
    const json::object& check = item.as_object();
    const std::string status = text_at(check, "status");
    std::string name = text_at(service, "name") + (text_at(check, "slot") == "-" ? "" : "/" + text_at(check, "slot"));
    name += " " + text_at(check, "check");
    if (text_at(check, "role") != "alive") name += " (" + text_at(check, "role") + ")";
    table.add({{name},
               {status, color_of(status)},
               {text_at(check, "streak")},
               {time_at(check, "last_seen", true)},
               {observation(check)}});
  }
  return table;
}

/// When the notifier of an escalation is tried again, where a breaker holds it up.
std::string next_try(const json::object& status, const json::object& escalation) {
  const std::string name = "notify:" + text_at(escalation, "notifier");
  for (const json::value& item : list_at(status, "breakers")) {
    const json::object& breaker = item.as_object();
    const std::string at = time_at(breaker, "probe_at", true);
    if (text_at(breaker, "name") == name && at != "-") return ", the next at " + at;
  }
  return "";
}

std::string failures_text(const json::object& breaker) {
  if (!text_at(breaker, "name").starts_with("traffic:")) return text_at(breaker, "failures_in_a_row") + " in a row";
  const std::int64_t failed = number_at(breaker, "failure_count");
  return fmt::format("{} of {}", failed, failed + number_at(breaker, "success_count"));
}

/// Commands, notifiers and instances that are left alone because they failed, or are being tried again.
std::string breakers_text(const json::object& status, bool color) {
  Table table({"BREAKER", "STATE", "FAILURES", "HELD", "SINCE", "NEXT TRY"});
  for (const json::value& item : list_at(status, "breakers")) {
    const json::object& breaker = item.as_object();
    const std::string state = text_at(breaker, "state");
    if (state == "closed" && number_at(breaker, "failures_in_a_row") == 0) continue;
    table.add({{text_at(breaker, "name")},
               {state, state == "closed" ? Color::none : Color::red},
               {failures_text(breaker)},
               {text_at(breaker, "not_permitted")},
               {time_at(breaker, "opened_at", true)},
               {time_at(breaker, "probe_at", true)}});
  }
  return table.empty() ? "" : "\n" + table.text(color);
}

std::string told_text(const json::object& status, const json::object& escalation) {
  if (text_at(escalation, "notifier", "").empty()) return "to nobody";
  if (flag_at(escalation, "notified")) return "notified";
  return fmt::format("not notified yet, {} tries{}", number_at(escalation, "attempts"), next_try(status, escalation));
}

}  // namespace

std::string flags_text(const json::object& service, std::string_view fallback) {
  const std::string root = text_at(service, "suppressed_by", "");
  json::array flags = list_at(service, "flags");
  for (json::value& flag : flags) {
    if (flag == "suppressed" && !root.empty()) flag = "suppressed by " + root;
  }
  return join(flags, fallback);
}

std::string show_others(const json::object& service, bool color) {
  std::string out;
  for (const json::value& item : list_at(service, "ejections")) {
    const json::object& ejection = item.as_object();
    const std::string kept = text_at(ejection, "kept", "");
    const std::string how = !kept.empty()                ? "keeps its requests (" + kept + ")"
                            : flag_at(ejection, "trial") ? "gets a few requests, to prove itself"
                                                         : "gets no requests";
    out += paint(fmt::format("! {} {}: {}, since {}", text_at(ejection, "place"), how, text_at(ejection, "evidence"),
                             time_at(ejection, "since", true)),
                 Color::yellow, color) +
           "\n";
  }
  for (const json::value& item : list_at(service, "runtime_holds")) {
    const json::object& hold = item.as_object();
    out += paint(fmt::format("! {} is left alone: {}", text_at(hold, "place"), text_at(hold, "why")), Color::yellow,
                 color) +
           "\n";
  }
  return out;
}

std::string show_waiting(const json::object& status, bool color) {
  std::string out;
  for (const json::value& item : list_at(status, "approvals")) {
    const json::object& approval = item.as_object();
    out += paint(fmt::format("? {} of {} waits for `homeostat approve {}` ({})", text_at(approval, "strategy"),
                             text_at(approval, "place"), text_at(approval, "id"), text_at(approval, "evidence", "")),
                 Color::yellow, color) +
           "\n";
  }
  for (const json::value& item : list_at(status, "escalations")) {
    const json::object& e = item.as_object();
    const std::string by = text_at(e, "acknowledged_by", "");
    const std::string told = told_text(status, e);
    out += paint(fmt::format("! escalation {} at {}: {} ({}, {})", text_at(e, "id"), time_at(e, "at", true),
                             text_at(e, "summary"), told, by.empty() ? "not acknowledged" : "acknowledged by " + by),
                 by.empty() ? Color::red : Color::dim, color) +
           "\n";
  }
  return out;
}

std::string show_alerts(const json::object& status, bool color) {
  const json::object* alerts = object_at(status, "alerts");
  if (alerts == nullptr || number_at(*alerts, "unmatched") == 0) return "";
  std::string out = fmt::format("! {} of {} alerts that fire are looked for by no check:\n",
                                number_at(*alerts, "unmatched"), number_at(*alerts, "firing"));
  for (const json::value& item : list_at(*alerts, "last_unmatched")) {
    const json::object& alert = item.as_object();
    std::string labels;
    for (const json::value& label : list_at(alert, "labels")) {
      if (text_at(label.as_object(), "label") == "alertname") continue;
      labels += fmt::format(" {}={}", text_at(label.as_object(), "label"), text_at(label.as_object(), "value"));
    }
    out += fmt::format("    {}{}, told at {}\n", text_at(alert, "alert"), labels, time_at(alert, "told", true));
  }
  return paint(out, Color::yellow, color);
}

std::string show_status(const json::object& status, bool color) {
  Table table({"SERVICE", "STATUS", "SINCE", "INSTANCES", "VERSION", "MODE", "FLAGS", "REPAIR"});
  for (const json::value& item : list_at(status, "services")) {
    const json::object& service = item.as_object();
    const std::string state = text_at(service, "status");
    table.add({{text_at(service, "name")},
               {state, color_of(state)},
               {time_at(service, "since", true)},
               {instances_text(service, text_at(status, "source") == "daemon")},
               {text_at(service, "version")},
               {text_at(service, "mode")},
               {flags_text(service, "-")},
               {repair_text(service)}});
  }
  const std::string services = table.empty() ? "no services\n" : table.text(color);
  std::string ejections;
  for (const json::value& item : list_at(status, "services")) ejections += show_others(item.as_object(), color);
  return engine_text(status, color) + services + ejections + breakers_text(status, color) + show_alerts(status, color) +
         show_waiting(status, color);
}

std::string show_service(const json::object& status, bool color) {
  std::string out = show_status(status, color);
  for (const json::value& item : list_at(status, "services")) {
    const json::object& service = item.as_object();
    out += "\n" + instances_table(service).text(color);
    const Table checks = checks_table(service);
    if (!checks.empty()) out += "\n" + checks.text(color);
    if (!list_at(service, "stable").empty()) out += "\nstable versions: " + join(list_at(service, "stable")) + "\n";
    if (!list_at(service, "quarantined").empty()) {
      out += "quarantined versions: " + join(list_at(service, "quarantined")) + "\n";
    }
    for (const json::value& lock : list_at(service, "locks")) {
      out += fmt::format("locked: {}\n", text_at(lock.as_object(), "reason"));
    }
  }
  return out;
}

}  // namespace homeostat::cli
