#include "daemon/service_manager.hpp"

#include <fmt/format.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace homeostat::daemon {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using Text = std::unique_ptr<char, Free>;
using Bus = std::unique_ptr<sd_bus, Free>;

Bus open_bus() {
  sd_bus* bus = nullptr;
  if (sd_bus_open_system(&bus) < 0) return nullptr;
  sd_bus_set_method_call_timeout(bus, 2'000'000);
  return Bus(bus);
}

std::string kill_mode(sd_bus* bus, const std::string& unit) {
  char* path = nullptr;
  if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path) < 0) return {};
  const Text owned_path(path);
  char* value = nullptr;
  const int got = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Service",
                                             "KillMode", nullptr, &value);
  const Text owned_value(value);
  return got < 0 || value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void tell_manager(const std::string& what) { sd_notify(0, what.c_str()); }

std::optional<Duration> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds / 3);
}

std::expected<void, Error> check_kill_mode() {
  if (std::getenv("INVOCATION_ID") == nullptr) return {};
  char* unit = nullptr;
  if (sd_pid_get_unit(0, &unit) < 0) return {};
  const Text owned(unit);
  const Bus bus = open_bus();
  if (bus == nullptr) return {};
  const std::string mode = kill_mode(bus.get(), unit);
  if (mode.empty() || mode == "process" || mode == "none") return {};
  return fail(
      fmt::format("{} has KillMode={}: systemd would kill the services together with Homeostat; "
                  "set KillMode=process in the unit, as in the one we ship",
                  unit, mode));
}

}  // namespace homeostat::daemon
