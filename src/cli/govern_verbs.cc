// check, pause, resume, ack, approve, unlock, reload: what governs the engine.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/follow.hpp"
#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

using namespace std::chrono_literals;

/// Longer than any sensible check takes; one that hangs is shown as it stood.
constexpr std::chrono::seconds kCheckWithin{15};

int say(const Context& context, const Answer& answer, const std::string& text) {
  if (!answer) return complain(answer.error());
  std::printf("%s\n", context.json ? json::serialize(*answer).c_str() : text.c_str());
  return kOk;
}

bool all_seen_since(const json::object& status, const std::string& since) {
  for (const json::value& item : list_at(status, "services")) {
    for (const json::value& check : list_at(item.as_object(), "checks")) {
      const bool looked_at = flag_at(check.as_object(), "active");
      // Both are ISO times in UTC, which sort as text.
      if (looked_at && text_at(check.as_object(), "last_seen", "") < since) return false;
    }
  }
  return true;
}

bool any_failing(const json::object& status) {
  for (const json::value& item : list_at(status, "services")) {
    for (const json::value& check : list_at(item.as_object(), "checks")) {
      if (number_at(check.as_object(), "failures") > 0) return true;
    }
  }
  return false;
}

int check(const Context& context, const std::string& service) {
  const Answer before = get(context, "/v1/status?service=" + escape(service));
  if (!before) return complain(before.error());
  const Answer asked = post(context, "/v1/check/" + escape(service), {});
  if (!asked) return complain(asked.error());
  const auto deadline = std::chrono::steady_clock::now() + kCheckWithin;
  Answer now = before;
  while (now && !all_seen_since(*now, text_at(*before, "at")) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(50ms);
    now = get(context, "/v1/status?service=" + escape(service));
  }
  if (!now) return complain(now.error());
  std::fputs(context.json ? (json::serialize(*now) + "\n").c_str() : show_service(*now, context.color()).c_str(),
             stdout);
  return any_failing(*now) ? kBad : kOk;
}

int unlock(const Context& context, const std::string& text) {
  const auto place = parse_place(text);
  if (!place) return complain(kUsage, "`" + text + "` is neither SERVICE nor SERVICE/INSTANCE");
  json::object body{{"service", place->service}};
  if (place->slot) body["slot"] = *place->slot;
  return say(context, post(context, "/v1/unlock", body), text + " is unlocked");
}

json::object service_body(const std::string& service) {
  return service.empty() ? json::object{} : json::object{{"service", service}};
}

void add_pauses(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto length = std::make_shared<std::string>();
  CLI::App* pause = add_verb(app, context, "pause", "Repair nothing for a while; everything is still looked at",
                             "homeostat pause web --for 10m", [&context, service, length] {
                               json::object body = service_body(*service);
                               body["for"] = *length;
                               const std::string what = service->empty() ? "everything" : *service;
                               const std::string end = *length == "forever" ? "until resumed" : "for " + *length;
                               const Answer answer = post(context, "/v1/pause", body);
                               const std::string note = answer ? text_at(*answer, "note", "") : "";
                               return say(context, answer, note.empty() ? what + " is paused " + end : note);
                             });
  pause->add_option("SERVICE", *service, "Only this service; without it everything");
  pause->add_option("--for", *length, "How long, such as 90s or 10m, or `forever`")->required();

  const auto again = std::make_shared<std::string>();
  CLI::App* resume = add_verb(app, context, "resume", "End a pause", "homeostat resume web", [&context, again] {
    return say(context, post(context, "/v1/resume", service_body(*again)),
               (again->empty() ? "everything" : *again) + " is resumed");
  });
  resume->add_option("SERVICE", *again, "The service whose pause ends; without it the pause of everything");
}

void add_changed(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto version = std::make_shared<std::string>();
  CLI::App* changed = add_verb(
      app, context, "changed", "Tell of a change made elsewhere: for 30 minutes it makes the service a likelier cause",
      "homeostat changed db 15.4", [&context, service, version] {
        return say(context, post(context, "/v1/changed", {{"service", *service}, {"version", *version}}),
                   *service + " was changed to " + *version);
      });
  changed->add_option("SERVICE", *service, "The service")->required();
  changed->add_option("VERSION", *version, "What it was changed to: 1 to 128 of A-Z a-z 0-9 . _ -")->required();
}

int foretell(const Context& context, const Answer& answer) {
  if (!answer) return complain(answer.error());
  if (context.json) {
    std::printf("%s\n", json::serialize(*answer).c_str());
    return kOk;
  }
  std::printf("nothing is done; it would go like this:\n");
  for (const json::value& line : list_at(*answer, "would")) std::printf("  %s\n", line.as_string().c_str());
  return kOk;
}

int remediate(const Context& context, const std::string& text, const std::string& issue, bool dry_run) {
  const auto place = parse_place(text);
  if (!place) return complain(kUsage, "`" + text + "` is neither SERVICE nor SERVICE/INSTANCE");
  json::object body{{"service", place->service}};
  if (place->slot) body["slot"] = *place->slot;
  if (!issue.empty()) body["issue"] = issue;
  const Answer answer = post(context, dry_run ? "/v1/remediate?dry_run=true" : "/v1/remediate", body);
  if (dry_run) return foretell(context, answer);
  std::string held;
  for (const json::value& line : answer ? list_at(*answer, "held") : json::array{})
    held.append(line.as_string().c_str()).append("; ");
  return say(context, answer,
             (held.empty() ? "the ladder of " + text + " begins; " : held) + "`homeostat history " + place->service +
                 " --all` tells how it goes");
}

void add_remediate(CLI::App& app, Context& context) {
  const auto place = std::make_shared<std::string>();
  const auto issue = std::make_shared<std::string>();
  const auto dry_run = std::make_shared<bool>(false);
  CLI::App* verb =
      add_verb(app, context, "remediate", "Begin a service's ladder by hand; every guardrail holds as if it had failed",
               "homeostat remediate web\n  homeostat remediate web/1 --issue high_latency --dry-run",
               [&context, place, issue, dry_run] { return remediate(context, *place, *issue, *dry_run); });
  verb->add_option("SERVICE[/INSTANCE]", *place, "What fails of it, or else all of it; or one instance")->required();
  verb->add_option("--issue", *issue, "The ladder of this kind of failure; without it that of what fails");
  verb->add_flag("--dry-run", *dry_run, "Only say what would be done first, and what would hold it back");
}

void add_answers(CLI::App& app, Context& context) {
  const auto escalation = std::make_shared<std::string>();
  add_verb(app, context, "ack", "Acknowledge an escalation", "homeostat ack 3-17",
           [&context, escalation] {
             return say(context, post(context, "/v1/ack", {{"id", *escalation}}), *escalation + " is acknowledged");
           })
      ->add_option("ID", *escalation, "As `status` shows it")
      ->required();
  const auto action = std::make_shared<std::string>();
  add_verb(app, context, "approve", "Let happen what waits for it (mode: approve)", "homeostat approve 3-18",
           [&context, action] {
             return say(context, post(context, "/v1/approve", {{"id", *action}}), *action + " is approved");
           })
      ->add_option("ID", *action, "As `status` shows it")
      ->required();
  const auto place = std::make_shared<std::string>();
  add_verb(app, context, "unlock", "Release what is locked because nobody could tell what became of an action",
           "homeostat unlock web/0", [&context, place] { return unlock(context, *place); })
      ->add_option("SERVICE[/INSTANCE]", *place, "The service, or one instance of it")
      ->required();
}

}  // namespace

void add_govern_verbs(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  add_verb(app, context, "check", "Run all checks of a service now; exits with 1 when one fails", "homeostat check web",
           [&context, service] { return check(context, *service); })
      ->add_option("SERVICE", *service, "The service")
      ->required();
  add_pauses(app, context);
  add_answers(app, context);
  add_changed(app, context);
  add_remediate(app, context);

  const auto roll = std::make_shared<bool>(false);
  const auto shrink = std::make_shared<bool>(false);
  CLI::App* reload = add_verb(
      app, context, "reload", "Go over to the changed configuration file: all of it, or nothing",
      "homeostat reload --roll", [&context, roll, shrink] {
        const Answer answer = post(context, "/v1/reload", {{"roll", *roll}, {"accept_shrink", *shrink}});
        const std::string generation = answer ? text_at(*answer, "generation") : "";
        const std::string note = answer ? text_at(*answer, "note", "") : "";
        return say(context, answer,
                   fmt::format("configuration {} is in force{}{}", generation, note.empty() ? "" : "; ", note));
      });
  reload->add_flag("--roll", *roll, "Restart what was started from an older configuration, instance by instance");
  reload->add_flag("--accept-shrink", *shrink, "Even when more than 30 % of the services are gone from it");
}

}  // namespace homeostat::cli
