// Everything that survives a crash. It is the fold of the journal's records and changes only through apply(): the
// running engine and the recovery do the same, so the state after a recovery is the state before the crash.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/compact.hpp"
#include "engine/record.hpp"

namespace homeostat::engine {

/// What is kept of the past; older facts are in the journal until it is compacted.
inline constexpr std::size_t kKindsOfFailure = 32;  // of one service, and repairs against them
inline constexpr std::size_t kClosedIncidents = 1000;
inline constexpr std::size_t kEscalations = 1000;
inline constexpr std::size_t kIntervals = 1000;

inline constexpr std::uint32_t kUntold = 0xffffffffU;

struct InstanceState {
  Incarnation incarnation;
  Text version;
  std::uint64_t identity = 0;
  Instant since = kLongAgo;  // of `state`
  std::uint16_t port = 0;
  RunState state = RunState::absent;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("state", self.state);
    v("incarnation", self.incarnation);
    v("version", self.version);
    v("port", self.port);
    v("identity", self.identity);
    v("since", self.since);
  };
};

struct ActionState {
  Intent intent;
  Instant at{};
  bool approved = false;
  std::optional<Instant> succeeded_at;  // set: being verified
  static constexpr auto fields = [](auto& self, auto& v) {
    v("intent", self.intent);
    v("at", self.at);
    v("approved", self.approved);
    v("succeeded_at", self.succeeded_at);
  };
};

struct FailingState {
  std::string check;
  Instant first_failure{};
  Instant verdict_at{};
  std::optional<Instant> first_success;  // set: recovery verified
  static constexpr auto fields = [](auto& self, auto& v) {
    v("check", self.check);
    v("first_failure", self.first_failure);
    v("verdict_at", self.verdict_at);
    v("first_success", self.first_success);
  };
};

struct IncidentState {
  std::uint64_t id = 0;
  std::string service;
  Instant first_failure{};
  Instant verdict_at{};
  Instant began_at = kLongAgo;  // when it was noticed, or noticed to be back
  Instant recovered_at{};       // first success of the verified recovery
  Instant closed_at{};
  Ending ending = Ending::open;
  std::uint32_t reopened = 0;
  std::uint32_t actions = 0;
  std::string reason;
  FlatMap<std::int32_t, FailingState> failing;  // while it is open
  Boxed<Diagnosed> diagnosed;                   // … and once there was something to find out
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("first_failure", self.first_failure);
    v("verdict_at", self.verdict_at);
    v("began_at", self.began_at);
    v("recovered_at", self.recovered_at);
    v("closed_at", self.closed_at);
    v("ending", self.ending);
    v("reopened", self.reopened);
    v("actions", self.actions);
    v("reason", self.reason);
    v("failing", self.failing);
    v("diagnosed", self.diagnosed);
  };
};

/// When it was noticed last. Older journals did not say when it came back: not before it was closed.
inline Instant began_last(const IncidentState& incident) {
  return incident.began_at == kLongAgo ? std::max(incident.verdict_at, incident.closed_at) : incident.began_at;
}

struct EscalationState {
  Escalated what;
  Instant at{};
  std::uint32_t attempts = 0;
  bool notified = false;
  Text acknowledged_by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("what", self.what);
    v("at", self.at);
    v("attempts", self.attempts);
    v("notified", self.notified);
    v("acknowledged_by", self.acknowledged_by);
  };
};

/// Tries of one repair against one kind of failure, in a row, that did not help.
struct InVain {
  std::uint32_t tries = 0;
  Instant last{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("tries", self.tries);
    v("last", self.last);
  };
};
/// What they are kept under: "restart against http: timed_out".
std::string in_vain_key(std::string_view strategy, std::string_view name, std::string_view failure);

struct Interval {
  Instant from{};
  Instant to{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("from", self.from);
    v("to", self.to);
  };
};

struct HoldState {
  std::string gate;
  std::string detail;
  Instant since{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("gate", self.gate);
    v("detail", self.detail);
    v("since", self.since);
  };
};

/// What the autoscaler of a service remembers, and what people have told it.
struct ScalingState {
  ScalingHistory history;
  std::int32_t places = 0;  // in all: the most there might be when it was last decided
  std::int32_t held = 0;    // so many by hand …
  Instant held_until = kLongAgo;
  Freeze frozen = Freeze::none;
  Instant frozen_until = kLongAgo;
  std::int32_t raised = 0;  // at least so many, by a repair …
  Instant raised_until = kLongAgo;
  CommandId raised_by;        // … of this id
  Boxed<ScalingAsked> asked;  // waits for somebody …
  bool approved = false;      // … who has agreed
  static constexpr auto fields = [](auto& self, auto& v) {
    v("history", self.history);
    v("places", self.places);
    v("held", self.held);
    v("held_until", self.held_until);
    v("frozen", self.frozen);
    v("frozen_until", self.frozen_until);
    v("raised", self.raised);
    v("raised_until", self.raised_until);
    v("raised_by", self.raised_by);
    v("asked", self.asked);
    v("approved", self.approved);
  };
};

/// When a place took another release or configuration, or somebody told of a change, and in words which.
struct Change {
  Instant at = kLongAgo;
  Text what;  // "took release v2"
  static constexpr auto fields = [](auto& self, auto& v) {
    v("at", self.at);
    v("what", self.what);
  };
};

struct ServiceState {
  Instant known_since = kNever;  // when the journal first heard of it
  FlatMap<std::int32_t, InstanceState> instances;
  FlatMap<std::int32_t, std::string> details;  // what the runtime said of them; mostly nothing
  FlatMap<std::int32_t, Change> changed;       // the last one of each place, kWhole: that somebody told of
  FlatMap<std::int32_t, LadderState> ladders;
  FlatMap<std::int32_t, Walk> walks;    // whose ladder they are, where that is not the general one by itself
  FlatSet<std::int32_t> drained;        // out of the traffic by a repair
  bool stopped = false;                 // all of it, by an operator
  FlatSet<std::int32_t> stopped_slots;  // single instances
  Text stopped_by;                      // who stopped it, or one of them, last
  FlatSet<std::int32_t> spare;          // places that the autoscaler does not need now
  Boxed<ScalingState> scaling;
  Text version;                                 // deployed; empty: as configured
  FlatMap<std::int32_t, std::string> versions;  // single instances, while a deployment is under way
  FlatSet<std::int32_t> baseline;               // places that a rollout's new version is compared with
  Boxed<OperationMoved> operation;              // the one under way
  Boxed<rollout::State> rollout;                // the last one
  Boxed<Route> route;                           // how the proxy was last told to divide the requests
  Boxed<JudgeKept> judge;                       // what its judge had seen when it was last written down
  Boxed<JudgeKept> judged_before;               // what the judge before it had seen, of any rollout
  Few<std::string> stable;                      // versions proved well, the newest last
  FlatSet<std::string> quarantined;
  std::string status = "unknown";
  Instant status_since = kLongAgo;
  std::optional<Instant> down_since;
  Few<Interval> downs;
  Few<Interval> unknowns;
  std::uint64_t incident = 0;  // the open one
  std::uint64_t last_incident = 0;
  Instant last_closed_at = kLongAgo;
  std::uint32_t scaled = 0;  // instances the exec runtime was last told to make; kUntold: nobody knows what it made
  FlatMap<std::int32_t, std::string> locks;
  FlatMap<std::int32_t, HoldState> holds;
  FlatMap<std::string, InVain> in_vain;  // repairs that have not helped, and against what
  static constexpr auto fields = [](auto& self, auto& v) {
    v("known_since", self.known_since);
    v("instances", self.instances);
    v("details", self.details);
    v("changes", self.changed);
    v("ladders", self.ladders);
    v("walks", self.walks);
    v("drained", self.drained);
    v("stopped", self.stopped);
    v("stopped_slots", self.stopped_slots);
    v("stopped_by", self.stopped_by);
    v("spare", self.spare);
    v("scaling", self.scaling);
    v("version", self.version);
    v("versions", self.versions);
    v("baseline", self.baseline);
    v("operation", self.operation);
    v("rollout", self.rollout);
    v("route", self.route);
    v("judge", self.judge);
    v("judged_before", self.judged_before);
    v("stable", self.stable);
    v("quarantined", self.quarantined);
    v("status", self.status);
    v("status_since", self.status_since);
    v("down_since", self.down_since);
    v("downs", self.downs);
    v("unknowns", self.unknowns);
    v("incident", self.incident);
    v("last_incident", self.last_incident);
    v("last_closed_at", self.last_closed_at);
    v("scaled", self.scaled);
    v("locks", self.locks);
    v("holds", self.holds);
    v("in_vain", self.in_vain);
  };

  std::string detail_of(std::int32_t slot) const {
    const auto found = details.find(slot);
    return found == details.end() ? std::string() : found->second;
  }
  Walk walk_of(std::int32_t slot) const {
    const auto found = walks.find(slot);
    return found == walks.end() ? Walk{} : found->second;
  }
  /// What the autoscaler asks for and nobody has approved yet; null: nothing.
  const ScalingAsked* asked_scaling() const {
    return scaling && scaling->asked && !scaling->approved ? &*scaling->asked : nullptr;
  }
  /// Proved well, and not the contrary since.
  bool is_stable(std::string_view release) const { return std::ranges::find(stable, release) != stable.end(); }
  bool wants_running(std::int32_t slot) const {
    return !stopped && !stopped_slots.contains(slot) && !spare.contains(slot);
  }
};

/// A breaker that is not closed. One that was half-open is open again, and its next call a probe.
struct OpenBreaker {
  std::uint64_t identity = 0;
  Instant opened_at{};
  Instant probe_at{};
  std::uint32_t times_open = 0;
  std::uint64_t failures = 0;  // in a row, those of its probes too
  Instant since{};             // it was closed before
  std::uint64_t calls = 0;     // in the window that opened it last
  std::uint64_t failed = 0;    // of them
  static constexpr auto fields = [](auto& self, auto& v) {
    v("identity", self.identity);
    v("opened_at", self.opened_at);
    v("probe_at", self.probe_at);
    v("times_open", self.times_open);
    v("failures", self.failures);
    v("since", self.since);
    v("calls", self.calls);
    v("failed", self.failed);
  };
};

/// One disruptive automatic action, for the budgets.
struct Disruption {
  Instant at{};
  std::string service;
  CommandId id;
  std::int32_t slot = -1;
  Text group;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("at", self.at);
    v("service", self.service);
    v("id", self.id);
    v("slot", self.slot);
    v("group", self.group);
  };
};

/// Nothing is done by itself, for a service or for everything.
struct PauseState {
  Instant since{};
  Instant until = kNever;
  std::string by;
  std::vector<CommandId> operations;  // that were under way: they are held, too
  static constexpr auto fields = [](auto& self, auto& v) {
    v("since", self.since);
    v("until", self.until);
    v("by", self.by);
    v("operations", self.operations);
  };
};

/// Somebody works on a service, or on everything.
struct MaintenanceState {
  Instant since{};
  Instant until = kNever;
  std::string reason;
  std::string by;
  bool over = false;  // ended by hand, although its window lasts
  static constexpr auto fields = [](auto& self, auto& v) {
    v("since", self.since);
    v("until", self.until);
    v("reason", self.reason);
    v("by", self.by);
    v("over", self.over);
  };
};

/// One that is over.
struct Maintained {
  std::string service;  // empty: everything
  Interval span;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("span", self.span);
  };
};

struct Durable {
  std::uint64_t seq = 0;  // of the last record applied
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
  std::uint64_t incidents_made = 0;
  Instant last_at = kLongAgo;
  std::map<std::string, ServiceState> services;
  std::map<CommandId, ActionState> actions;  // intended or being verified
  std::map<std::uint64_t, IncidentState> incidents;
  std::map<CommandId, EscalationState> escalations;
  std::map<std::string, PauseState> pauses;             // service ("": all)
  std::map<std::string, MaintenanceState> maintenance;  // by hand, the same
  std::map<std::string, MaintenanceState> windows;      // by the configuration, the same
  std::vector<Maintained> maintained;
  Instant storm_over = kLongAgo;       // when we doubted ourselves last
  std::deque<Disruption> disruptions;  // of a day, in order of time
  std::map<std::string, OpenBreaker> breakers;
  std::map<std::string, std::string> resources;  // what services share -> the one that is worked on with it
  static constexpr auto fields = [](auto& self, auto& v) {
    v("seq", self.seq);
    v("epoch", self.epoch);
    v("generation", self.generation);
    v("incidents_made", self.incidents_made);
    v("last_at", self.last_at);
    v("services", self.services);
    v("actions", self.actions);
    v("incidents", self.incidents);
    v("escalations", self.escalations);
    v("pauses", self.pauses);
    v("maintenance", self.maintenance);
    v("windows", self.windows);
    v("maintained", self.maintained);
    v("storm_over", self.storm_over);
    v("disruptions", self.disruptions);
    v("breakers", self.breakers);
    v("resources", self.resources);
  };

  void apply(const Record& record);
  /// What failed when this was intended; the check alone where the journal does not say how; empty: nobody knows.
  std::string failure_of(const Intent& intent) const;
  /// What was found out about the open incident of a service; null: nothing.
  const Diagnosed* diagnosed(const ServiceState& service) const;

  /// The state as one canonical JSON text, for a fold record, and back (false: not such a text).
  std::string fold() const;
  static bool unfold(std::string_view text, Durable& out);
};

}  // namespace homeostat::engine
