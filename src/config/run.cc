// How a service is run: exactly one runtime.
#include "config/draft.hpp"

namespace homeostat::config {

const std::vector<Component<RunDraft>>& run_kinds() {
  static const std::vector<Component<RunDraft>> kinds{process_run(),     exec_run(),   systemd_run(),
                                                      supervisord_run(), docker_run(), podman_run()};
  return kinds;
}

const Table<RunDraft>& run_table() {
  static const Table<RunDraft> table = [] {
    Table<RunDraft> rows("run", "What runs the service. Exactly one runtime must be given.");
    rows.kinds("runtime");
    add_kinds(rows, run_kinds());
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
