// Rolling operations: a deployment, a rollback, a restart of all, one instance after the other, each verified; the
// first that does not prove well stops it.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

struct OperationWish {
  OperationKind kind = OperationKind::deploy;
  std::string version;
  std::vector<std::int32_t> slots;
  std::uint64_t incident = 0;
  bool repair = false;     // a ladder asked for it …
  Slot for_slot = kWhole;  // … of this place
  bool together = false;   // all at once, as far as the gates allow
  Duration verify_within{};
  std::string by;  // an operator's name; empty: automatic
};

void begin_operation(Turn& t, ServiceId id, OperationWish wish);
/// Begins the next step when nothing is in the way.
void progress_operation(Turn& t, ServiceId id);
/// `action` was a step of it, unless the operation is a newer one.
void operation_step_ended(Turn& t, ServiceId id, Slot slot, CommandId action, bool ok, const std::string& detail);
/// The step was taken back before it was dispatched: it is tried again when the gates allow.
void operation_blocked(Turn& t, ServiceId id);
/// Ends the operation without going on.
void stop_operation(Turn& t, ServiceId id, const std::string& why);
bool operation_running(Turn& t, ServiceId id);
/// True when the operation under way still has to move this slot. Others are its business only as capacity: they are
/// started meanwhile, or both would wait for each other.
bool operation_waits_for(Turn& t, ServiceId id, Slot slot);

}  // namespace homeostat::engine
