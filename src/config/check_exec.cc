// The check kind `exec`: a program of the user's whose exit status is the answer.
#include "config/draft.hpp"
#include "config/exec_command.hpp"

namespace homeostat::config {
namespace {

const Table<ExecCommand>& exec_table() {
  static const Table<ExecCommand> table = [] {
    Table<ExecCommand> rows("check.exec",
                            "Runs a program, never through a shell. Its exit status is the answer: 0 success, 1 "
                            "degraded, 2 failure, 3 unknown. A list of arguments alone is `command`.");
    rows.include(exec_command_table(), std::identity{});
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
            ExecCommand exec;
            exec_table().read(node, reader, exec);
            out.spec = spec_of(exec, reader);
            exec.spec.cwd = std::get<probe::ExecSpec>(out.spec).cwd;
            out.identity = fingerprint(exec);
          }};
}

}  // namespace homeostat::config
