#include "daemon/command.hpp"

#include "notify/deliver.hpp"

namespace homeostat::daemon {

runtime::CommandSpec command_of(const config::CommandSpec& spec) {
  return runtime::CommandSpec{spec.argv, {}, spec.user, spec.cwd, spec.timeout};
}

runtime::CommandSpec command_of(const config::NotifierSpec& notifier) {
  runtime::CommandSpec spec = command_of(notifier.command);
  if (!notifier.sender) return spec;
  spec.argv = notify::deliverer();
  spec.env = {{notify::kSenderVariable, notify::written(*notifier.sender)}};
  return spec;
}

runtime::Values values_of(const notify::Page& page) {
  return {{"service", page.service},       {"summary", page.summary}, {"incident", page.incident},
          {"escalation", page.escalation}, {"attempt", page.attempt}, {"key", page.key}};
}

}  // namespace homeostat::daemon
