// What the engine asks of the shell. Small, trivially copyable, made of ids.
#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/ids.hpp"
#include "engine/plan.hpp"
#include "engine/record.hpp"
#include "homeostat/incarnation.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

/// Run a check now. Answered by Observed with the same target and run.
struct Probe {
  TargetId target = 0;
  std::uint32_t run = 0;
  Instant scheduled{};
};

/// Perform an action whose intent is durable. The runtime refuses (`not_started`) when the instance is not the
/// incarnation `expected`. Answered by ActionDone with the same id.
struct Dispatch {
  CommandId id;
  Op op = Op::start;
  ServiceId service = 0;
  Slot slot = 0;
  std::uint32_t version = kNone;    // index for Engine::version(); kNone: no releases
  std::uint32_t reference = kNone;  // exec: RungPlan::reference; scale: the number of instances wanted
  Incarnation expected;
  Instant deadline{};
};

/// Run a notifier. Answered by NotifyDone; repeated by the engine until it succeeds.
struct Notify {
  CommandId escalation;
  std::uint32_t notifier = kNone;
  std::uint32_t attempt = 0;
};

/// Connect to our own loopback responder. Answered by SelfChecked with the same round.
struct SelfCheck {
  std::uint64_t round = 0;
};

/// Measure every metric of the service's scaling. Answered by Measured with the same round.
struct Measure {
  ServiceId service = 0;
  std::uint32_t round = 0;
  std::uint64_t held = 0;  // metrics that are not to be asked now, a bit each
};

/// See what the proxy before the service makes of the requests. Answered by TrafficSeen with the same round.
struct LookAtTraffic {
  ServiceId service = 0;
  std::uint32_t round = 0;
};

/// Measure what the judge of the service's rollout compares of both versions. Answered by VersionsMeasured with the
/// same round.
struct MeasureVersions {
  ServiceId service = 0;
  std::uint32_t round = 0;
};

/// Tell what the clocks show. Answered by ClocksRead with the same round.
struct ReadClocks {
  std::uint32_t round = 0;
};

/// Ask a gate of the rollout's stage: run its command, or tell the time in the zone of its window. Answered by
/// GateAnswered with the same id.
struct AskGate {
  ServiceId service = 0;
  std::uint32_t gate = 0;  // of the rollout's plan
  CommandId id;
};

/// Homeostat does not look after this instance any more (service removed); it goes on running.
struct Release {
  ServiceId service = 0;
  Slot slot = 0;
  Incarnation incarnation;
};

using Command = std::variant<Probe, Dispatch, Notify, SelfCheck, Release, Measure, LookAtTraffic, MeasureVersions,
                             ReadClocks, AskGate>;
static_assert(std::is_trivially_copyable_v<Command>);

/// What one step wants done. The records must become durable in this order; dispatches come out only after the
/// JournalDurable input that covers their intent.
struct Commands {
  std::vector<Command> commands;
  std::vector<Record> records;

  void clear() {
    commands.clear();
    records.clear();
  }
};

}  // namespace homeostat::engine
