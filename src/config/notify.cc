// A notifier: how a human is called.
#include "config/draft.hpp"

namespace homeostat::config {

const Table<CommandSpec>& notifier_table() {
  static const Table<CommandSpec> table = [] {
    Table<CommandSpec> rows("notifier", "How a human is called.");
    rows.add(
        "exec", &CommandSpec::argv, argv_type(),
        {.text = "The program and its arguments, never through a shell; `{service}`, `{instance}`, `{incident}` and "
                 "`{summary}` are filled in within each argument, and are in the environment as HOMEOSTAT_SERVICE ….",
         .example = "[/usr/local/bin/page, '{summary}']",
         .required = true});
    rows.add("user", &CommandSpec::user, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "nobody"});
    rows.add("cwd", &CommandSpec::cwd, path_type(), {.text = "The folder to run in.", .fallback = ".", .example = "/"});
    rows.add("timeout", &CommandSpec::timeout, duration_type(std::chrono::milliseconds(1)),
             {.text = "A notifier that takes longer is killed and run again.", .fallback = "30s", .example = "1m"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
