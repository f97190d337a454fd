// A command of the user's that tells something: what exec checks and the sources of metrics have in common.
#pragma once

#include "config/types.hpp"
#include "probe/spec.hpp"

namespace homeostat::config {

struct ExecCommand {
  probe::ExecSpec spec;
  Pairs env;
};

const Table<ExecCommand>& exec_command_table();

std::uint64_t fingerprint(const ExecCommand& command);
/// What is run, with its variables.
probe::ExecSpec spec_of(const ExecCommand& command, const Reader& reader);

}  // namespace homeostat::config
