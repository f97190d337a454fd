// The engine's whole state: the plan, what is durable, and what is only true while we run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/command.hpp"
#include "engine/durable.hpp"
#include "engine/input.hpp"
#include "engine/wheel.hpp"
#include "homeostat/random.hpp"

namespace homeostat::engine {

/// One (check, instance) pair, or a prerequisite that has to be looked at.
struct Target {
  Health health;
  Instant scheduled = kLongAgo;  // grid point of the run in flight, or of the last one
  Instant fast_anchor = kNever;  // where the fast grid begins; kNever: on the regular grid
  Duration phase{};
  ServiceId service = 0;
  CheckId check = kNone;  // kNone: a prerequisite
  std::uint32_t prerequisite = kNone;
  Slot slot = kWhole;
  std::uint32_t run = 0;
  bool in_flight = false;
  bool active = false;              // its instance runs (or need not), so it is looked at
  Instant unreached_at = kLongAgo;  // the last time it could not be reached, whatever came since
  static constexpr auto fields = [](auto& self, auto& v) {
    v("health", self.health);
    v("scheduled", self.scheduled);
    v("fast_anchor", self.fast_anchor);
    v("phase", self.phase);
    v("service", self.service);
    v("check", self.check);
    v("prerequisite", self.prerequisite);
    v("slot", self.slot);
    v("run", self.run);
    v("in_flight", self.in_flight);
    v("active", self.active);
    v("unreached_at", self.unreached_at);
  };
};

/// What is volatile about one place of a service: an instance, or the service as a whole (kWhole).
struct Place {
  Slot slot = kWhole;
  std::vector<TargetId> targets;  // its checks, in the plan's order
  CommandId action;               // the one under way on this place; none: nothing
  bool dispatched = false;        // … and it has been handed to the runtime
  Instant deadline = kNever;      // of the dispatch, or of the verification
  Instant last_effect = kLongAgo;
  Instant up_since = kLongAgo;  // while it is well
  Instant judge_at = kNever;    // a repair that is not an action here (a rolling one, a shadow's) is judged then
  std::string skipped;          // the same for skipped rungs
  static constexpr auto fields = [](auto& self, auto& v) {
    v("slot", self.slot);
    v("targets", self.targets);
    v("action", self.action);
    v("dispatched", self.dispatched);
    v("deadline", self.deadline);
    v("last_effect", self.last_effect);
    v("up_since", self.up_since);
    v("judge_at", self.judge_at);
    v("skipped", self.skipped);
  };
};

struct LiveService {
  Status status = Status::unknown;
  std::vector<Place> places;            // slot 0 … instances-1, then kWhole
  std::vector<TargetId> prerequisites;  // one a plan's prerequisite; kNone where nothing has to be looked at
  Instant stable_from = kNever;         // since when all of it is well on one version
  Instant scale_not_before = kLongAgo;
  bool dirty = false;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("status", self.status);
    v("places", self.places);
    v("prerequisites", self.prerequisites);
    v("stable_from", self.stable_from);
    v("scale_not_before", self.scale_not_before);
    v("dirty", self.dirty);
  };
};

/// The self-check before acting on indirect evidence: our own loopback, and a sample of other services.
struct DoubtRound {
  std::uint64_t round = 0;
  bool running = false;
  bool self_done = false;
  bool self_ok = false;
  Instant began = kLongAgo;
  Instant ended = kLongAgo;
  Instant since = kLongAgo;       // who could not be reached since then counts
  std::vector<TargetId> waiting;  // of the sample
  bool doubtful = false;          // the last verdict
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("round", self.round);
    v("running", self.running);
    v("self_done", self.self_done);
    v("self_ok", self.self_ok);
    v("began", self.began);
    v("ended", self.ended);
    v("since", self.since);
    v("waiting", self.waiting);
    v("doubtful", self.doubtful);
    v("reason", self.reason);
  };
};

/// Something that comes out as a command once its record is durable.
struct Waiting {
  std::uint64_t seq = 0;
  CommandId id;
  Instant since{};
  bool escalation = false;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("seq", self.seq);
    v("id", self.id);
    v("since", self.since);
    v("escalation", self.escalation);
  };
};

/// A notifier that has to run until it succeeds.
struct Notifying {
  bool in_flight = false;
  Instant next_at = kLongAgo;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("in_flight", self.in_flight);
    v("next_at", self.next_at);
  };
};

struct State {
  Plan plan;  // not part of the snapshot: the input log holds the configuration's text
  Durable durable;
  Random random;
  std::uint64_t next_counter = 1;
  std::uint64_t durable_seq = 0;
  std::vector<Target> targets;
  std::vector<LiveService> services;
  std::deque<Waiting> waiting;
  std::map<CommandId, Notifying> notifying;                    // escalations whose record is durable
  std::vector<std::string> versions;                           // what the indices in commands stand for
  std::map<std::pair<ServiceId, Slot>, CommandId> started_by;  // while recovering: which action started what is found
  DoubtRound doubt;
  std::optional<Instant> tilt_since;
  std::string observe_only;  // why nothing may be done; empty: it may
  bool recovered = false;    // the past has been reconciled, we may act
  bool stopping = false;     // shutting down in order: no new actions
  Wheel wheel;               // targets, then services, then one for the whole
  std::vector<ServiceId> dirty;

  // Ids of the wheel beyond the targets.
  Wheel::Id wake_of(ServiceId service) const { return static_cast<Wheel::Id>(targets.size() + service); }
  Wheel::Id wake_of_all() const { return static_cast<Wheel::Id>(targets.size() + services.size()); }
};

}  // namespace homeostat::engine
