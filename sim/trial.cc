#include "sim/trial.hpp"

#include <algorithm>

#include "sim/judge.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

/// Which faults a seed has, and how often each: some seeds know three kinds, some know twenty.
std::vector<Fault> swarm(Random& random) {
  std::vector<Fault> weighted;
  std::size_t kinds = 0;
  const std::uint64_t share = 10 + random.below(50);
  while (kinds < 3) {
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (random.below(100) >= share) continue;
      ++kinds;
      const std::uint64_t weight = 1 + random.below(4);
      weighted.insert(weighted.end(), weight, static_cast<Fault>(i));
    }
  }
  return weighted;
}

class Run {
 public:
  explicit Run(const Trial& trial) : trial_(trial), arena_(fleet_of(trial, 0)), judge_(arena_) {
    // The arena numbers the services that are there; events name those of the whole fleet.
    std::uint32_t number = 0;
    for (std::uint32_t i = 0; i < kFleet; ++i) {
      const bool out = i < trial.left_out.size() && trial.left_out[i];
      numbers_.push_back(out ? kNone : number++);
    }
  }

  TrialResult run() {
    begun_ = arena_.now();
    arena_.boot();
    for (const FaultEvent& event : trial_.faults) {
      arena_.run_until(later(begun_, event.at + arena_.slept()));
      if (!held()) return result();
      strike_one(event);
    }
    arena_.run_until(later(begun_, kFaultTime + arena_.slept()));
    if (held()) settle();
    return result();
  }

 private:
  bool held() const { return judge_.scene().broken.empty(); }

  void strike_one(FaultEvent event) {
    event.service = numbers_[event.service];
    if (event.service == kNone) return;
    const bool fired = event.fault == Fault::reload ? reload(event.amount) : strike(arena_, event);
    if (fired) ++result_.fired[static_cast<std::size_t>(event.fault)];
  }

  bool reload(std::uint64_t variant) {
    if (arena_.paused()) return false;
    arena_.reload(fleet_of(trial_, variant));
    return arena_.alive();
  }

  void tell_all(Verb verb) {
    Operator in;
    in.verb = verb;
    in.by = "peace";
    arena_.tell(in);
    if (verb != Verb::resume) return;
    for (const ArenaService& service : arena_.services()) {
      in.service = service.name;
      in.verb = verb;
      arena_.tell(in);
      in.verb = Verb::rollout_resume;
      arena_.tell(in);
    }
  }

  void end_maintenance() {
    Operator in;
    in.verb = Verb::maintenance_end;
    in.by = "peace";
    arena_.tell(in);
    for (const ArenaService& service : arena_.services()) {
      in.service = service.name;
      arena_.tell(in);
    }
  }

  void thaw_rollouts() {
    if (!arena_.alive()) return;
    Operator in;
    in.verb = Verb::rollout_resume;
    in.by = "peace";
    for (const ServicePlan& plan : arena_.plan().services) {
      const auto& rollout = arena_.engine().durable().services.at(plan.name).rollout;
      in.service = plan.name;
      if (rollout && !rollout->frozen.empty()) arena_.tell(in);
    }
  }

  void let_scale() {
    Operator in;
    in.by = "peace";
    in.count = -1;
    for (const ServicePlan& plan : arena_.plan().services) {
      in.service = plan.name;
      for (const Verb verb : {Verb::scale, Verb::freeze}) {
        in.verb = verb;
        if (plan.scaling) arena_.tell(in);
      }
    }
  }

  void start_stopped() {
    if (!arena_.alive()) return;
    Operator in;
    in.verb = Verb::start;
    in.by = "peace";
    for (const ServicePlan& plan : arena_.plan().services) {
      const ServiceState& state = arena_.engine().durable().services.at(plan.name);
      in.service = plan.name;
      if (state.stopped || !state.stopped_slots.empty()) arena_.tell(in);
    }
  }

  // The faults end. People resume, unlock and start what they had stopped; the rest is the engine's.
  void settle() {
    arena_.peace();
    arena_.run_for(75s);  // what is down comes up, what is paused goes on, what was late is done
    if (!held()) return;
    Plan plan = fleet_of(trial_, 0);
    for (ServicePlan& service : plan.services) service.mode = Mode::act;
    arena_.reload(std::move(plan));
    // One that only observes, since it lost its journal, is restarted by whoever was told.
    const bool observes = arena_.alive() && !arena_.engine().state().observe_only.empty();
    if (observes || trial_.seed % 2 == 0) arena_.kill(0, 1s);
    arena_.run_for(2s);
    tell_all(Verb::resume);
    end_maintenance();
    tell_all(Verb::unlock);
    let_scale();
    start_stopped();
    // The fleet may have a budget of three actions in two minutes, and everything may have been asked to restart.
    const Instant most = later(arena_.now(), 80min);
    // Who waits for an action that never answers is told after ten minutes, and unlocks its target; a rollout that
    // waited for it in vain is frozen.
    while (held() && arena_.now() < most && !judge_.at_rest()) {
      arena_.run_for(20s);
      tell_all(Verb::unlock);
      thaw_rollouts();
    }
    if (held()) judge_.rested();
  }

  TrialResult result() {
    result_.broken = judge_.scene().broken;
    result_.how = judge_.scene().how;
    result_.at = arena_.now() - begun_;
    result_.simulated = result_.at - arena_.slept();
    result_.inputs = arena_.inputs();
    result_.trace = arena_.trace();
    for (const auto& invariant : judge_.invariants()) result_.tested.push_back(invariant->tested());
    if (!held()) result_.records = arena_.records();
    return result_;
  }

  const Trial& trial_;
  Arena arena_;
  Judge judge_;
  Instant begun_{};
  std::vector<std::uint32_t> numbers_;
  TrialResult result_;
};

}  // namespace

Trial make_trial(std::uint64_t seed) {
  Trial trial;
  trial.seed = seed;
  Random random(Random::mix(seed));
  const std::vector<Fault> faults = swarm(random);
  const std::uint64_t pace = 2000 + random.below(20000);  // milliseconds between faults, in the mean
  for (Duration at = 20s; at < kFaultTime;) {
    FaultEvent event;
    event.at = at;
    event.fault = faults[random.below(faults.size())];
    event.service = static_cast<std::uint32_t>(random.below(kFleet));
    event.slot = random.below(3) == 0 ? static_cast<Slot>(random.below(3)) : 0;
    event.span = 100ms * static_cast<std::int64_t>(10 + random.below(900));
    event.amount = random.next() >> 32;
    trial.faults.push_back(event);
    at += 1ms * static_cast<std::int64_t>(random.below(2 * pace));
  }
  return trial;
}

TrialResult run_trial(const Trial& trial) { return Run(trial).run(); }

std::vector<std::string_view> invariant_names() {
  Arena arena{Plan{}};
  const Judge judge(arena);
  std::vector<std::string_view> names;
  for (const auto& invariant : judge.invariants()) names.push_back(invariant->name());
  return names;
}

}  // namespace homeostat::sim
