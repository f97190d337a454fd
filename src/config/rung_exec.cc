// The strategy `exec`: a command of the user's.
#include <algorithm>

#include "config/rung.hpp"
#include "config/told_argv.hpp"

namespace homeostat::config {
namespace {

/// "/usr/local/bin/clear-cache" is called "clear-cache" when it has no name of its own.
std::string name_of(const std::vector<std::string>& argv) {
  if (argv.empty()) return {};
  return argv.front().substr(argv.front().rfind('/') + 1);
}

const Table<RungDraft>& exec_table() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung.exec",
                          "Runs a command of yours; exit status 0 is success. A list of arguments alone is `command`.");
    rows.add(
        "command", [](RungDraft& rung) -> auto& { return rung.command.argv; },
        told_argv_type("service instance action incident summary alert label_"),
        {.text = "The program and its arguments, never through a shell; `{service}`, `{instance}`, `{action}`, "
                 "`{incident}` and `{summary}` are filled in within each argument, `{alert}` and `{label_NAME}` of an "
                 "alert as a whole argument, empty where it does not have that. What others say can be neither a "
                 "program nor code (`sh -c`, `psql -c` …): safest is the environment, `$HOMEOSTAT_SUMMARY`, "
                 "`$HOMEOSTAT_LABEL_NAME` …. A value that begins with `-` is taken only behind an argument `--`; "
                 "without one, the command is not run then.",
         .example = "[/usr/local/bin/clear-cache, '{service}']",
         .required = true});
    rows.add("name", [](RungDraft& rung) -> auto& { return rung.command.name; }, text_type(),
             {.text = "What it is called in the history.",
              .otherwise = "the program's file name",
              .example = "clear-cache"});
    rows.add(
        "timeout", [](RungDraft& rung) -> auto& { return rung.command.timeout; },
        duration_type(std::chrono::milliseconds(1)),
        {.text = "A command that takes longer is killed with its whole group.", .fallback = "30s", .example = "2m"});
    rows.add("user", [](RungDraft& rung) -> auto& { return rung.command.user; }, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "deploy"});
    rows.add("cwd", [](RungDraft& rung) -> auto& { return rung.command.cwd; }, path_type(),
             {.text = "The folder to run in.", .fallback = ".", .example = "/srv/api"});
    rows.add("idempotent", [](RungDraft& rung) -> auto& { return rung.plan.idempotent; }, bool_type(),
             {.text = "Whether it may be repeated when nobody knows what became of it.",
              .fallback = "false",
              .example = "true"});
    add_repair_rows(rows, "1");
    rows.shorthand("command");
    return rows;
  }();
  return table;
}

}  // namespace

Component<RungDraft> exec_rung() {
  Component<RungDraft> component =
      rung_component("exec", engine::StrategyKind::exec, "Runs a command of yours.",
                     "{ command: [/usr/local/bin/clear-cache, '{service}'], idempotent: true }", exec_table());
  component.read = [read = component.read](const Node& node, Reader& reader, RungDraft& out) {
    read(node, reader, out);
    if (out.command.name.empty()) out.command.name = name_of(out.command.argv);
    out.plan.name = out.command.name;
  };
  return component;
}

}  // namespace homeostat::config
