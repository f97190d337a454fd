// A notifier: how a human is called; exactly one way.
#include "config/draft.hpp"
#include "config/told_argv.hpp"

namespace homeostat::config {

const std::vector<Component<NotifierDraft>>& notifier_kinds() {
  static const std::vector<Component<NotifierDraft>> kinds{webhook_notifier(), slack_notifier(), email_notifier()};
  return kinds;
}

const Table<NotifierDraft>& notifier_table() {
  static const Table<NotifierDraft> table = [] {
    Table<NotifierDraft> rows("notifier",
                              "How a human is called. Whatever fails is sent again, at growing intervals, until it is "
                              "taken: it may arrive twice, with the same key. Exactly one way must be given.");
    rows.kinds("way to notify");
    rows.add_kind(
        "exec", [](NotifierDraft& notifier) -> auto& { return notifier.spec.command.argv; },
        told_argv_type("service summary incident escalation attempt key"),
        {.text = "The program and its arguments, never through a shell; `{service}`, `{incident}`, `{escalation}`, "
                 "`{attempt}`, `{key}` and `{summary}` are filled in within each argument, and are in the environment "
                 "as HOMEOSTAT_SERVICE …; the key is the same for every attempt at the same call. `{summary}` can be "
                 "neither a program nor code (`sh -c` …): there it is `$HOMEOSTAT_SUMMARY`.",
         .example = "[/usr/local/bin/page, '{summary}']"});
    add_kinds(rows, notifier_kinds());
    rows.add("user", [](NotifierDraft& notifier) -> auto& { return notifier.spec.command.user; }, text_type(),
             {.text = "The user to run or send as.", .otherwise = "the user Homeostat runs as", .example = "nobody"});
    rows.add("cwd", [](NotifierDraft& notifier) -> auto& { return notifier.spec.command.cwd; }, path_type(),
             {.text = "The folder to run in.", .fallback = ".", .example = "/"});
    rows.add("timeout", [](NotifierDraft& notifier) -> auto& { return notifier.spec.command.timeout; },
             duration_type(std::chrono::seconds(1)),
             {.text = "What takes longer is ended and tried again.", .fallback = "30s", .example = "1m"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
