#include "runtime/systemd_unit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include "os/incarnation.hpp"

namespace homeostat::runtime {
namespace {

bool read_text(sd_bus_message& message, std::string& out) {
  const char* text = nullptr;
  if (sd_bus_message_read_basic(&message, 's', &text) < 0) return false;
  out = text;
  return true;
}

bool read_count(sd_bus_message& message, std::uint32_t& out) {
  return sd_bus_message_read_basic(&message, 'u', &out) >= 0;
}
bool read_number(sd_bus_message& message, std::int32_t& out) {
  return sd_bus_message_read_basic(&message, 'i', &out) >= 0;
}

bool read_long(sd_bus_message& message, std::uint64_t& out) {
  return sd_bus_message_read_basic(&message, 't', &out) >= 0;
}

bool read_flag(sd_bus_message& message, bool& out) {
  int flag = 0;  // the bus has no smaller one
  if (sd_bus_message_read_basic(&message, 'b', &flag) < 0) return false;
  out = flag != 0;
  return true;
}

bool read_names(sd_bus_message& message, std::vector<std::string>& out) {
  out.clear();
  if (sd_bus_message_enter_container(&message, 'a', "s") < 0) return false;
  const char* name = nullptr;
  int more = 0;
  while ((more = sd_bus_message_read_basic(&message, 's', &name)) > 0) out.emplace_back(name);
  return more == 0 && sd_bus_message_exit_container(&message) >= 0;
}

bool read_run(sd_bus_message& message, Incarnation& out) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  if (sd_bus_message_read_array(&message, 'y', &bytes, &size) < 0) return false;
  out = {};
  if (size != 2 * sizeof(std::uint64_t)) return size == 0;
  std::memcpy(&out.id, bytes, sizeof(out.id));
  std::memcpy(&out.started, static_cast<const char*>(bytes) + sizeof(out.id), sizeof(out.started));
  if (!out.none()) out.boot = os::boot_number();
  return true;
}

bool read_job(sd_bus_message& message, std::uint32_t& out) {
  return sd_bus_message_enter_container(&message, 'r', "uo") >= 0 && read_count(message, out) &&
         sd_bus_message_skip(&message, "o") >= 0 && sd_bus_message_exit_container(&message) >= 0;
}

struct Row {
  const char* type;
  bool (*read)(sd_bus_message& message, UnitState& state);
};

const std::map<std::string_view, Row>& rows() {
  using M = sd_bus_message;
  using U = UnitState;
  static const std::map<std::string_view, Row> rows{
      {"Id", {"s", [](M& m, U& u) { return read_text(m, u.id); }}},
      {"LoadState", {"s", [](M& m, U& u) { return read_text(m, u.load); }}},
      {"ActiveState", {"s", [](M& m, U& u) { return read_text(m, u.active); }}},
      {"SubState", {"s", [](M& m, U& u) { return read_text(m, u.sub); }}},
      {"Result", {"s", [](M& m, U& u) { return read_text(m, u.result); }}},
      {"InvocationID", {"ay", [](M& m, U& u) { return read_run(m, u.run); }}},
      {"Job", {"(uo)", [](M& m, U& u) { return read_job(m, u.job); }}},
      {"NRestarts", {"u", [](M& m, U& u) { return read_count(m, u.restarts); }}},
      {"ExecMainCode", {"i", [](M& m, U& u) { return read_number(m, u.exit_code); }}},
      {"ExecMainStatus", {"i", [](M& m, U& u) { return read_number(m, u.exit_status); }}},
      {"InactiveExitTimestampMonotonic", {"t", [](M& m, U& u) { return read_long(m, u.left_inactive); }}},
      {"ActiveEnterTimestampMonotonic", {"t", [](M& m, U& u) { return read_long(m, u.became_active); }}},
      {"ActiveExitTimestampMonotonic", {"t", [](M& m, U& u) { return read_long(m, u.left_active); }}},
      {"ExecMainExitTimestampMonotonic", {"t", [](M& m, U& u) { return read_long(m, u.main_ended); }}},
      {"RuntimeMaxUSec", {"t", [](M& m, U& u) { return read_long(m, u.may_run); }}},
      {"BusName", {"s", [](M& m, U& u) { return read_text(m, u.bus_name); }}},
      {"Type", {"s", [](M& m, U& u) { return read_text(m, u.type); }}},
      {"ExitType", {"s", [](M& m, U& u) { return read_text(m, u.exit_type); }}},
      {"RemainAfterExit", {"b", [](M& m, U& u) { return read_flag(m, u.remains); }}},
      {"BindsTo", {"as", [](M& m, U& u) { return read_names(m, u.bound_to); }}},
      {"Requires", {"as", [](M& m, U& u) { return read_names(m, u.requires_); }}},
      {"Wants", {"as", [](M& m, U& u) { return read_names(m, u.wants); }}},
      {"PartOf", {"as", [](M& m, U& u) { return read_names(m, u.part_of); }}},
  };
  return rows;
}

bool read_property(sd_bus_message& message, UnitState& state) {
  const char* name = nullptr;
  if (sd_bus_message_read_basic(&message, 's', &name) < 0) return false;
  const auto row = rows().find(name);
  if (row == rows().end()) return sd_bus_message_skip(&message, "v") >= 0;
  return sd_bus_message_enter_container(&message, 'v', row->second.type) >= 0 && row->second.read(message, state) &&
         sd_bus_message_exit_container(&message) >= 0;
}

Sight ended(const UnitState& state) {
  Sight sight{.is = Sight::Is::ended, .run = state.run};
  sight.known = state.exit_code == CLD_EXITED || state.exit_code == CLD_KILLED || state.exit_code == CLD_DUMPED;
  sight.out_of_memory = state.result == "oom-kill";  // also when that was another process of it than the main one
  sight.known = sight.known || sight.out_of_memory;
  sight.signalled = sight.out_of_memory || (sight.known && state.exit_code != CLD_EXITED);
  sight.code = sight.out_of_memory ? SIGKILL : state.exit_status;
  return sight;
}

std::string why_not_loaded(const UnitState& state) {
  if (state.load == "not-found") return "systemd knows no such unit";
  return fmt::format("the unit cannot be started: it is {}", state.load);
}

}  // namespace

std::string unit_path(const std::string& unit) {
  char* path = nullptr;
  if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path) < 0) return {};
  std::string owned(path);
  std::free(path);
  return owned;
}

bool read_properties(sd_bus_message& message, UnitState& state) {
  if (sd_bus_message_enter_container(&message, 'a', "{sv}") < 0) return false;
  int more = 0;
  while ((more = sd_bus_message_enter_container(&message, 'e', "sv")) > 0) {
    if (!read_property(message, state) || sd_bus_message_exit_container(&message) < 0) return false;
  }
  return more == 0 && sd_bus_message_exit_container(&message) >= 0;
}

// Who is stopped leaves `active` first, and his process ends of it; of one that ends by itself the process comes first.
// Whatever ended between two runs (while systemd waits to restart it, say) left nothing else: that was a stop, too.
bool was_stopped(const UnitState& state) {
  const bool was_up = state.left_inactive != 0 && state.left_inactive <= state.became_active &&
                      state.became_active <= state.left_active;
  if (state.active == "inactive" && state.result != "exec-condition") {
    return !was_up || state.outlives_main() || state.main_ended < state.became_active ||
           state.main_ended > state.left_active;
  }
  // It may have failed of being stopped, unless systemd does so by itself.
  constexpr std::array<std::string_view, 4> kBadEnds{"exit-code", "signal", "core-dump", "timeout"};
  return state.active == "failed" && was_up && state.main_ended > state.left_active &&
         std::ranges::find(kBadEnds, state.result) != kBadEnds.end() && state.may_run == UINT64_MAX &&
         state.bus_name.empty() && !state.says_that_it_stops();
}

bool has_ended(const UnitState& state) {
  return state.rests() && state.job == 0 && !state.run.none() && !was_stopped(state);
}

Sight sight_of(const UnitState& state, bool told_to_stop) {
  Sight sight;
  if (state.runs()) {
    sight = {.is = Sight::Is::running, .run = state.run};
  } else if (!state.rests() || state.job != 0) {
    // Also between the two halves of a restart, when it is inactive and about to be started.
    sight.is = Sight::Is::busy;
    sight.detail = state.sub == "auto-restart" ? "systemd is restarting it by itself"
                                               : fmt::format("the unit is {} ({})", state.active, state.sub);
  } else if (told_to_stop || (state.run.none() && state.result == "success")) {
    // Also when it did not like to be stopped and ended with a bad status.
    sight = {.is = Sight::Is::stopped, .run = state.run};
  } else {
    sight = ended(state);
  }
  sight.unfit = state.rests() && state.load != "loaded";
  if (sight.detail.empty()) {
    sight.detail = sight.unfit                ? why_not_loaded(state)
                   : state.active == "failed" ? fmt::format("the unit has failed: {}", state.result)
                                              : fmt::format("the unit is {} ({})", state.active, state.sub);
  }
  sight.restarts = state.restarts;
  return sight;
}

}  // namespace homeostat::runtime
