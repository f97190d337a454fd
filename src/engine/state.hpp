// The engine's whole state: the plan, what is durable, and what is only true while we run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "engine/command.hpp"
#include "engine/durable.hpp"
#include "engine/input.hpp"
#include "engine/wheel.hpp"
#include "homeostat/breaker_machine.hpp"
#include "homeostat/canary.hpp"
#include "homeostat/diagnosis.hpp"
#include "homeostat/random.hpp"

namespace homeostat::engine {

/// Whether a run of a check is being waited for. `overdue`: it had not ended when the next was due.
enum class Flight : std::uint8_t { none, running, overdue };

/// One (check, instance) pair, or a prerequisite that has to be looked at. The engine touches one of these for every
/// result, so it is kept small.
struct Target {
  Health health;
  Instant scheduled = kLongAgo;  // grid point of the run in flight, or of the last one
  Instant fast_anchor = kNever;  // where the fast grid begins; kNever: on the regular grid
  std::uint32_t phase = 0;       // in units of kSlack
  std::uint32_t policy = 0;      // index into PlanIndex::policies
  ServiceId service = 0;
  CheckId check = kNone;  // kNone: a prerequisite
  std::uint32_t run = 0;
  std::int16_t slot = kWhole;  // a Slot; there are at most 10,000
  Flight flight = Flight::none;
  bool active = false;  // its instance runs (or need not), so it is looked at
  static constexpr auto fields = [](auto& self, auto& v) {
    v("health", self.health);
    v("scheduled", self.scheduled);
    v("fast_anchor", self.fast_anchor);
    v("phase", self.phase);
    v("service", self.service);
    v("check", self.check);
    v("run", self.run);
    v("slot", self.slot);
    v("flight", self.flight);
    v("active", self.active);
  };
};
static_assert(sizeof(Target) <= 96);

/// The checks of one place: neighbours in the table of targets.
struct TargetRange {
  TargetId first = 0;
  std::uint16_t count = 0;
  auto begin() const { return std::views::iota(first, first + count).begin(); }
  auto end() const { return std::views::iota(first, first + count).end(); }
  static constexpr auto fields = [](auto& self, auto& v) {
    v("first", self.first);
    v("count", self.count);
  };
};

/// The action under way on one place.
struct Acting {
  CommandId id;
  bool dispatched = false;    // it has been handed to the runtime
  Instant deadline = kNever;  // of the dispatch, of the verification, or of the approval
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("dispatched", self.dispatched);
    v("deadline", self.deadline);
  };
};

/// What is volatile about one place of a service: an instance, or the service as a whole (kWhole).
struct Place {
  Boxed<Acting> action;  // mostly there is none
  Instant last_effect = kLongAgo;
  Instant up_since = kLongAgo;                  // while it is well
  [[no_unique_address]] TargetRange targets{};  // its checks, in the plan's order; two of its bytes are free for the
  std::int16_t slot = kWhole;                   // Slot

  CommandId action_id() const { return action ? action->id : CommandId{}; }
  static constexpr auto fields = [](auto& self, auto& v) {
    v("slot", self.slot);
    v("targets", self.targets);
    v("action", self.action);
    v("last_effect", self.last_effect);
    v("up_since", self.up_since);
  };
};
static_assert(sizeof(Place) <= 32);

/// Names one place of one service.
struct PlaceId {
  ServiceId service = 0;
  Slot slot = kWhole;
  friend auto operator<=>(const PlaceId&, const PlaceId&) = default;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
  };
};

/// What one rule of the autoscaler recommends, for people.
struct ScalingAdvice {
  std::string id;
  std::int32_t current = 0;
  std::int32_t desired = 0;
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::int64_t utilisation = -1;  // measured / target in thousandths; -1: nothing was measured
  std::string why_not;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("current", self.current);
    v("desired", self.desired);
    v("min", self.min);
    v("max", self.max);
    v("utilisation", self.utilisation);
    v("why_not", self.why_not);
  };
};

/// The autoscaler of one service between two decisions, and the last of them in words.
struct LiveScaling {
  Instant next_at = kLongAgo;  // it measures then
  Instant began = kLongAgo;
  std::uint32_t round = 0;
  bool measuring = false;
  bool handed_over = false;           // somebody was told that more instances do not help
  bool unanswered = false;            // … or that nobody has approved what was asked for
  std::vector<LocalMinutes> local{};  // the time in the zone of each schedule, at `local_at`
  Instant local_at = kLongAgo;
  std::int32_t desired = 0;
  std::int32_t min = 0;  // by the hour
  std::int32_t max = 0;
  std::string sentence;
  std::vector<ScalingAdvice> advice;
  std::vector<CommandId> asked;     // while it measures, of each metric: the call that its breaker admitted
  std::vector<std::string> held;    // … or why it did not
  std::vector<std::string> failed;  // of each metric: why it failed when it was asked last
  static constexpr auto fields = [](auto& self, auto& v) {
    v("next_at", self.next_at);
    v("began", self.began);
    v("round", self.round);
    v("measuring", self.measuring);
    v("handed_over", self.handed_over);
    v("unanswered", self.unanswered);
    v("local", self.local);
    v("local_at", self.local_at);
    v("desired", self.desired);
    v("min", self.min);
    v("max", self.max);
    v("sentence", self.sentence);
    v("advice", self.advice);
    v("asked", self.asked);
    v("held", self.held);
    v("failed", self.failed);
  };
};

/// What the proxy does with the requests of a service whose rollouts it leads.
struct LiveTraffic {
  Instant next_at = kLongAgo;  // it is looked at then
  Instant began = kLongAgo;
  std::uint32_t round = 0;
  bool looking = false;
  CommandId asked{};              // the look that its breaker admitted
  bool seen = false;              // since Homeostat started
  bool holds = false;             // it divides them as it was last told to, read back
  Instant told_at = kLongAgo;     // when it was told last; what was asked for before says nothing
  Instant not_before = kLongAgo;  // … and when it may be told again after it refused
  std::uint32_t refusals = 0;
  std::string fault{};            // why it could not be looked at
  std::string refused{};          // why it could not be told
  Instant unwell_since = kNever;  // one of the two has been so since then
  std::vector<PlaceTraffic> places{};
  Instant seen_at = kLongAgo;  // of `places`
  // Since the stage bakes: how the requests are really divided, and when the response time of each place was taken.
  std::uint64_t requests = 0;
  std::uint64_t requests_fresh = 0;
  FlatMap<Slot, std::uint64_t> timed{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("next_at", self.next_at);
    v("began", self.began);
    v("round", self.round);
    v("looking", self.looking);
    v("asked", self.asked);
    v("seen", self.seen);
    v("holds", self.holds);
    v("told_at", self.told_at);
    v("not_before", self.not_before);
    v("refusals", self.refusals);
    v("fault", self.fault);
    v("refused", self.refused);
    v("unwell_since", self.unwell_since);
    v("places", self.places);
    v("seen_at", self.seen_at);
    v("requests", self.requests);
    v("requests_fresh", self.requests_fresh);
    v("timed", self.timed);
  };
};

/// What is asked of the sources of a rollout's judge.
struct LiveSources {
  Instant next_at = kLongAgo;
  Instant began = kLongAgo;
  std::uint32_t round = 0;
  bool measuring = false;
  std::string fault{};
  std::vector<VersionSample> last{};  // of numbers that only grow: what they were before
  static constexpr auto fields = [](auto& self, auto& v) {
    v("next_at", self.next_at);
    v("began", self.began);
    v("round", self.round);
    v("measuring", self.measuring);
    v("fault", self.fault);
    v("last", self.last);
  };
};

/// A gate of the rollout's stage that somebody outside decides.
struct LiveGate {
  CommandId asked;           // none: it is not being asked
  Instant began = kLongAgo;  // when it was last asked
  Instant next_at = kLongAgo;
  std::optional<GateAnswered> answer{};  // that has not been looked at
  static constexpr auto fields = [](auto& self, auto& v) {
    v("asked", self.asked);
    v("began", self.began);
    v("next_at", self.next_at);
    v("answer", self.answer);
  };
};
struct LiveGates {
  std::vector<LiveGate> gates{};  // of the plan's
  static constexpr auto fields = [](auto& self, auto& v) { v("gates", self.gates); };
};

/// So many sources of pushed samples are told apart.
inline constexpr std::size_t kMostTellers = 64;

struct LiveService {
  std::uint32_t scale_told = kUntold;  // instances that the exec runtime was last told to make
  Status status = Status::unknown;
  Status serving = Status::unknown;  // the same without `critical`, which says nothing of whether it serves
  bool dirty = false;
  bool goes_unseen = false;            // a person wants the rollout to go on though nobody can see
  bool judge_news = false;             // the judge has heard something since it was last written down
  std::vector<Place> places;           // slot 0 … instances-1, then kWhole
  FlatMap<Slot, std::string> skipped;  // of a place: the last rung that was skipped, and why
  FlatMap<Slot, Instant>
      judge_at;  // of a place: a repair that is no action there (a rolling one, a shadow's) is judged
  FlatMap<Slot, Instant> waits_since;  // of a place: its repair, without a reason that is known; kNever: with one
  Few<TargetId> prerequisites;         // one a plan's prerequisite; kNone where nothing has to be looked at
  Instant stable_from = kNever;        // since when all of it is well on one version
  Instant scale_not_before = kLongAgo;
  Boxed<LiveScaling> scaling;                // where the plan has one
  Boxed<canary::Judge> judge;                // of the rollout's stage, while it bakes
  Instant judge_kept = kLongAgo;             // when it was last written down
  Instant judge_since = kLongAgo;            // when it began
  FlatMap<std::string, std::uint64_t> told;  // by whom: the number of the samples that were told last
  Boxed<LiveGates> gates;                    // of the rollout's stage, while it bakes
  Boxed<LiveSources> judged;                 // … that is told by sources
  Boxed<LiveTraffic> traffic;                // where a proxy leads the requests of rollouts
  static constexpr auto fields = [](auto& self, auto& v) {
    v("status", self.status);
    v("serving", self.serving);
    v("goes_unseen", self.goes_unseen);
    v("places", self.places);
    v("skipped", self.skipped);
    v("judge_at", self.judge_at);
    v("waits_since", self.waits_since);
    v("prerequisites", self.prerequisites);
    v("stable_from", self.stable_from);
    v("scale_told", self.scale_told);
    v("scale_not_before", self.scale_not_before);
    v("dirty", self.dirty);
    v("scaling", self.scaling);
    v("judge", self.judge);
    v("judge_kept", self.judge_kept);
    v("judge_news", self.judge_news);
    v("judge_since", self.judge_since);
    v("told", self.told);
    v("gates", self.gates);
    v("judged", self.judged);
    v("traffic", self.traffic);
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
  FlatSet<ServiceId> asking;      // whom the verdict lets go on
  bool doubtful = false;          // the last verdict
  Instant cleared = kLongAgo;     // the round that ended the last doubt began then
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
    v("asking", self.asking);
    v("doubtful", self.doubtful);
    v("cleared", self.cleared);
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
  Instant next_at = kLongAgo;  // it runs then; while it is in flight: it counts as failed then
  static constexpr auto fields = [](auto& self, auto& v) {
    v("in_flight", self.in_flight);
    v("next_at", self.next_at);
  };
};

/// The breaker before something that has been called.
struct LiveBreaker {
  BreakerMachine machine{dependency_breaker()};
  std::uint64_t identity = 0;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("machine", self.machine);
    v("identity", self.identity);
  };
};

/// A call that a breaker has admitted and that has not been answered.
struct BreakerCall {
  std::string breaker;
  BreakerMachine::Ticket ticket;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("breaker", self.breaker);
    v("ticket", self.ticket);
  };
};

/// What the clocks on the wall show, as far as windows of maintenance depend on them.
struct WallClocks {
  std::uint32_t round = 0;
  bool asked = false;
  bool known = false;  // since the start, the reload, or a gap in time
  Instant asked_at = kLongAgo;
  Instant next_at = kLongAgo;  // they are read again then
  Instant at = kLongAgo;       // when they showed this:
  std::int64_t wall_ns = 0;
  std::vector<LocalMinutes> local{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("round", self.round);
    v("asked", self.asked);
    v("known", self.known);
    v("asked_at", self.asked_at);
    v("next_at", self.next_at);
    v("at", self.at);
    v("wall_ns", self.wall_ns);
    v("local", self.local);
  };
};

/// Finds the cause among the failing services; nothing of it is remembered from one step to the next.
struct Diagnosing {
  std::optional<diagnosis::Diagnosis> machine;  // where any service needs another
  std::vector<diagnosis::Evidence> evidence;
  diagnosis::Report report;
};

/// While the runtime of a place forbids to act on it.
struct RuntimeHold {
  std::string why;
  bool blind = false;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("why", self.why);
    v("blind", self.blind);
  };
};

/// What is searched for at every step, found once a plan (index.hpp).
struct PlanIndex {
  std::vector<CheckPolicy> policies;                       // every distinct one
  std::vector<ServiceId> by_name;                          // the services, in order of their names
  std::vector<ServiceState*> facts;                        // what is durable about each service
  std::map<ServiceId, std::vector<ServiceId>> dependents;  // who depends on it, or needs it for a prerequisite
  std::uint64_t instances = 0;                             // planned in all
  std::vector<std::uint64_t> of_group;                     // … of each group
  std::vector<ServiceId> elastic;                          // of which not all instances are always needed
  std::vector<ServiceId> windowed;                         // that have windows of maintenance of their own
  Diagnosing diagnosing;
};

struct State {
  Plan plan;  // not part of the snapshot: the input log holds the configuration's text
  PlanIndex index;
  Durable durable;
  Random random;
  std::uint64_t next_counter = 1;
  std::uint64_t durable_seq = 0;
  std::vector<Target> targets;
  std::vector<LiveService> services;
  std::deque<Waiting> waiting;
  std::map<CommandId, Notifying> notifying;  // escalations whose record is durable
  std::map<std::string, LiveBreaker> breakers;
  std::map<CommandId, BreakerCall> calls;   // actions and escalations
  std::vector<std::string> versions;        // what the indices in commands stand for
  std::map<PlaceId, CommandId> started_by;  // while recovering: which action started what is found
  std::map<PlaceId, RuntimeHold> runtime_holds;
  FlatSet<CommandId> unsettled{};  // a life of ours died in the middle of them, and their runtime is still at work
  DoubtRound doubt;
  WallClocks clocks;
  /// At least every place that fails or could not be reached lately, and when it could not for the last time.
  std::map<PlaceId, Instant> suspects;
  /// Services whose failure another one explains, until their incident ends: when that one is well again, they are left
  /// alone until then (kNever: it still fails).
  std::map<std::string, Instant> excused;
  std::optional<Instant> unsure_since;  // while we are: in doubt of our network, or after a jump of time
  std::optional<Instant> tilt_since;
  std::string observe_only;  // why nothing may be done; empty: it may
  bool defect = false;       // … because something is not as it must be
  bool recovered = false;    // the past has been reconciled, we may act
  bool stopping = false;     // shutting down in order: no new actions
  Wheel wheel;               // targets, then services, then one for the whole
  std::vector<ServiceId> dirty;

  Place& place(ServiceId id, Slot slot) {
    auto& places = services[id].places;
    return slot < 0 ? places.back() : places[static_cast<std::size_t>(slot)];
  }
  // Ids of the wheel beyond the targets.
  Wheel::Id wake_of(ServiceId service) const { return static_cast<Wheel::Id>(targets.size() + service); }
  Wheel::Id wake_of_all() const { return static_cast<Wheel::Id>(targets.size() + services.size()); }
};

}  // namespace homeostat::engine
