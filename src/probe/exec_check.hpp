// Exec checks: what is started, and what its end means.
#pragma once

#include "os/run.hpp"
#include "probe/judge.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

/// More than is ever shown; the rest of the output is read and dropped.
inline constexpr std::size_t kCommandOutput = 4096;

/// The command with `{…}` filled in within each argument and variable, never split, never through a shell.
os::ChildSpec child_for(const ExecSpec& spec, const Place& place);

/// Why the command cannot be run there; empty: it can.
std::string_view unfit(const ExecSpec& spec, const Place& place);

/// Exit 0 is success, 1 degraded, 3 unknown, 2 and all others failure, as in monitoring plugins.
Finding judge(const os::RunResult& result);

}  // namespace homeostat::probe
