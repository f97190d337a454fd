// What is configured as a command or a notifier, as something that is run.
#pragma once

#include "config/config.hpp"
#include "notify/page.hpp"
#include "runtime/command_runner.hpp"

namespace homeostat::daemon {

runtime::CommandSpec command_of(const config::CommandSpec& spec);
/// Of what Homeostat sends itself: the program itself, with what it needs in its environment.
runtime::CommandSpec command_of(const config::NotifierSpec& notifier);
/// What a notifier is told.
runtime::Values values_of(const notify::Page& page);

}  // namespace homeostat::daemon
