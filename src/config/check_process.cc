// The check kind `process`: the instance's process is there. Its exit is seen at once.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

const Table<probe::ProcessSpec>& process_table() {
  static const Table<probe::ProcessSpec> table(
      "check.process",
      "The instance's process is there; an exit is seen at once. Every service of the process runtime has this check "
      "under the name `process`. Here `failure_threshold` is 1 and `startup_grace` is 0s unless the check says "
      "otherwise.");
  return table;
}

}  // namespace

Component<CheckDraft> process_check() {
  return {"process",
          "The instance's process is there.",
          "{}",
          {&process_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            probe::ProcessSpec spec;
            process_table().read(node, reader, spec);
            out.identity = Fingerprint().add("process").value();
            out.spec = spec;
          }};
}

CheckPolicy process_timing(CheckPolicy defaults) {
  defaults.failure_threshold = 1;
  defaults.startup_grace = Duration{};
  return defaults;
}

}  // namespace homeostat::config
