// What the shell tells the engine.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "engine/command.hpp"

namespace homeostat::engine {

/// Time has come (next_deadline), nothing else happened.
struct Tick {};

struct Observed {
  TargetId target = 0;
  std::uint32_t run = 0;
  Observation seen;
};

/// An action ended. `now_running` is the instance's incarnation after it (none: nothing runs).
struct ActionDone {
  CommandId id;
  OutcomeKind outcome = OutcomeKind::succeeded;
  Incarnation now_running;
  std::uint16_t port = 0;
  std::string detail;  // for people: why it failed
};

/// An instance's process ended by itself (or by anyone but us).
struct Exited {
  ServiceId service = 0;
  Slot slot = 0;
  Incarnation incarnation;
  bool known = true;  // false: an adopted process, its exit status cannot be had
  bool signalled = false;
  std::int32_t code = 0;
};

/// After a start: what became of an instance the journal knows, or of a start it intended.
struct Found {
  ServiceId service = 0;
  Slot slot = 0;
  Incarnation running;   // none: nothing runs
  CommandId started_by;  // from the lock file; none: unreadable
  std::uint16_t port = 0;
};
/// All Found inputs have been given: decide what became of open intents, begin to act.
struct Recovered {};

struct JournalDurable {
  std::uint64_t seq = 0;
};
/// The journal cannot be written or trusted: observe only.
struct JournalFailed {
  std::string reason;
};

struct SelfChecked {
  std::uint64_t round = 0;
  bool ok = false;
};

struct NotifyDone {
  CommandId escalation;
  bool ok = false;
  std::string detail;
};

/// The loop did not run for a while (pause, suspend) or a clock jumped.
struct Gap {
  Duration length{};
};

enum class Verb : std::uint8_t {
  check,
  start,
  stop,
  restart,
  deploy,
  pause,
  resume,
  ack,
  approve,
  unlock,
  roll_outdated,
  shutdown
};

/// What an operator asked for. Texts come from outside; they are data only.
struct Operator {
  Verb verb = Verb::check;
  std::string service;  // empty: all (pause, resume, check)
  Slot slot = kWhole;
  std::string version;  // deploy
  CommandId id;         // ack, approve
  Duration length{};    // pause; 0: for ever
  bool force = false;   // deploy: even a quarantined version
  std::string by;       // who, for the history
};

using Input = std::variant<Tick, Observed, ActionDone, Exited, Found, Recovered, JournalDurable, JournalFailed,
                           SelfChecked, NotifyDone, Gap, Operator>;

}  // namespace homeostat::engine
