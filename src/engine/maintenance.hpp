// Maintenance: while somebody works on a service it is looked at, and nothing is done to it by itself. Begun by hand,
// or by a window of the configuration; when it is over, everything is seen afresh before anything is done.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// Of those that have not been recorded as ended the one that holds longest; null: nobody works on it.
const MaintenanceState* maintenance_of(const Durable& d, const std::string& service);

/// Work of somebody that was begun by hand and goes on for longer than that; a shorter one does not end it. Null: none.
const MaintenanceState* works_longer(const Durable& d, const std::string& service, Instant until);

/// The next window of a service, or of everything (service empty), that opens.
struct PlannedMaintenance {
  std::string service;
  Instant from{};
  std::string reason;
};
std::vector<PlannedMaintenance> planned_maintenance(const State& s, Instant now);

/// Closed in maintenance, and while nobody has told whether it is the time of a window.
std::optional<Hold> maintenance_gate(Turn& t, ServiceId id);

void begin_maintenance(Turn& t, const Operator& in);
void end_maintenance(Turn& t, const Operator& in);

/// Ends what was begun by hand, and has the clocks read when a window may begin or end; part of the engine's own wake.
void maintenance_due(Turn& t);
void clocks_read(Turn& t, const ClocksRead& in);
/// Another configuration, or a gap in time: what the clocks showed is void.
void forget_clocks(Turn& t);

}  // namespace homeostat::engine
