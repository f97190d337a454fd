// The check kind `exec`: a program of the user's whose exit status is the answer.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

struct Exec {
  probe::ExecSpec spec;
  Pairs env;
};

const Table<Exec>& exec_table() {
  static const Table<Exec> table = [] {
    Table<Exec> rows("check.exec",
                     "Runs a program, never through a shell. Its exit status is the answer: 0 success, 1 degraded, 2 "
                     "failure, 3 unknown. A list of arguments alone is `command`.");
    rows.add("command", [](Exec& exec) -> auto& { return exec.spec.argv; }, argv_type(),
             {.text = "The program and its arguments; `{port}`, `{instance}` and `{release}` are filled in.",
              .example = "[/usr/local/bin/queue-check, --port, '{port}']",
              .required = true});
    rows.add("env", &Exec::env, secrets_type("variable"),
             {.text = "Variables beside our own. A value may be `{ file: path }`.",
              .otherwise = "none",
              .example = "{ LANG: C }"});
    rows.add("cwd", [](Exec& exec) -> auto& { return exec.spec.cwd; }, path_type(),
             {.text = "The folder to run in.", .fallback = ".", .example = "/srv/api"});
    rows.add("user", [](Exec& exec) -> auto& { return exec.spec.user; }, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "nobody"});
    rows.shorthand("command");
    return rows;
  }();
  return table;
}

}  // namespace

Component<CheckDraft> exec_check() {
  return {"exec",
          "Runs a program.",
          "[/usr/local/bin/queue-check]",
          {&exec_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            Exec exec;
            exec_table().read(node, reader, exec);
            for (const auto& [name, text] : exec.env) exec.spec.env.emplace_back(name, text.value);
            Fingerprint print;
            print.add("exec").add(exec.spec.argv).add(exec.env).add(exec.spec.cwd).add(exec.spec.user);
            out.identity = print.value();
            out.spec = std::move(exec.spec);
          }};
}

}  // namespace homeostat::config
