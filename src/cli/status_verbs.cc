// status, why
#include <cstdio>
#include <memory>

#include "cli/client.hpp"
#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

void print(const Context& context, const json::object& answer, const std::string& text) {
  std::fputs(context.json ? (json::serialize(answer) + "\n").c_str() : text.c_str(), stdout);
}

bool all_well(const json::object& status) {
  for (const json::value& item : list_at(status, "services")) {
    const std::string state = text_at(item.as_object(), "status");
    if (state != "healthy" && state != "degraded") return false;
  }
  return true;
}

int run_status(const Context& context, const std::string& service, bool exit_code) {
  const Answer answer = status(context, service);
  if (!answer) return complain(answer.error());
  print(context, *answer,
        service.empty() ? show_status(*answer, context.color()) : show_service(*answer, context.color()));
  return exit_code && !all_well(*answer) ? kBad : kOk;
}

int run_why(const Context& context, const std::string& service) {
  Answer answer = why(context, service);
  if (!answer) return complain(answer.error());
  const std::string incident = text_at(*answer, "last_incident", "");
  Answer story = incident.empty() ? Answer(json::object{}) : history(context, "?incident=" + escape(incident));
  if (story && !incident.empty()) answer->emplace("history", *story);
  print(context, *answer, show_why(*answer, story ? &*story : nullptr, context.color()));
  return kOk;
}

}  // namespace

void add_status_verbs(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto exit_code = std::make_shared<bool>(false);
  CLI::App* show =
      add_verb(app, context, "status", "How things stand, of all services or of one in full", "homeostat status web",
               [&context, service, exit_code] { return run_status(context, *service, *exit_code); });
  show->add_option("SERVICE", *service, "Only this service, with its instances and checks");
  show->add_flag("--exit-code", *exit_code, "Exit with 1 unless every service shown is healthy or degraded");

  const auto asked = std::make_shared<std::string>();
  CLI::App* explain = add_verb(app, context, "why", "Why a service is as it is, what was decided, and what comes next",
                               "homeostat why web", [&context, asked] { return run_why(context, *asked); });
  explain->add_option("SERVICE", *asked, "The service")->required();
}

}  // namespace homeostat::cli
