// What the shell tells the engine.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/command.hpp"
#include "homeostat/scaling_schedule.hpp"
#include "homeostat/scaling_types.hpp"

namespace homeostat::engine {

/// Time has come (next_deadline), nothing else happened.
struct Tick {
  static constexpr auto fields = [](auto&, auto&) {};
};

struct Observed {
  TargetId target = 0;
  std::uint32_t run = 0;
  Observation seen;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("target", self.target);
    v("run", self.run);
    v("seen", self.seen);
  };
};

/// An action ended. `now_running` is the instance's incarnation after it (none: nothing runs).
struct ActionDone {
  CommandId id;
  OutcomeKind outcome = OutcomeKind::succeeded;
  Incarnation now_running;
  std::uint16_t port = 0;
  std::string detail;   // for people: why it failed
  std::string version;  // of what runs; empty: as the action says
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("outcome", self.outcome);
    v("now_running", self.now_running);
    v("port", self.port);
    v("detail", self.detail);
    v("version", self.version);
  };
};

/// An instance's process ended by itself (or by anyone but us).
struct Exited {
  ServiceId service = 0;
  Slot slot = 0;
  Incarnation incarnation;
  bool known = true;  // false: an adopted process, its exit status cannot be had
  bool signalled = false;
  std::int32_t code = 0;       // the exit status, or the signal's number; 0 of a signal: nobody can tell
  bool out_of_memory = false;  // signalled: its runtime says that it needed more memory than it may have
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("incarnation", self.incarnation);
    v("known", self.known);
    v("signalled", self.signalled);
    v("code", self.code);
    v("out_of_memory", self.out_of_memory);
  };
};

/// After a start: what became of an instance the journal knows, or of a start it intended. Later: it was started or
/// stopped by others.
struct Found {
  ServiceId service = 0;
  Slot slot = 0;
  Incarnation running;   // none: nothing runs
  CommandId started_by;  // from the lock file; none: unreadable
  std::uint16_t port = 0;
  std::string version;  // from the lock file; empty: no releases, or unreadable
  std::string told{};   // who had it so, of those who may beside us (a person with systemctl); empty: nobody
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("running", self.running);
    v("started_by", self.started_by);
    v("port", self.port);
    v("version", self.version);
    v("told", self.told);
  };
};
/// What runs the instance is at it by itself, or cannot be reached: nothing may be done to it.
struct RuntimeHeld {
  ServiceId service = 0;
  Slot slot = 0;
  std::string why;     // empty: not any more
  bool blind = false;  // nobody can tell how it is
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("why", self.why);
    v("blind", self.blind);
  };
};
/// All Found inputs have been given: decide what became of open intents, begin to act.
struct Recovered {
  static constexpr auto fields = [](auto&, auto&) {};
};

struct JournalDurable {
  std::uint64_t seq = 0;
  static constexpr auto fields = [](auto& self, auto& v) { v("seq", self.seq); };
};
/// The journal is about to add a record of its own, a fold of the durable state: it takes the next sequence number.
struct JournalFolded {
  static constexpr auto fields = [](auto&, auto&) {};
};
/// The journal cannot be written or trusted: observe only.
struct JournalFailed {
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) { v("reason", self.reason); };
};

struct SelfChecked {
  std::uint64_t round = 0;
  bool ok = false;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("round", self.round);
    v("ok", self.ok);
  };
};

struct NotifyDone {
  CommandId escalation;
  bool ok = false;
  std::string detail;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("escalation", self.escalation);
    v("ok", self.ok);
    v("detail", self.detail);
  };
};

/// The loop did not run for a while (pause, suspend) or a clock jumped.
struct Gap {
  Duration length{};
  static constexpr auto fields = [](auto& self, auto& v) { v("length", self.length); };
};

/// What one instance measured.
struct SlotSample {
  Slot slot = 0;
  std::int64_t value = 0;  // thousandths
  Instant at{};
  Duration window{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("slot", self.slot);
    v("value", self.value);
    v("at", self.at);
    v("window", self.window);
  };
};

/// What one source said.
struct MeasuredMetric {
  MetricFault fault = MetricFault::none;
  std::vector<SlotSample> samples;
  std::vector<std::int64_t> totals;  // thousandths
  Instant at{};                      // when the totals were measured
  std::string why{};                 // for people: of a fault, or why instances are missing
  static constexpr auto fields = [](auto& self, auto& v) {
    v("fault", self.fault);
    v("samples", self.samples);
    v("totals", self.totals);
    v("at", self.at);
    v("why", self.why);
  };
};

/// The answer to Measure: one for each metric of the service's policy, in its order; and the time in the zone of each
/// of its schedules.
struct Measured {
  ServiceId service = 0;
  std::uint32_t round = 0;
  std::vector<MeasuredMetric> metrics;
  std::vector<LocalMinutes> local{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("round", self.round);
    v("metrics", self.metrics);
    v("local", self.local);
  };
};

/// What the proxy says of one place.
struct PlaceTraffic {
  Slot slot = 0;
  bool up = false;                // it gets requests, if it has a weight
  bool weighted = true;           // it has one, whoever has given it
  std::uint64_t requests = 0;     // since the proxy began to count
  std::uint64_t errors = 0;       // of them
  std::int64_t response_ms = -1;  // of the last 1,024; below 0: there was none
  static constexpr auto fields = [](auto& self, auto& v) {
    v("slot", self.slot);
    v("up", self.up);
    v("weighted", self.weighted);
    v("requests", self.requests);
    v("errors", self.errors);
    v("response_ms", self.response_ms);
  };
};

/// The answer to LookAtTraffic.
struct TrafficSeen {
  ServiceId service = 0;
  std::uint32_t round = 0;
  std::string fault{};   // why nothing was seen; empty: it was
  bool as_told = false;  // the proxy divides the requests as it was last told to
  std::vector<PlaceTraffic> places{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("round", self.round);
    v("fault", self.fault);
    v("as_told", self.as_told);
    v("places", self.places);
  };
};

/// What one instance, or a source that tells of a version as a whole, says of a metric.
struct VersionSample {
  std::uint32_t metric = 0;  // of the rollout's plan
  Slot slot = kWhole;
  bool fresh = false;      // of a version as a whole: of the new one
  std::int64_t value = 0;  // thousandths, as are …
  std::int64_t of = 0;     // … so many there were, where two numbers are told
  static constexpr auto fields = [](auto& self, auto& v) {
    v("metric", self.metric);
    v("slot", self.slot);
    v("fresh", self.fresh);
    v("value", self.value);
    v("of", self.of);
  };
};

/// The answer to MeasureVersions. What could not be measured is not there.
struct VersionsMeasured {
  ServiceId service = 0;
  std::uint32_t round = 0;
  std::vector<VersionSample> samples{};
  std::string fault{};  // for people: why one could not
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("round", self.round);
    v("samples", self.samples);
    v("fault", self.fault);
  };
};

/// The answer to ReadClocks: the wall clock, and the time in each of the plan's zones; none where nobody knows.
struct ClocksRead {
  std::uint32_t round = 0;
  std::int64_t wall_ns = 0;  // since 1970, in UTC
  std::vector<LocalMinutes> local{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("round", self.round);
    v("wall_ns", self.wall_ns);
    v("local", self.local);
  };
};

/// The answer to AskGate.
struct GateAnswered {
  ServiceId service = 0;
  std::uint32_t gate = 0;
  CommandId id;
  rollout::GateResult result = rollout::GateResult::waiting;  // of a command
  std::string why{};                                          // for people
  std::optional<LocalMinutes> local{};                        // of a window: the time in its zone
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("gate", self.gate);
    v("id", self.id);
    v("result", self.result);
    v("why", self.why);
    v("local", self.local);
  };
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
  scale,
  shutdown,
  rollout_promote,
  rollout_abort,
  rollout_freeze,
  rollout_resume,
  rollout_retry,
  rollout_approve,
  freeze,
  rollout_samples,
  changed,
  maintenance_begin,
  maintenance_end,
  remediate
};

/// One sample of a rollout's metric, or a count of events in so much traffic.
struct RolloutSample {
  std::uint32_t metric = 0;  // of the rollout's plan
  canary::Arm arm = canary::Arm::canary;
  double value = 0;
  double traffic = 0;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("metric", self.metric);
    v("arm", self.arm);
    v("value", self.value);
    v("traffic", self.traffic);
  };
};

/// What an operator asked for. Texts come from outside; they are data only.
struct Operator {
  Verb verb = Verb::check;
  std::string service;  // empty: all (pause, resume, check)
  Slot slot = kWhole;
  std::string version;                   // deploy, changed
  CommandId id;                          // ack, approve
  Duration length{};                     // pause, scale, freeze, maintenance_begin; 0: for ever
  std::int32_t count = 0;                // scale; below 0: as the metrics say again
  Freeze direction{};                    // freeze; none: not any more
  bool force = false;                    // deploy: even a quarantined version; rollout_promote: without its gates
  std::string issue{};                   // remediate: the ladder of this kind of failure; empty: as it fails
  std::string by;                        // who, for the history
  std::string reason{};                  // maintenance_begin
  std::vector<RolloutSample> samples{};  // rollout_samples
  std::string source{};                  // … from whom, and the how many-th of his: he may tell them again
  std::uint64_t sequence = 0;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("verb", self.verb);
    v("service", self.service);
    v("slot", self.slot);
    v("version", self.version);
    v("id", self.id);
    v("length", self.length);
    v("count", self.count);
    v("direction", self.direction);
    v("force", self.force);
    v("issue", self.issue);
    v("by", self.by);
    v("reason", self.reason);
    v("samples", self.samples);
    v("source", self.source);
    v("sequence", self.sequence);
  };
};

using Input = std::variant<Tick, Observed, ActionDone, Exited, Found, Recovered, JournalDurable, JournalFailed,
                           SelfChecked, NotifyDone, Gap, Operator, JournalFolded, Measured, TrafficSeen,
                           VersionsMeasured, RuntimeHeld, ClocksRead, GateAnswered>;

}  // namespace homeostat::engine
