#include "engine/looking.hpp"

#include "core/planted.hpp"
#include "engine/doubt.hpp"
#include "engine/engine.hpp"
#include "engine/index.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::engine {
namespace {

// A run whose end nobody told us about ends after twice that at the latest, so that a check cannot be lost for ever.
constexpr Duration kLostAfter = std::chrono::seconds(10);

const CheckPolicy& policy_of(const State& s, const Target& target) { return s.index.policies[target.policy]; }

void set_due(State& s, TargetId id, Instant at) {
  s.targets[id].scheduled = at;
  s.wheel.set(id, at);
}

// The next run of a check that is looked at by the grid; kNever: it is looked at on demand, or not at all.
Instant next_run(const Turn& t, const Target& target, const CheckPolicy& policy) {
  if (target.check == kNone || !target.active) return kNever;
  if (target.fast_anchor != kNever) return next_on_grid(target.fast_anchor, policy.fast_interval, t.now);
  return next_on_grid(Instant(kSlack * target.phase), policy.interval, t.now);
}

void schedule_next(Turn& t, TargetId id) {
  Target& target = t.s.targets[id];
  if (target.check == kNone || !target.active) return;
  const CheckPolicy& policy = policy_of(t.s, target);
  if (!target.health.wants_fast(policy))
    target.fast_anchor = kNever;
  else if (target.fast_anchor == kNever)
    target.fast_anchor = target.scheduled;
  set_due(t.s, id, next_run(t, target, policy));
}

// A run almost always ends before the next is due: with that as the deadline the wheel is turned once a run.
void run(Turn& t, TargetId id) {
  Target& target = t.s.targets[id];
  const CheckPolicy& policy = policy_of(t.s, target);
  ++target.run;
  target.flight = Flight::running;
  t.s.wheel.set(id, std::min(next_run(t, target, policy), later(t.now, policy.timeout + kLostAfter)));
  t.command(Probe{id, target.run, target.scheduled});
}

void drop_run(Target& target) {
  ++target.run;
  target.flight = Flight::none;
}

// True while a run that is still in flight when its deadline comes may yet be answered.
bool wait_longer(Turn& t, TargetId id) {
  Target& target = t.s.targets[id];
  if (target.flight == Flight::overdue) return false;
  target.flight = Flight::overdue;
  t.s.wheel.set(id, later(t.now, policy_of(t.s, target).timeout + kLostAfter));
  return true;
}

void record_change(Turn& t, const Target& target, const HealthChange& change) {
  if (!change.verdict && !change.recovered && !change.flapping_changed) return;
  const CheckPlan& check = t.plan(target.service).checks[target.check];
  t.record(StatusChanged{t.plan(target.service).name, check.name, target.slot, std::string(to_string(change.from)),
                         std::string(to_string(change.to)), explain(target.health.last()), target.health.flapping()});
}

void take(Turn& t, TargetId id, const Observation& seen) {
  Target& target = t.s.targets[id];
  if (seen.bad() && target.check != kNone) suspect(t, target, seen);
  const HealthChange change = target.health.observe(policy_of(t.s, target), seen, t.now);
  schedule_next(t, id);
  if (t.s.doubt.running) doubt_observed(t, id);
  if (target.check == kNone) return t.mark(target.service);
  if (!change.any()) return;
  record_change(t, target, change);
  t.mark(target.service);
}

Target make_target(const State& s, ServiceId service, CheckId check, Slot slot) {
  Target target;
  target.service = service;
  target.check = check;
  target.slot = static_cast<std::int16_t>(slot);
  target.run = static_cast<std::uint32_t>(s.plan.generation << 20);  // runs of an older plan are not mistaken
  const ServicePlan& plan = s.plan.services[service];
  if (check == kNone) return target;
  const std::uint64_t name = hash_name(plan.checks[check].name, hash_name(plan.name));
  const Duration phase =
      phase_of(name + static_cast<std::uint64_t>(slot + 1), s.plan.seed, plan.checks[check].policy.interval);
  target.phase = static_cast<std::uint32_t>(phase / kSlack);
  return target;
}

void add_place(State& s, ServiceId id, Slot slot) {
  const ServicePlan& plan = s.plan.services[id];
  Place place;
  place.slot = static_cast<std::int16_t>(slot);
  place.targets.first = static_cast<TargetId>(s.targets.size());
  for (CheckId check = 0; check < plan.checks.size(); ++check) {
    if ((plan.checks[check].scope == Scope::service) != (slot == kWhole)) continue;
    ++place.targets.count;
    s.targets.push_back(make_target(s, id, check, slot));
  }
  s.services[id].places.push_back(place);
}

// Instances beyond the planned number that still run keep a place until they are stopped.
Slot places_needed(const State& s, const ServicePlan& plan) {
  auto needed = static_cast<Slot>(plan.instances);
  const auto known = s.durable.services.find(plan.name);
  if (known == s.durable.services.end()) return needed;
  for (const auto& [slot, instance] : known->second.instances) {
    if (instance.state == RunState::running) needed = std::max(needed, slot + 1);
  }
  for (const auto& [id, action] : s.durable.actions) {  // what may be starting just now
    if (action.intent.service == plan.name) needed = std::max(needed, action.intent.slot + 1);
  }
  return needed;
}

}  // namespace

void build_targets(State& s) {
  s.targets.clear();
  s.services.assign(s.plan.services.size(), {});
  for (ServiceId id = 0; id < s.plan.services.size(); ++id) {
    const ServicePlan& plan = s.plan.services[id];
    const Slot slots = places_needed(s, plan);
    s.services[id].places.reserve(static_cast<std::size_t>(slots) + 1);
    for (Slot slot = 0; slot < slots; ++slot) add_place(s, id, slot);
    add_place(s, id, kWhole);
    for (const Prerequisite& prerequisite : plan.prerequisites) {
      TargetId look = kNone;
      if (prerequisite.probe != kNone) {
        look = static_cast<TargetId>(s.targets.size());
        s.targets.push_back(make_target(s, id, kNone, kWhole));
        s.targets.back().active = true;
      }
      s.services[id].prerequisites.push_back(look);
    }
  }
  s.targets.shrink_to_fit();
  s.wheel = Wheel(s.targets.size() + s.services.size() + 1);
  index_plan(s);
}

void target_due(Turn& t, TargetId id) {
  Target& target = t.s.targets[id];
  if (!target.active) return;
  if (target.flight != Flight::none) {
    if (wait_longer(t, id)) return;
    drop_run(target);
    return take(t, id, Observation{Result::unknown, Reason::internal, 0, {}});
  }
  // Late by a whole interval (we were stopped): wait for the own grid point, or all would run at once.
  const CheckPolicy& policy = policy_of(t.s, target);
  if (t.now - target.scheduled >= policy.interval) return schedule_next(t, id);
  run(t, id);
}

void observed(Turn& t, const Observed& in) {
  if (in.target >= t.s.targets.size()) return;
  Target& target = t.s.targets[in.target];
  if (target.flight == Flight::none || in.run != target.run) return;
  target.flight = Flight::none;
  take(t, in.target, in.seen);
}

void look_now(Turn& t, TargetId id) {
  Target& target = t.s.targets[id];
  if ((target.flight != Flight::none && !planted(Bug::runs_twice)) || !target.active) return;
  target.scheduled = t.now;
  run(t, id);
}

void begin_startup(Turn& t, ServiceId, Place& place) {
  for (const TargetId id : place.targets) {
    Target& target = t.s.targets[id];
    if (target.flight != Flight::none) drop_run(target);
    target.health.begin_startup(t.now);
    target.active = true;
    target.fast_anchor = t.now;
    set_due(t.s, id, t.now);
  }
}

void begin_looking(Turn& t, Place& place) {
  for (const TargetId id : place.targets) {
    Target& target = t.s.targets[id];
    if (target.flight != Flight::none) drop_run(target);
    target.active = true;
    target.fast_anchor = kNever;
    schedule_next(t, id);
  }
}

void stop_looking(Turn& t, Place& place) {
  for (const TargetId id : place.targets) {
    Target& target = t.s.targets[id];
    drop_run(target);
    target.active = false;
    t.s.wheel.set(id, kNever);
    if (t.s.doubt.running) doubt_gone(t, id);
  }
}

void forget_health(Turn& t, Place& place) {
  for (const TargetId id : place.targets) t.s.targets[id].health.forget();
}

void forget_seen(Target& target, Instant now) {
  const bool starting = target.health.starting();
  target.health.forget();
  if (starting) target.health.begin_startup(now);
}

void process_ended(Turn& t, ServiceId id, Place& place, const Observation& seen) {
  for (const TargetId target : place.targets) {
    if (t.plan(id).checks[t.s.targets[target].check].process) take(t, target, seen);
  }
  stop_looking(t, place);
  t.mark(id);
}

}  // namespace homeostat::engine
