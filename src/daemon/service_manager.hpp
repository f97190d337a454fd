// What we owe the service manager (systemd): to say when we are ready, and that we are alive.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "homeostat/time.hpp"

namespace homeostat::daemon {

/// Tells systemd, when there is one: "READY=1", "STATUS=…", "WATCHDOG=1", "STOPPING=1". Harmless otherwise.
void tell_manager(const std::string& what);

/// How often the watchdog wants to hear from us; nothing: it does not.
std::optional<Duration> watchdog_interval();

/// An error when we run as a systemd unit that would kill our instances together with us (KillMode other than
/// process). Asks the system bus; where there is none, nothing is known and nothing is wrong.
std::expected<void, Error> check_kill_mode();

}  // namespace homeostat::daemon
