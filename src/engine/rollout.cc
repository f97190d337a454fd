#include "engine/rollout.hpp"

#include <algorithm>

#include "core/planted.hpp"
#include "engine/doubt.hpp"
#include "engine/ejection.hpp"
#include "engine/escalate.hpp"
#include "engine/evaluate.hpp"
#include "engine/gates.hpp"
#include "engine/maintenance.hpp"
#include "engine/operations.hpp"
#include "engine/resources.hpp"
#include "engine/rollout_gates.hpp"
#include "engine/rollout_judge.hpp"
#include "engine/rollout_places.hpp"
#include "engine/status.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

void save_as(Turn& t, ServiceId id, const rollout::State& state, const RolloutPlaces& places, const std::string& by,
             std::string words) {
  t.record(RolloutMoved{t.plan(id).name,
                        state,
                        {places.spare.begin(), places.spare.end()},
                        places.versions,
                        std::move(words),
                        by,
                        {places.baseline.begin(), places.baseline.end()}});
  t.mark(id);
}

void save(Turn& t, ServiceId id, const rollout::State& state, const RolloutPlaces& places, const std::string& by) {
  save_as(t, id, state, places, by, explain(t.plan(id).rollout->policy, state));
}

// A step is for certain places; a person may have stopped one of them since.
RolloutPlaces places_for(Turn& t, ServiceId id, const rollout::State& state) {
  return state.step ? assign_places(t, id, state, state.step->to) : rollout_places(t, id);
}

void recall(Turn& t, ServiceId id) {
  const rollout::State state = *t.durable(id).rollout;
  if (recall_judge(t, id, state)) return;
  save_as(t, id, state, rollout_places(t, id), "",
          "the judge of " + state.to + " begins anew: what it compares was changed in the configuration");
}

/// A reason against the new version, as one instance of it shows it; empty: none.
std::string evidence_in(Turn& t, ServiceId id, const Place& place) {
  const View view = doubted_view(t, id, place.slot);
  if (!view.failing || view.recovering || (t.s.tilt_since && !view.direct)) return {};
  return t.plan(id).name + "/" + std::to_string(place.slot) + " fails: " + reason_of(t, id, place, view);
}

// What the proxy has counted; a version that is being tried again has not failed again.
std::string requests_against(Turn& t, ServiceId id) {
  const auto out = version_ejection(t.s, id);
  return out && !out->trial ? "the proxy sees it fail: " + out->evidence : std::string();
}

// It has been bad since it was good last, if not often enough for a verdict yet.
bool has_begun_to_fail(Turn& t, ServiceId id, const Place& place) {
  return std::ranges::any_of(place.targets, [&](TargetId one) {
    const Target& target = t.s.targets[one];
    return t.plan(id).checks[target.check].role == Role::alive && target.health.failures() > 0;
  });
}

// Where the old version fails as well, or cannot be reached either, the new one is not to blame; nor for what began
// before the old one was well again.
bool fails_together(Turn& t, ServiceId id, const rollout::State& state, const View& view) {
  // What hits both at once is not seen of both at once.
  const bool checked = view.check != kNone;
  const CheckPolicy policy =
      checked ? t.plan(id).checks[view.check].policy : CheckPolicy{.interval = {}, .timeout = {}};
  const Instant began = view.first_failure == kNever ? kNever : view.first_failure - policy.interval - policy.timeout;
  bool any = false;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot) || runs_new(t, id, place.slot, state)) continue;
    const View old = doubted_view(t, id, place.slot);
    const bool well = !old.failing && !old.unknown && place.up_since != kLongAgo && !has_begun_to_fail(t, id, place);
    if (well && place.up_since <= began) return false;
    any = true;
  }
  return any;
}

// Like a repair, a way back on what could not be reached waits until our own network has been looked at.
bool not_our_fault(Turn& t, ServiceId id, const View& view) {
  const auto hold = doubt_gate(t, id, view.first_failure, view.last_seen);
  if (hold) t.wake_at(hold->retry);
  return !hold;
}

std::string evidence(Turn& t, ServiceId id, const rollout::State& state) {
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot) || !runs_new(t, id, place.slot, state)) continue;
    std::string against = evidence_in(t, id, place);
    if (against.empty()) continue;
    const View view = view_of(t, id, place.slot);
    if (view.direct || (!fails_together(t, id, state, view) && not_our_fault(t, id, view))) return against;
  }
  return {};
}

void ask_checks(Turn& t, ServiceId id, rollout::State& state) {
  std::string waits;
  bool any = false;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot) || !runs_new(t, id, place.slot, state)) continue;
    any = true;
    if (!is_ready(t, id, place)) waits = t.plan(id).name + "/" + std::to_string(place.slot) + " is not ready";
  }
  if (!any) waits = "none of it is there";
  if (waits.empty() && is_routed(t, id) && !route_holds(t, id)) waits = "the proxy has not divided the requests yet";
  rollout::gate(state, "checks", waits.empty() ? rollout::GateResult::passed : rollout::GateResult::waiting, waits);
}

void call(Turn& t, ServiceId id, const rollout::State& state, const std::string& what) {
  escalate(t, id, 0, default_notifier(t), "the rollout of " + state.to + " of " + t.plan(id).name + " " + what);
}

void fit_places(Turn& t, ServiceId id) {
  const ServicePlan& plan = t.plan(id);
  const ServiceState& known = t.durable(id);
  if (plan.scaling || rollout_active(t, id)) return;
  const auto all = static_cast<Slot>(plan.instances);
  const std::size_t surge = plan.instances - needed_of(t, id);
  RolloutPlaces places = rollout_places(t, id);
  std::erase_if(places.spare, [&](Slot slot) { return slot >= all; });
  for (Slot slot = all - 1; slot >= 0 && places.spare.size() < surge; --slot) places.spare.insert(slot);
  // Those that can run first, as long as fewer do than are needed; then those that run when a person starts them again.
  const auto stopped = [&](Slot slot) { return known.stopped_slots.contains(slot); };
  const auto running = [&] {
    std::size_t count = 0;
    for (Slot slot = 0; slot < all; ++slot) count += !places.spare.contains(slot) && !stopped(slot) ? 1 : 0;
    return count;
  };
  while (places.spare.size() > surge) {
    const bool more = running() < plan.instances - surge;
    const auto fits = std::ranges::find_if(places.spare, [&](Slot slot) { return stopped(slot) != more; });
    places.spare.erase(fits == places.spare.end() ? places.spare.begin() : fits);
  }
  if (std::ranges::equal(places.spare, known.spare)) return;
  t.record(RolloutMoved{plan.name,
                        known.rollout ? std::optional(*known.rollout) : std::nullopt,
                        {places.spare.begin(), places.spare.end()},
                        places.versions,
                        "places for a rollout",
                        ""});
}

// What it ended with is what the service runs from now on.
void settle(Turn& t, ServiceId id, const rollout::State& state) {
  const std::string& name = t.plan(id).name;
  const bool promoted = state.phase == rollout::Phase::promoted;
  t.record(DesiredSet{name, kWhole, true, promoted ? state.to : state.from, state.by});
  if (promoted) t.record(VersionMarked{name, state.to, Mark::stable});
  if (!promoted && state.bad) {
    t.record(VersionMarked{name, state.to, Mark::quarantined});
    call(t, id, state, "has been rolled back: " + state.harm);
  }
  const auto next = successor(state, t.now);
  t.live(id).goes_unseen = false;
  if (next) return save(t, id, *next, rollout_places(t, id), next->by);
  fit_places(t, id);
}

bool may_move(Turn& t, ServiceId id) {
  if (!t.s.recovered || t.s.stopping || !t.s.observe_only.empty() || t.durable(id).stopped) return false;
  const auto until = paused_until(t.s, id, t.now);
  if (until) t.wake_at(*until);
  if (until || maintenance_gate(t, id) || resource_gate(t, id)) return false;
  if (moves_on(t, id)) take_resources(t, id);
  return true;
}

// What cannot be seen now may serve or not: no new version takes its place on that account, unless a person says so.
bool waits_for_sight(const State& s, ServiceId id, const rollout::State& state) {
  return unsure(s) && rising(state) && state.harm.empty() && !s.services[id].goes_unseen;
}

// Why it cannot move now, which is nobody's fault; empty: it can.
std::string obstacle(Turn& t, ServiceId id, const rollout::State& state) {
  const std::uint32_t least = least_room(t.plan(id).rollout->policy);
  if (rising(state) && state.harm.empty() && room_of(t, id) < least) {
    return "people have stopped too many of its places: a new version needs " + std::to_string(least);
  }
  return route_fault(t, id);
}

void look(Turn& t, ServiceId id, rollout::State& state) {
  block(state, obstacle(t, id, state), t.now);
  if (!state.frozen.empty() && !state.step) return;
  if (planted(Bug::gate_skipped)) {
    for (rollout::Gate& gate : state.gates) gate.result = rollout::GateResult::passed;
  } else {
    if (rising(state) && state.harm.empty()) {
      std::string against = evidence(t, id, state);
      if (against.empty()) against = requests_against(t, id);
      if (!against.empty()) harm(state, against);
    }
    ask_checks(t, id, state);
    ask_judge(t, id, state);
    ask_gates(t, id, state);
  }
  if (state.step && is_so(t, id, state)) confirm(state, state.step->id, t.now);
}

// Without a rollout in the configuration every place is needed again.
void forget_rollout(Turn& t, ServiceId id) {
  const ServiceState& known = t.durable(id);
  if (t.plan(id).scaling || known.scaling || (!known.rollout && known.spare.empty())) return;
  t.record(RolloutMoved{t.plan(id).name,
                        std::nullopt,
                        {},
                        rollout_places(t, id).versions,
                        "the configuration has no rollout any more",
                        ""});
}

}  // namespace

bool rollout_active(Turn& t, ServiceId id) {
  const auto& state = t.durable(id).rollout;
  return t.plan(id).rollout && state && !ended(*state);
}

bool moves_on(Turn& t, ServiceId id) {
  return rollout_active(t, id) && t.durable(id).rollout->phase != rollout::Phase::watching;
}

bool rollout_judges(Turn& t, ServiceId id, Slot slot) {
  if (slot < 0 || !rollout_active(t, id)) return false;
  const rollout::State& state = *t.durable(id).rollout;
  const bool all = state.phase == rollout::Phase::watching || state.phase == rollout::Phase::finishing;
  const bool rests = !state.frozen.empty() || !state.blocked.empty() || paused_until(t.s, id, t.now) ||
                     maintenance_gate(t, id).has_value();
  if (all || rests || !runs_new(t, id, slot, state)) return false;
  const View view = view_of(t, id, slot);
  return view.direct || !fails_together(t, id, state, view);
}

void raise_need(Turn& t, ServiceId id, std::uint32_t needed) {
  rollout::State state = *t.durable(id).rollout;
  state.needed = std::max(state.needed, needed);
  save(t, id, state, rollout_places(t, id), "");
}

bool rollout_starts_again(Turn& t, ServiceId id, Slot slot) {
  return rollout_active(t, id) && rising(*t.durable(id).rollout) && runs_new(t, id, slot, *t.durable(id).rollout);
}

void fit_rollouts(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (t.plan(id).rollout)
      fit_places(t, id);
    else
      forget_rollout(t, id);
  }
}

void rollouts_interrupted(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (!rollout_active(t, id)) continue;
    rollout::State state = *t.durable(id).rollout;
    interrupted(state, t.now);
    save(t, id, state, rollout_places(t, id), "");
    recall(t, id);
  }
}

void rollouts_seen_again(Turn& t, Duration dark) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    t.live(id).goes_unseen = false;
    if (!rollout_active(t, id)) continue;
    rollout::State state = *t.durable(id).rollout;
    if (unseen(state, dark, t.now)) save(t, id, state, rollout_places(t, id), "");
  }
}

std::string words_of(const State& s, ServiceId id, const rollout::State& state) {
  const std::string words = explain(s.plan.services[id].rollout->policy, state);
  return waits_for_sight(s, id, state) ? words + "; waits until everything can be seen again" : words;
}

void put_rollouts_away(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) put_judge_away(t, id);
}

void take_rollouts_up(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (rollout_active(t, id)) recall(t, id);
  }
}

bool deploy_by_rollout(Turn& t, ServiceId id, const Operator& in) {
  if (!t.plan(id).rollout) return false;
  if (rollout_active(t, id)) {
    rollout::State state = *t.durable(id).rollout;
    if (!supersede(state, in.version)) return true;
    state.by = in.by;
    save(t, id, state, rollout_places(t, id), in.by);
    return true;
  }
  const std::string from = wanted_version_of(t.plan(id), t.durable(id), kWhole);
  if (from.empty()) return false;
  if (from == in.version) return true;
  stop_operation(t, id, "a rollout of " + in.version + " begins");
  t.live(id).goes_unseen = false;
  save(t, id, rollout::begin(from, in.version, needed_of(t, id), t.now, in.by), rollout_places(t, id), in.by);
  return true;
}

rollout::Done ask_rollout(const RolloutPlan& plan, rollout::State& state, const Operator& in, Instant now,
                          std::uint32_t fresh_running) {
  switch (in.verb) {
    case Verb::rollout_promote:
      return promote(plan.policy, state, in.by, in.force, now);
    case Verb::rollout_abort:
      return abort(state, in.by);
    case Verb::rollout_freeze:
      return freeze(state, "by " + (in.by.empty() ? "an operator" : in.by));
    case Verb::rollout_resume:
      return resume(state, now, fresh_running);
    case Verb::rollout_retry:
      return retry(state, in.by, now);
    case Verb::rollout_approve:
      if (gate(state, "approval", rollout::GateResult::passed, "approved by " + in.by, in.by)) return {};
      return std::unexpected("nothing waits for an approval now");
    default:
      return std::unexpected("a rollout knows no such command");
  }
}

void rollout_command(Turn& t, ServiceId id, const Operator& in) {
  if (in.verb == Verb::rollout_samples) return take_samples(t, id, in);
  if (!t.plan(id).rollout || !t.durable(id).rollout) return;
  rollout::State state = *t.durable(id).rollout;
  if (!ask_rollout(*t.plan(id).rollout, state, in, t.now, running_of(t, id, state.to))) return;
  if (in.verb == Verb::rollout_promote && in.force && unsure(t.s)) t.live(id).goes_unseen = true;
  save(t, id, state, places_for(t, id, state), in.by);
}

void progress_rollout(Turn& t, ServiceId id) {
  if (!rollout_active(t, id) || !may_move(t, id)) return;
  const rollout::Policy& policy = t.plan(id).rollout->policy;
  const rollout::State before = *t.durable(id).rollout;
  rollout::State state = before;
  look(t, id, state);
  const bool waits = waits_for_sight(t.s, id, state);
  if (!waits) advance(policy, state, look_at(t, id, state), t.now);
  const RolloutPlaces places = places_for(t, id, state);
  if (state == before && places == rollout_places(t, id)) {
    if (waits) return;
    const Instant next = next_deadline(policy, state);
    return t.wake_at(unsure(t.s) ? std::max(next, later(t.now, std::chrono::seconds(1))) : next);
  }
  save(t, id, state, places, "");
  if (before.blocked.empty() && !state.blocked.empty()) call(t, id, state, "waits: " + state.blocked);
  if (state.frozen != before.frozen && !state.frozen.empty()) call(t, id, state, "is frozen: " + state.frozen);
  if (ended(state)) settle(t, id, state);
}

}  // namespace homeostat::engine
