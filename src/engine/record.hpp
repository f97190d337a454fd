// What the engine writes into the journal. Each record is a fact; the durable state is the fold of all of them
// (durable.hpp) and changes in no other way. Slots are numbers from 0, -1 stands for the service as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/ids.hpp"
#include "engine/names.hpp"
#include "engine/record_breaker.hpp"
#include "engine/record_diagnosis.hpp"
#include "engine/record_guard.hpp"
#include "engine/record_ladder.hpp"
#include "engine/record_rollout.hpp"
#include "engine/record_scaling.hpp"
#include "homeostat/incarnation.hpp"
#include "homeostat/remediation.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

/// The engine started: ids are (epoch, counter) from here on.
struct EpochBegan {
  static constexpr std::string_view kType = "epoch";
  static constexpr bool kCritical = true;
  std::uint64_t epoch = 0;
  std::string build;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("epoch", self.epoch);
    v("build", self.build);
  };
};

struct ConfigLoaded {
  static constexpr std::string_view kType = "config";
  static constexpr bool kCritical = false;
  std::uint64_t generation = 0;
  std::vector<std::string> services;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("generation", self.generation);
    v("services", self.services);
  };
};

/// A service (check empty) or one check of an instance changed its status; `reason` is the last observation in words.
struct StatusChanged {
  static constexpr std::string_view kType = "status";
  static constexpr bool kCritical = false;
  std::string service;
  std::string check;
  std::int32_t slot = -1;
  std::string from;
  std::string to;
  std::string reason;
  bool flapping = false;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("check", self.check);
    v("slot", self.slot);
    v("from", self.from);
    v("to", self.to);
    v("reason", self.reason);
    v("flapping", self.flapping);
  };
};

/// The service went down at `since` (the first failure of the run that led to the verdict).
struct DownBegan {
  static constexpr std::string_view kType = "down";
  static constexpr bool kCritical = false;
  std::string service;
  Instant since{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("since", self.since);
  };
};

/// The service was up again at `until` (the first success of the verified recovery).
struct DownEnded {
  static constexpr std::string_view kType = "up";
  static constexpr bool kCritical = false;
  std::string service;
  Instant until{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("until", self.until);
  };
};

/// An instance (or the service as a whole) fails: opens the incident, reopens it, or joins the open one.
struct IncidentFailing {
  static constexpr std::string_view kType = "failing";
  static constexpr bool kCritical = false;
  std::uint64_t incident = 0;
  std::string service;
  std::int32_t slot = -1;
  std::string check;
  Instant first_failure{};
  bool direct = false;
  bool reopened = false;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("incident", self.incident);
    v("service", self.service);
    v("slot", self.slot);
    v("check", self.check);
    v("first_failure", self.first_failure);
    v("direct", self.direct);
    v("reopened", self.reopened);
    v("reason", self.reason);
  };
};

/// One target of an incident is well again, first seen so at `first_success`.
struct IncidentRecovering {
  static constexpr std::string_view kType = "recovered";
  static constexpr bool kCritical = false;
  std::uint64_t incident = 0;
  std::string service;
  std::int32_t slot = -1;
  Instant first_success{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("incident", self.incident);
    v("service", self.service);
    v("slot", self.slot);
    v("first_success", self.first_success);
  };
};

struct IncidentClosed {
  static constexpr std::string_view kType = "closed";
  static constexpr bool kCritical = false;
  std::uint64_t incident = 0;
  std::string service;
  Ending how = Ending::recovered;
  Instant recovered_at{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("incident", self.incident);
    v("service", self.service);
    v("how", self.how);
    v("recovered_at", self.recovered_at);
  };
};

/// What is about to be done, durable before it is done.
struct Intent {
  static constexpr std::string_view kType = "intent";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string service;
  std::int32_t slot = -1;
  Op op = Op::start;
  Origin origin = Origin::ladder;
  Mode mode = Mode::act;
  std::string strategy;        // restart, rollback, exec, …; start, stop for desired state and operators
  std::string name;            // exec: the command's name
  std::uint64_t incident = 0;  // 0: none
  std::string issue;           // of which kind of failure the ladder is; empty: of any
  std::string against;         // what fails, and how: "http: timed_out"; empty: nothing, or a journal of before
  std::uint32_t rung = 0;
  std::uint32_t attempt = 0;
  std::string version;      // the release to run; empty without releases
  std::uint32_t count = 0;  // scale: instances wanted
  Incarnation expected;     // the incarnation it is decided for
  bool disruptive = false;  // takes a running process away: counts in the budgets
  bool idempotent = false;  // may be repeated when its outcome is unknown
  Duration verify_within{};
  std::string evidence;
  std::string by;     // an operator's name
  std::string group;  // of the service, whose budget counts it
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("slot", self.slot);
    v("op", self.op);
    v("origin", self.origin);
    v("mode", self.mode);
    v("strategy", self.strategy);
    v("name", self.name);
    v("incident", self.incident);
    v("issue", self.issue);
    v("against", self.against);
    v("rung", self.rung);
    v("attempt", self.attempt);
    v("version", self.version);
    v("count", self.count);
    v("expected", self.expected);
    v("disruptive", self.disruptive);
    v("idempotent", self.idempotent);
    v("verify_within", self.verify_within);
    v("evidence", self.evidence);
    v("by", self.by);
    v("group", self.group);
  };
};

/// A ladder is walked by the rules also when a person has asked for it.
inline bool automatic(Origin origin, const std::string& by) { return by.empty() || origin == Origin::ladder; }
/// What the mode of a service governs.
inline bool repairs(Origin origin, const std::string& by) {
  return origin == Origin::ladder || (by.empty() && origin == Origin::operation);
}

struct Approved {
  static constexpr std::string_view kType = "approved";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("by", self.by);
  };
};

struct Outcome {
  static constexpr std::string_view kType = "outcome";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string service;
  std::int32_t slot = -1;
  OutcomeKind outcome = OutcomeKind::succeeded;
  std::string detail;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("slot", self.slot);
    v("outcome", self.outcome);
    v("detail", self.detail);
  };
};

/// The service's own checks have judged an action that succeeded.
struct Verified {
  static constexpr std::string_view kType = "verified";
  static constexpr bool kCritical = false;
  CommandId id;
  std::string service;
  std::int32_t slot = -1;
  bool ok = false;
  std::string detail;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("slot", self.slot);
    v("ok", self.ok);
    v("detail", self.detail);
  };
};

struct InstanceChanged {
  static constexpr std::string_view kType = "instance";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t slot = 0;
  RunState state = RunState::absent;
  Incarnation incarnation;
  std::string version;
  std::uint16_t port = 0;
  std::uint64_t identity = 0;  // of what it was started from; another one in the plan: outdated
  std::string detail;          // how it ended
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("state", self.state);
    v("incarnation", self.incarnation);
    v("version", self.version);
    v("port", self.port);
    v("identity", self.identity);
    v("detail", self.detail);
  };
};

/// What should run: an operator's stop stays, a deployed version outlives the configuration file.
struct DesiredSet {
  static constexpr std::string_view kType = "desired";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t slot = -1;  // -1: all
  bool running = true;
  std::optional<std::string> version;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("running", self.running);
    v("version", self.version);
    v("by", self.by);
  };
};

/// A rolling operation began, moved on or ended; the whole of it each time.
struct OperationMoved {
  static constexpr std::string_view kType = "operation";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string service;
  OperationKind kind = OperationKind::deploy;
  OperationPhase phase = OperationPhase::running;
  std::string version;
  std::vector<std::int32_t> pending;
  std::vector<std::int32_t> done;
  std::uint64_t incident = 0;
  bool repair = false;         // a ladder asked for it …
  std::int32_t for_slot = -1;  // … of this target
  bool together = false;       // not one after the other
  std::string detail;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("kind", self.kind);
    v("phase", self.phase);
    v("version", self.version);
    v("pending", self.pending);
    v("done", self.done);
    v("incident", self.incident);
    v("repair", self.repair);
    v("for_slot", self.for_slot);
    v("together", self.together);
    v("detail", self.detail);
    v("by", self.by);
  };
};

struct VersionMarked {
  static constexpr std::string_view kType = "release";
  static constexpr bool kCritical = true;
  std::string service;
  std::string version;
  Mark mark = Mark::stable;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("version", self.version);
    v("mark", self.mark);
  };
};

/// A repair waits for a gate; an empty gate: it waits no more.
struct Held {
  static constexpr std::string_view kType = "held";
  static constexpr bool kCritical = false;
  std::string service;
  std::int32_t slot = -1;
  std::uint64_t incident = 0;
  std::string gate;
  std::string detail;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("incident", self.incident);
    v("gate", self.gate);
    v("detail", self.detail);
  };
};

/// A rung does not apply.
struct Skipped {
  static constexpr std::string_view kType = "skipped";
  static constexpr bool kCritical = false;
  std::string service;
  std::int32_t slot = -1;
  std::uint64_t incident = 0;
  std::uint32_t rung = 0;
  std::string strategy;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("incident", self.incident);
    v("rung", self.rung);
    v("strategy", self.strategy);
    v("reason", self.reason);
  };
};

struct Escalated {
  static constexpr std::string_view kType = "escalated";
  static constexpr bool kCritical = true;
  CommandId id;
  std::uint64_t incident = 0;
  std::string service;   // empty: the engine itself
  std::string notifier;  // empty: none is configured
  std::string summary;
  CommandId asks_for{};  // to approve this
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("incident", self.incident);
    v("service", self.service);
    v("notifier", self.notifier);
    v("summary", self.summary);
    v("asks_for", self.asks_for);
  };
};

struct Notified {
  static constexpr std::string_view kType = "notified";
  static constexpr bool kCritical = false;
  CommandId id;
  std::uint32_t attempt = 0;
  bool ok = false;
  std::string detail;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("attempt", self.attempt);
    v("ok", self.ok);
    v("detail", self.detail);
  };
};

struct Acknowledged {
  static constexpr std::string_view kType = "acknowledged";
  static constexpr bool kCritical = false;
  CommandId id;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("by", self.by);
  };
};

/// The whole engine holds back, or does so no more.
struct CautionChanged {
  static constexpr std::string_view kType = "caution";
  static constexpr bool kCritical = false;
  Caution caution = Caution::tilt;
  bool on = false;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("caution", self.caution);
    v("on", self.on);
    v("reason", self.reason);
  };
};

/// A target whose last action nobody can judge is locked, or free again.
struct LockChanged {
  static constexpr std::string_view kType = "lock";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t slot = -1;
  bool locked = true;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("locked", self.locked);
    v("reason", self.reason);
  };
};

using Body =
    std::variant<EpochBegan, ConfigLoaded, StatusChanged, DownBegan, DownEnded, IncidentFailing, IncidentRecovering,
                 IncidentClosed, LadderMoved, Intent, Approved, Outcome, Verified, InstanceChanged, DesiredSet,
                 OperationMoved, VersionMarked, Held, Skipped, Escalated, Notified, Acknowledged, Paused, Resumed,
                 CautionChanged, LockChanged, BreakerChanged, Scaled, ScalingSeen, ScaleHeld, RolloutMoved,
                 ScalingFrozen, Diagnosed, ChangeNoted, RouteSet, JudgeKept, ScalingAsked, ScalingDropped,
                 MaintenanceBegan, MaintenanceEnded, ScalingRaised, Drained, ResourceMoved>;

struct Record {
  std::uint64_t seq = 0;
  Instant at{};
  std::uint64_t generation = 0;
  Body body;
};

std::string_view type_of(const Body& body);
bool critical(const Body& body);
/// The canonical JSON of the body.
std::string encode(const Body& body);
/// The body of a record read from a journal; nothing when the type is unknown or the text does not fit it.
std::optional<Body> decode(std::string_view type, std::string_view payload);
/// Every type this build understands.
std::vector<std::string_view> known_types();

}  // namespace homeostat::engine
