#include "config/exec_command.hpp"

#include "config/told_argv.hpp"

namespace homeostat::config {

const Table<ExecCommand>& exec_command_table() {
  static const Table<ExecCommand> table = [] {
    Table<ExecCommand> rows("exec_command", "A command that tells something.");
    rows.add("command", [](ExecCommand& exec) -> auto& { return exec.spec.argv; },
             looking_argv_type("port instance release version"),
             {.text = "The program and its arguments; `{port}`, `{instance}`, `{release}` and `{version}` are filled "
                      "in. Without a version that is known, a command that needs it is not run.",
              .example = "[/usr/local/bin/queue-check, --port, '{port}']",
              .required = true});
    rows.add("env", &ExecCommand::env, secrets_type("variable"),
             {.text = "Variables beside our own. A value may be `{ file: path }`.",
              .otherwise = "none",
              .example = "{ LANG: C }"});
    rows.add("cwd", [](ExecCommand& exec) -> auto& { return exec.spec.cwd; }, path_type(),
             {.text = "The folder to run in.", .otherwise = "that of the configuration", .example = "/srv/api"});
    rows.add("user", [](ExecCommand& exec) -> auto& { return exec.spec.user; }, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "nobody"});
    return rows;
  }();
  return table;
}

std::uint64_t fingerprint(const ExecCommand& command) {
  const probe::ExecSpec& spec = command.spec;
  return Fingerprint().add("exec").add(spec.argv).add(command.env).add(spec.cwd).add(spec.user).value();
}

probe::ExecSpec spec_of(const ExecCommand& command, const Reader& reader) {
  probe::ExecSpec spec = command.spec;
  if (spec.cwd.empty()) spec.cwd = reader.absolute(".");
  for (const auto& [name, text] : command.env) spec.env.emplace_back(name, text.value);
  return spec;
}

}  // namespace homeostat::config
