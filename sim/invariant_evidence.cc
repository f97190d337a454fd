// What holds for every repair: it stands on enough evidence, fresh, and not on a fault of our own.
#include <algorithm>

#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

const Dispatch* dispatch_of(const Command& command) { return std::get_if<Dispatch>(&command); }

// A ladder that a person has begun stands on no evidence.
bool on_evidence(const Story* story) {
  return story != nullptr && story->intent.origin == Origin::ladder && story->intent.by.empty();
}

/// A repair of what still runs follows a bad answer that came after whatever was done last, and that is not old.
class FreshEvidence : public Invariant {
 public:
  explicit FreshEvidence(Scene& scene) : Invariant(scene, "fresh_evidence") {}
  void commanded(const Command& command) override {
    const Dispatch* dispatch = dispatch_of(command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (!on_evidence(story)) return;
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    const ServicePlan* plan = arena().plan_of(story->service);
    if (spot.dead || plan == nullptr) return;
    bool fresh = false;
    for (CheckId id = 0; id < spot.checks.size() && id < plan->checks.size(); ++id) {
      const CheckPolicy& policy = plan->checks[id].policy;
      const Told& told = spot.checks[id];
      if (plan->checks[id].role != Role::alive || told.last_bad == kLongAgo) continue;
      const bool recent = arena().now() - told.last <= 2 * policy.interval + policy.timeout;
      fresh = fresh || (recent && told.last_bad > spot.last_deed);
    }
    expect(fresh, [&] { return words(story->intent) + " stands on old evidence"; });
  }
};

/// A verdict needs as many failures in a row as the configuration says; the end of a process is one by itself.
class ThresholdReached : public Invariant {
 public:
  explicit ThresholdReached(Scene& scene) : Invariant(scene, "failures_reach_the_threshold") {}
  void recorded(const Record& record) override {
    const auto* failing = std::get_if<IncidentFailing>(&record.body);
    if (failing == nullptr) return;
    const std::uint32_t service = arena().number_of(failing->service);
    const ServicePlan* plan = arena().plan_of(service);
    const Spot& spot = ledger().spot(service, failing->slot);
    bool verdict = spot.dead || known_dead(failing->service, failing->slot);
    for (CheckId id = 0; plan != nullptr && id < spot.checks.size() && id < plan->checks.size(); ++id) {
      verdict = verdict || (plan->checks[id].role == Role::alive && spot.checks[id].verdict);
    }
    expect(verdict, [&] { return failing->service + " was found failing by too little"; });
  }

 private:
  // Of a start whose reply was lost nobody knows; its end before that is what the verdict stands on.
  bool known_dead(const std::string& service, Slot slot) const {
    const auto& instances = arena().engine().durable().services.at(service).instances;
    const auto found = instances.find(slot);
    return found != instances.end() && found->second.state == RunState::dead;
  }
};

/// After a pause or a jump of time nothing is done on indirect evidence for a while; the checks do not catch up.
class TimeJumps : public Invariant {
 public:
  explicit TimeJumps(Scene& scene) : Invariant(scene, "time_jumps_hold_back") {}
  void given(const Input& input) override {
    if (std::holds_alternative<Gap>(input)) probes_.clear();
  }
  void commanded(const Command& command) override {
    if (ledger().last_gap() == kLongAgo) return;
    if (const auto* probe = std::get_if<Probe>(&command)) return probed(*probe);
    const Dispatch* dispatch = dispatch_of(command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (!on_evidence(story)) return;
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    if (spot.dead) return;
    for (const Told& told : spot.checks) {
      if (told.bad > 0 && told.direct) return;
    }
    expect(arena().now() >= later(ledger().last_gap(), arena().plan().tilt_least),
           [&] { return words(story->intent) + " on indirect evidence, right after a jump of time"; });
  }

 private:
  // Each target once in the moment of the return, however many of its runs were missed.
  void probed(const Probe& probe) {
    if (arena().now() > later(ledger().last_gap(), std::chrono::milliseconds(100))) return;
    if (probe.target >= probes_.size()) probes_.resize(probe.target + 1);
    ++probes_[probe.target];
    expect(probes_[probe.target] <= 2, [] { return std::string("a check catches up with the runs it missed"); });
  }
  std::vector<int> probes_;
};

/// When it is our own network that is cut, nothing that is well is disturbed.
class CutOff : public Invariant {
 public:
  explicit CutOff(Scene& scene) : Invariant(scene, "own_network_cut_disturbs_nothing") {}
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (!on_evidence(story) || !arena().cut_within(std::chrono::minutes(1), deed.service)) return;
    if (deed.op != Op::stop && deed.op != Op::restart) return;
    // Where only a few services run nobody can tell whose fault it is.
    if (running_beyond() < 2 * arena().plan().doubt_roots) return;
    const bool own = arena().now() - ledger().spot(deed.service, deed.slot).own_fault < std::chrono::minutes(2);
    expect(!deed.was_well || own, [&] { return words(story->intent) + " although only our own network was cut"; });
  }

 private:
  // So many are on the other side of the cut.
  std::size_t running_beyond() const {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < arena().services().size(); ++i) {
      const auto& places = arena().services()[i].places;
      const bool runs = std::ranges::any_of(places, [](const ArenaPlace& place) { return place.alive; });
      if (runs && arena().cut_within(std::chrono::minutes(1), i)) ++count;
    }
    return count;
  }
};

/// An action is a success only when every check of the place has seen it well since.
class VerifiedIsSeen : public Invariant {
 public:
  explicit VerifiedIsSeen(Scene& scene) : Invariant(scene, "a_success_was_seen") {}
  void recorded(const Record& record) override {
    const auto* verified = std::get_if<Verified>(&record.body);
    const Story* story = verified == nullptr || !verified->ok ? nullptr : ledger().find(verified->id);
    const ServicePlan* plan = story == nullptr ? nullptr : arena().plan_of(story->service);
    if (plan == nullptr || story->intent.op == Op::stop || story->intent.slot < 0) return;
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    for (CheckId id = 0; id < plan->checks.size(); ++id) {
      const CheckPlan& check = plan->checks[id];
      if (check.role != Role::alive || check.scope != Scope::instance || check.process) continue;
      const bool good = id < spot.checks.size() && spot.checks[id].last_good >= spot.last_deed;
      expect(good, [&] {
        return words(story->intent) + " is called a success, and " + check.name + " has not seen it well";
      });
    }
  }
};

/// What a failing dependency explains is not acted on: its repair waits until that one is well, or was tried in vain.
class WhoWaits : public Invariant {
 public:
  explicit WhoWaits(Scene& scene) : Invariant(scene, "who_is_excused_is_left_alone") {}
  void recorded(const Record& record) override {
    const auto* intent = std::get_if<Intent>(&record.body);
    if (intent == nullptr || intent->origin != Origin::ladder || intent->incident == 0) return;
    const ServicePlan* plan = arena().plan_of(arena().number_of(intent->service));
    if (plan == nullptr) return;
    for (const Need& need : plan->depends_on) {
      if (need.tie == diagnosis::Tie::soft || need.any_of != 0) continue;
      const ServicePlan& other = arena().plan().services[need.service];
      expect(plan->instances != 1 || !fails(other),
             [&] { return words(*intent) + " although " + other.name + " fails, which it needs"; });
    }
  }

 private:
  // All of it, and nothing has been tried in vain.
  bool fails(const ServicePlan& plan) const {
    const std::uint32_t number = arena().number_of(plan.name);
    if (plan.instances != 1 || arena().plan_of(number) == nullptr) return false;
    const Spot& spot = ledger().spot(number, 0);
    if (spot.ladder.rounds > 0) return false;
    // What was not reached through a network that is cut is no failure of its own.
    if (!spot.dead && arena().cut_within(std::chrono::minutes(1), number)) return false;
    bool fails = spot.dead;
    for (CheckId id = 0; id < spot.checks.size() && id < plan.checks.size(); ++id) {
      const bool proved = spot.checks[id].good >= plan.checks[id].policy.success_threshold;
      fails = fails || (plan.checks[id].role == Role::alive && spot.checks[id].verdict && !proved);
    }
    return fails;
  }
};

}  // namespace

void add_evidence_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<FreshEvidence>(scene));
  out.push_back(std::make_unique<ThresholdReached>(scene));
  out.push_back(std::make_unique<TimeJumps>(scene));
  out.push_back(std::make_unique<CutOff>(scene));
  out.push_back(std::make_unique<VerifiedIsSeen>(scene));
  out.push_back(std::make_unique<WhoWaits>(scene));
}

}  // namespace homeostat::sim
