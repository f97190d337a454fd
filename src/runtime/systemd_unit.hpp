// What systemd says of one unit, and what it means.
#pragma once

#include <systemd/sd-bus.h>

#include <string>
#include <vector>

#include "runtime/keeper.hpp"

namespace homeostat::runtime {

struct UnitState {
  std::string id{};  // its own name; another one than it was asked for by: that is an alias
  std::string load{};
  std::string active{};
  std::string sub{};
  std::string result{};
  Incarnation run{};      // InvocationID: of the run that is there, or was last
  std::uint32_t job = 0;  // that waits or is carried out; 0: none
  std::uint32_t restarts = 0;
  std::int32_t exit_code = 0;  // CLD_EXITED …
  std::int32_t exit_status = 0;
  // On systemd's clock, in microseconds; 0: never, or forgotten.
  std::uint64_t left_inactive = 0;
  std::uint64_t became_active = 0;
  std::uint64_t left_active = 0;
  std::uint64_t main_ended = 0;
  std::uint64_t may_run = UINT64_MAX;    // RuntimeMaxSec=: then systemd ends it
  std::string bus_name{};                // BusName=: without it on the bus, systemd ends it
  std::string type{};                    // Type=
  std::string exit_type{};               // ExitType=
  bool remains = false;                  // RemainAfterExit=
  std::vector<std::string> bound_to{};   // BindsTo=: it is stopped when they end, however they do
  std::vector<std::string> requires_{};  // Requires=: it is stopped when they are
  std::vector<std::string> part_of{};    // PartOf=: so it is
  std::vector<std::string> wants{};      // Wants=: they are started with it, as those that it requires or is bound to

  bool runs() const { return active == "active" || active == "reloading"; }
  bool rests() const { return active == "inactive" || active == "failed"; }
  /// It stays active when its main process has ended well.
  bool outlives_main() const { return remains || exit_type == "cgroup"; }
  /// It can leave `active` before it ends by itself: with STOPPING=1.
  bool says_that_it_stops() const { return type == "notify" || type == "notify-reload"; }
};

/// Where it is on the bus.
std::string unit_path(const std::string& unit);

/// Reads a{sv}, of which it takes what it knows. False: it is not that.
bool read_properties(sd_bus_message& message, UnitState& state);

/// Of a unit that rests, and that nobody has listened to: whether somebody had it stopped, or it must be feared, since
/// systemd has forgotten how it ended.
bool was_stopped(const UnitState& state);

/// Of a unit that nobody has listened to: it has run, and ended by itself.
bool has_ended(const UnitState& state);

/// `told_to_stop`: since it ran, somebody else had it stopped.
Sight sight_of(const UnitState& state, bool told_to_stop);

}  // namespace homeostat::runtime
