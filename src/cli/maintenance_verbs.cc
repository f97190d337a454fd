// maintenance: who works on what. Begins, ends and lists it.
#include <fmt/format.h>

#include <memory>

#include "cli/client.hpp"
#include "cli/table.hpp"

namespace homeostat::cli {
namespace {

/// Nothing is meant by accident: everything must be said.
std::optional<std::string> whom(const std::string& service, bool all) {
  if (service.empty() == all) return service;
  return std::nullopt;
}

int ask(const Context& context, const json::object& body, const std::string& text) {
  const Answer answer = post(context, "/v1/maintenance", body);
  if (!answer) return complain(answer.error());
  const std::string note = text_at(*answer, "note", "");
  std::printf("%s\n", context.json ? json::serialize(*answer).c_str() : note.empty() ? text.c_str() : note.c_str());
  return kOk;
}

int list(const Context& context) {
  const Answer answer = status(context, "");
  if (!answer) return complain(answer.error());
  const json::object* engine = object_at(*answer, "engine");
  if (engine == nullptr) return complain(kUnreachable, "the answer does not tell of maintenance");
  const json::array& all = list_at(*engine, "maintenance");
  const json::array& planned = list_at(*engine, "planned_maintenance");
  if (context.json) {
    std::printf("%s\n", json::serialize(json::object{{"maintenance", all}, {"planned", planned}}).c_str());
    return kOk;
  }
  Table table({"SERVICE", "MAINTENANCE", "UNTIL", "BY", "REASON"});
  for (const json::value& item : all) {
    const json::object& one = item.as_object();
    table.add({{text_at(one, "service", "everything")},
               {"since " + time_at(one, "since", true)},
               {flag_at(one, "forever") ? "ended by hand" : time_at(one, "until", true)},
               {text_at(one, "by")},
               {text_at(one, "reason")}});
  }
  for (const json::value& item : planned) {
    const json::object& one = item.as_object();
    table.add({{text_at(one, "service", "everything")},
               {"from " + time_at(one, "from")},
               {"-"},
               {"the configuration"},
               {text_at(one, "reason")}});
  }
  std::fputs(
      table.empty() ? "nothing is in maintenance, and no window is planned\n" : table.text(context.color()).c_str(),
      stdout);
  return kOk;
}

int begin(const Context& context, const std::string& service, bool all, const std::string& length,
          const std::string& reason) {
  if (service.empty() && !all && length.empty()) return list(context);
  const auto named = whom(service, all);
  if (!named) return complain(kUsage, "either a SERVICE or --all");
  if (length.empty()) return complain(kUsage, "say for how long, such as --for 1h; or `homeostat maintenance end`");
  json::object body{{"for", length}, {"reason", reason}};
  if (!named->empty()) body["service"] = *named;
  return ask(context, body,
             fmt::format("{} in maintenance {}", named->empty() ? "everything is" : *named + " is",
                         length == "forever" ? "until `homeostat maintenance end`" : "for " + length));
}

int end(const Context& context, const std::string& service, bool all) {
  const auto named = whom(service, all);
  if (!named) return complain(kUsage, "either a SERVICE or --all");
  json::object body{{"end", true}};
  if (!named->empty()) body["service"] = *named;
  return ask(context, body,
             "the maintenance of " + (named->empty() ? "everything" : *named) + " is over; it is looked at afresh");
}

}  // namespace

void add_maintenance_verbs(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto all = std::make_shared<bool>(false);
  const auto length = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand(
      "maintenance", "Say that somebody works on a service: it is looked at, and nothing is done to it by itself");
  verb->footer(
      "\nExample: homeostat maintenance\n  homeostat maintenance db --for 1h --reason \"new disk\"\n"
      "  homeostat maintenance end db");
  verb->add_option("SERVICE", *service, "The service; without anything: what is in maintenance");
  verb->add_flag("--all", *all, "Everything");
  verb->add_option("--for", *length, "How long, such as 30m or 2h, or `forever`");
  verb->add_option("--reason", *reason, "What is being done, for those who ask why nothing happens");
  verb->callback([&context, verb, service, all, length, reason] {
    if (!verb->get_subcommands().empty()) return;
    context.complete();
    context.exit_code = begin(context, *service, *all, *length, *reason);
  });

  add_verb(*verb, context, "list", "What is in maintenance", "homeostat maintenance list",
           [&context] { return list(context); });
  const auto ended = std::make_shared<std::string>();
  const auto everything = std::make_shared<bool>(false);
  CLI::App* over =
      add_verb(*verb, context, "end", "End it before its time; everything is looked at before it is acted on",
               "homeostat maintenance end db\n  homeostat maintenance end --all",
               [&context, ended, everything] { return end(context, *ended, *everything); });
  over->add_option("SERVICE", *ended, "The service");
  over->add_flag("--all", *everything, "That of everything");
}

}  // namespace homeostat::cli
