// A number that a command prints.
#include "config/exec_command.hpp"
#include "config/metric_source.hpp"

namespace homeostat::config {
namespace {

struct ExecNumber {
  ExecCommand command;
  SourceTiming timing;
};

const Table<ExecNumber>& exec_table() {
  static const Table<ExecNumber> table = [] {
    Table<ExecNumber> rows("scaling.metric.exec",
                           "A number that a command prints, and nothing else; where nothing else tells it. Of a "
                           "queue (`kind: drain`) two: what waits, and what was done so far. Never through a shell. A "
                           "list of arguments alone is `command`.");
    rows.include(exec_command_table(), &ExecNumber::command);
    rows.include(source_timing_table(), &ExecNumber::timing);
    rows.shorthand("command");
    return rows;
  }();
  return table;
}

void read_exec(const Node& node, Reader& reader, SourceDraft& out) {
  ExecNumber exec;
  exec_table().read(node, reader, exec);
  out.spec.from = spec_of(exec.command, reader);
  exec.command.spec.cwd = std::get<probe::ExecSpec>(out.spec.from).cwd;
  out.identity = fingerprint(exec.command);
  finish_source("exec", exec.timing, out);
}

}  // namespace

const Section& exec_source_section() { return exec_table().section(); }

Type<SourceDraft> exec_source_type() { return {exec_table().type().shape, read_exec}; }

}  // namespace homeostat::config
