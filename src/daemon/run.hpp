// The daemon: wires the rooms together and runs until it is told to end.
#pragma once

#include <string>

namespace homeostat::daemon {

struct RunOptions {
  std::string config;     // path of the YAML file
  std::string state_dir;  // journal, input log, locks, output of the instances
  std::string socket;     // unix socket of the local API
  bool shadow = false;    // decide and record only
};

/// Runs in the foreground until SIGTERM or SIGINT. Returns the exit code: 0 ended in order, 2 the configuration or the
/// command line is wrong (nothing was started), 3 it could not start (state directory, journal, socket).
int run(const RunOptions& options);

}  // namespace homeostat::daemon
