#include "engine/gates.hpp"

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/breakers.hpp"
#include "engine/diagnose.hpp"
#include "engine/doubt.hpp"
#include "engine/ejection.hpp"
#include "engine/evidence.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"
#include "engine/resources.hpp"
#include "engine/rollout.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

using Gate = std::optional<Hold>;

constexpr Duration kLookAgain = std::chrono::seconds(1);

Gate engine_gate(Turn& t, const Ask& ask) {
  if (!t.s.recovered) return Hold{"recovering", "the past is being reconciled"};
  if (!t.broken.empty()) return Hold{"defect", t.broken};
  const bool acts = planted(Bug::acts_without_journal);
  if (!t.s.observe_only.empty() && !acts) return Hold{t.s.defect ? "defect" : "journal", t.s.observe_only};
  if (t.s.stopping && !ask.take_down) return Hold{"shutdown", "Homeostat is ending"};
  return {};
}

std::string words_of(const PauseState& pause) {
  const std::string by = pause.by.empty() ? "" : " by " + pause.by;
  return "paused" + by + (pause.until == kNever ? " until resumed" : "");
}

// Of what comes first: others do not wait for what is well.
std::string how_it_is(Turn& t, ServiceId id) {
  const Status status = t.live(id).status;
  const bool seems_well = status == Status::healthy || status == Status::degraded;
  return seems_well ? "not proved well" : std::string(to_string(status));
}

// What goes on by itself is held, and a rolling operation that was under way; what a person asks for later is done.
Gate pause_gate(Turn& t, const Ask& ask) {
  Gate hold;
  if (planted(Bug::pause_ignored)) return hold;
  const auto& operation = t.durable(ask.service).operation;
  for (const PauseState* pause : pauses_of(t.s.durable, t.plan(ask.service).name, t.now)) {
    const bool under_way =
        ask.step && operation && std::ranges::count(pause->operations, operation->id) > 0 && !planted(Bug::steps_go_on);
    if (!ask.automatic && !under_way) continue;
    if (hold && pause->until <= hold->retry) continue;
    hold = Hold{"paused", words_of(*pause), pause->until};
  }
  return hold;
}

Gate lock_gate(Turn& t, const Ask& ask) {
  if (ask.take_down || planted(Bug::lock_ignored)) return {};
  const auto& locks = t.durable(ask.service).locks;
  const auto lock = locks.find(ask.slot);
  if (lock == locks.end()) return {};
  return Hold{"locked", lock->second};
}

bool serves(Turn& t, ServiceId id) {
  const Status status = t.live(id).serving;
  return status != Status::unhealthy && !(status == Status::unknown && has_alive_check(t.plan(id)));
}

// Those that need each other cannot wait for each other.
bool in_one_circle(Turn& t, ServiceId a, ServiceId b) {
  const auto& machine = t.s.index.diagnosing.machine;
  return machine && machine->graph().circle(a) == machine->graph().circle(b);
}

// Another run may be coming up by itself already, or nobody knows what runs.
Gate runtime_gate(Turn& t, const Ask& ask) {
  for (const auto& [place, hold] : t.s.runtime_holds) {
    if (place.service == ask.service && (place.slot == ask.slot || ask.slot < 0)) return Hold{"runtime", hold.why};
  }
  return {};
}

// A first start waits until what it cannot do without is known to be well.
Gate dependency_gate(Turn& t, const Ask& ask) {
  const auto& needs = t.plan(ask.service).depends_on;
  for (const Need& need : needs) {
    if (need.tie == diagnosis::Tie::soft || serves(t, need.service)) continue;
    if (in_one_circle(t, ask.service, need.service)) continue;
    const bool other = need.any_of != 0 && std::ranges::any_of(needs, [&](const Need& one) {
                         return one.any_of == need.any_of && serves(t, one.service);
                       });
    if (other) continue;
    return wait_for(t, need.service);
  }
  return {};
}

std::uint32_t healthy_instances(Turn& t, ServiceId id) {
  std::uint32_t healthy = 0;
  for (const Place& place : t.live(id).places) {
    if (place.slot >= 0 && t.wanted(id, place.slot) && view_of(t, id, place.slot).up()) ++healthy;
  }
  return healthy;
}

bool check_passes(Turn& t, ServiceId id, CheckId check) {
  bool seen = false;
  for (const Place& place : t.live(id).places) {
    for (const TargetId one : place.targets) {
      const Target& target = t.s.targets[one];
      if (target.check != check || !target.active) continue;
      const Status status = target.health.status();
      if (status != Status::healthy && status != Status::degraded) return false;
      seen = true;
    }
  }
  return seen;
}

// A file is looked at when it matters, not by a schedule: what counts is whether it exists now.
Gate file_gate(Turn& t, TargetId id, const Prerequisite& wanted) {
  const Target& target = t.s.targets[id];
  const bool fresh = target.health.last_seen() != kLongAgo && t.now - target.health.last_seen() <= kLookAgain;
  if (fresh && target.health.last().good()) return {};
  const bool tried = target.scheduled != kLongAgo && t.now - target.scheduled < kLookAgain;
  if (!tried) look_now(t, id);
  const bool seen = target.health.last_seen() != kLongAgo;
  const std::string what = seen ? wanted.text + " does not hold" : "looking whether " + wanted.text;
  return Hold{"prerequisite", what, later(t.now, kLookAgain)};
}

Gate prerequisite_gate(Turn& t, const Ask& ask) {
  const auto& wanted = t.plan(ask.service).prerequisites;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Prerequisite& p = wanted[i];
    bool holds = true;
    switch (p.kind) {
      case Prerequisite::Kind::service_healthy:
        holds = t.live(p.service).status == Status::healthy;
        break;
      case Prerequisite::Kind::check_passing:
        holds = check_passes(t, p.service, p.check);
        break;
      case Prerequisite::Kind::min_healthy:
        holds = healthy_instances(t, p.service) >= p.count;
        break;
      case Prerequisite::Kind::file_exists:
        if (auto hold = file_gate(t, t.live(ask.service).prerequisites[i], p)) return hold;
        break;
    }
    if (!holds) return Hold{"prerequisite", p.text + " does not hold", later(t.now, kLookAgain)};
  }
  return {};
}

// Evidence must be newer than the last thing that was done to the target, and not stale.
Gate evidence_gate(Turn& t, const Ask& ask) {
  const View view = view_of(t, ask.service, ask.slot);
  if (view.dead || !view.failing || view.check == kNone || planted(Bug::stale_evidence)) return {};
  const CheckPolicy& policy = t.plan(ask.service).checks[view.check].policy;
  const Place& place = t.place(ask.service, ask.slot);
  if (view.last_seen <= place.last_effect) {
    return Hold{"evidence", "nothing was seen since the last action", later(t.now, policy.fast_interval)};
  }
  if (t.now - view.last_seen > 2 * policy.interval + policy.timeout) {
    return Hold{"evidence", "the last observation is too old", later(t.now, policy.interval)};
  }
  if (view.recovering && !ask.direct) {
    return Hold{"evidence", "it answers again", later(t.now, policy.fast_interval)};
  }
  return {};
}

// Places of the group, or of all, of which no instance is needed now.
std::uint64_t idle(const State& s, std::optional<std::uint32_t> group = std::nullopt) {
  std::uint64_t sum = 0;
  for (const ServiceId id : s.index.elastic) {
    const ServicePlan& plan = s.plan.services[id];
    if (!group || plan.group == *group) sum += plan.instances - needed_in(s, id);
  }
  return sum;
}

/// Of `total` instances; `counts` says which actions are of this budget. More than the limit may be used, when that was
/// higher before: then one becomes free only when so many are too old.
template <class Counts>
BudgetUse use_of(const State& s, const Budget& budget, std::uint64_t total, Instant now, Counts counts) {
  const auto share = static_cast<std::uint32_t>(total * budget.percent / 100);
  BudgetUse use{0, std::max(budget.max_actions, share), budget.per, kNever};
  for (auto d = s.durable.disruptions.rbegin(); d != s.durable.disruptions.rend(); ++d) {
    if (later(d->at, budget.per) <= now) break;  // they are in order of time
    if (!counts(*d)) continue;
    if (++use.used <= use.limit) use.frees_at = later(d->at, budget.per);
  }
  return use;
}

Gate budget_gate(Turn& t, const Ask& ask) {
  const std::uint32_t own = ask.counted ? 1 : 0;
  const auto spent = [own](const std::optional<BudgetUse>& use, const std::string& whose) -> Gate {
    if (!use || use->used < use->limit + own) return {};
    return Hold{"budget",
                std::to_string(use->used) + " of " + std::to_string(use->limit) + " actions of " + whose + " are used",
                use->frees_at};
  };
  auto instance = instance_budget(t.s, ask.service, ask.slot, t.now);
  if (planted(Bug::instance_budget_forgotten)) instance.reset();
  if (auto hold = spent(instance, "the instance's budget")) return hold;
  if (auto hold = spent(service_budget(t.s, ask.service, t.now), "the service's budget")) return hold;
  const std::uint32_t group = t.plan(ask.service).group;
  if (group != kNone && !planted(Bug::group_budget_forgotten)) {
    const std::string whose = "the budget of group " + t.s.plan.groups[group].name;
    if (auto hold = spent(group_budget(t.s, ask.service, t.now), whose)) return hold;
  }
  return planted(Bug::fleet_budget_forgotten) ? Gate{} : spent(fleet_budget(t.s, t.now), "the fleet's budget");
}

// When many fail at once and then answer again, they come up together, and some of them badly.
Gate storm_gate(Turn& t, const Ask& ask) {
  const Instant calm = later(t.s.durable.storm_over, t.s.plan.storm_cool_down);
  if (ask.direct || t.now >= calm || planted(Bug::storm_ignored)) return {};
  return Hold{"storm", "many failed at once until a moment ago; what goes on failing is repaired", calm};
}

// Only healthy capacity can be taken away: what is known to be down costs nothing. What has not been seen yet, or
// cannot be looked at, may be healthy.
bool may_serve(Turn& t, ServiceId id, Slot slot) {
  const View view = view_of(t, id, slot);
  if (!view.checked || (view.failing && !view.blind)) return false;
  const InstanceState* instance = t.instance(id, slot);
  return !t.plan(id).runtime.managed || (instance != nullptr && instance->state == RunState::running);
}

Gate unavailable_gate(Turn& t, const Ask& ask) {
  if (ask.slot < 0 || !may_serve(t, ask.service, ask.slot)) return {};
  const std::vector<Ejection> ejections = ejections_of(t.s, ask.service);
  std::uint32_t unavailable = 0;
  // Where a new version replaces instances in place, one has gone and the next is not wanted yet.
  std::uint32_t missing = rollout_active(t, ask.service) ? t.durable(ask.service).rollout->needed : 0;
  for (const Place& place : t.live(ask.service).places) {
    if (place.slot < 0 || !t.wanted(ask.service, place.slot)) continue;
    missing -= std::min(missing, 1U);
    if (place.slot == ask.slot) continue;
    const auto out = std::ranges::find(ejections, place.slot, &Ejection::slot);
    const bool no_requests = out != ejections.end() && out->kept.empty();
    const bool acted_on = place.action && !awaits_approval(t.s, place);
    if (acted_on || no_requests || !view_of(t, ask.service, place.slot).up()) ++unavailable;
  }
  unavailable += missing;
  const std::uint32_t allowed = t.plan(ask.service).max_unavailable.of(t.count(ask.service));
  if (unavailable + 1 <= allowed || planted(Bug::capacity_ignored)) return {};
  return Hold{"max_unavailable",
              std::to_string(unavailable) + " unavailable already, " + std::to_string(allowed) + " allowed",
              later(t.now, kLookAgain)};
}

// It goes because fewer are needed, not because a person wants it.
bool is_too_many(Turn& t, const Ask& ask) {
  const ServiceState& known = t.durable(ask.service);
  return ask.take_down && !t.s.stopping && !known.stopped && !known.stopped_slots.contains(ask.slot);
}

// What is planned can wait until others take the requests. Who fails, or gets none, has none to lose.
Gate traffic_gate(Turn& t, const Ask& ask) {
  if ((!ask.step && !is_too_many(t, ask)) || ask.slot < 0 || !may_serve(t, ask.service, ask.slot)) return {};
  const std::string why = only_one_served(t, ask.service, ask.slot);
  if (why.empty() || planted(Bug::capacity_ignored)) return {};
  return Hold{"traffic", why, later(t.now, kLookAgain)};
}

// A rollout takes an old instance away when enough others serve. Those may have failed since that was decided.
Gate step_gate(Turn& t, const Ask& ask) {
  const ServiceState& known = t.durable(ask.service);
  const bool step = is_too_many(t, ask) && known.spare.contains(ask.slot) && rollout_active(t, ask.service);
  if (!step || !rollout::rising(*known.rollout)) return {};
  if (!may_serve(t, ask.service, ask.slot) || planted(Bug::capacity_ignored)) return {};
  const std::uint32_t needed = known.rollout->needed;
  const std::uint32_t up = healthy_instances(t, ask.service);
  if (up + t.plan(ask.service).max_unavailable.of(needed) >= needed) return {};
  return Hold{"max_unavailable",
              "without it only " + std::to_string(up) + " of " + std::to_string(needed) + " would serve",
              later(t.now, kLookAgain)};
}

}  // namespace

Left left_alone(Turn& t, ServiceId id) {
  const ServiceState& state = t.durable(id);
  const auto work = maintenance_gate(t, id);
  if (work && work->gate == "maintenance") return {"is in maintenance: " + work->detail, true};
  if (is_stopped(t, id)) return {"was stopped" + (state.stopped_by.empty() ? "" : " by " + state.stopped_by.str())};
  const auto pauses = pauses_of(t.s.durable, t.plan(id).name, t.now);
  if (pauses.empty()) return {};
  return {"is " + how_it_is(t, id) + " and " + words_of(*pauses.back())};
}

Hold wait_for(Turn& t, ServiceId first) {
  const std::string& name = t.plan(first).name;
  const Left left = left_alone(t, first);
  if (!left.why.empty()) return {"dependency", name + " " + left.why, kNever, left.planned, first};
  return {"dependency", name + " is " + how_it_is(t, first) + "; it comes first", kNever, false, first};
}

Instant verdict_of(Turn& t, const Ask& ask) {
  const auto incident = t.s.durable.incidents.find(t.durable(ask.service).incident);
  if (incident == t.s.durable.incidents.end()) return kLongAgo;
  const auto failing = incident->second.failing.find(ask.slot);
  return failing == incident->second.failing.end() ? kLongAgo : failing->second.verdict_at;
}

std::optional<BudgetUse> instance_budget(const State& s, ServiceId id, Slot slot, Instant now) {
  if (!s.plan.instance || slot < 0) return std::nullopt;
  const std::string& name = s.plan.services[id].name;
  return use_of(s, *s.plan.instance, 1, now, [&](const Disruption& d) { return d.slot == slot && d.service == name; });
}

BudgetUse service_budget(const State& s, ServiceId id, Instant now) {
  const ServicePlan& plan = s.plan.services[id];
  return use_of(s, plan.budget, needed_in(s, id), now, [&](const Disruption& d) { return d.service == plan.name; });
}

std::optional<BudgetUse> group_budget(const State& s, ServiceId id, Instant now) {
  const std::uint32_t group = s.plan.services[id].group;
  if (group == kNone) return std::nullopt;
  const GroupPlan& plan = s.plan.groups[group];
  // Under another name it is the same group, as long as the service is in it.
  const auto was_renamed = [&](const Disruption& d) {
    return !d.group.empty() && std::ranges::find(s.plan.groups, d.group, &GroupPlan::name) == s.plan.groups.end() &&
           std::ranges::any_of(s.plan.services,
                               [&](const ServicePlan& one) { return one.group == group && one.name == d.service; });
  };
  return use_of(s, plan.budget, s.index.of_group[group] - idle(s, group), now,
                [&](const Disruption& d) { return d.group == plan.name || was_renamed(d); });
}

BudgetUse fleet_budget(const State& s, Instant now) {
  return use_of(s, s.plan.fleet, s.index.instances - idle(s), now, [](const Disruption&) { return true; });
}

std::vector<const PauseState*> pauses_of(const Durable& durable, const std::string& service, Instant now) {
  std::vector<const PauseState*> in_force;
  for (const auto& name : {std::string(), service}) {
    const auto pause = durable.pauses.find(name);
    if (pause != durable.pauses.end() && now < pause->second.until) in_force.push_back(&pause->second);
  }
  return in_force;
}

std::optional<Instant> paused_until(const State& s, ServiceId id, Instant now) {
  std::optional<Instant> until;
  for (const PauseState* pause : pauses_of(s.durable, s.plan.services[id].name, now)) {
    until = std::max(until.value_or(now), pause->until);
  }
  return until;
}

std::optional<Hold> check_gates(Turn& t, const Ask& ask) {
  Gate looking;  // at our own network first: what else holds is the better reason
  if (auto hold = engine_gate(t, ask)) return hold;
  if (auto hold = lock_gate(t, ask)) return hold;
  if (auto hold = runtime_gate(t, ask)) return hold;
  if (!ask.take_down && !ask.bring_up) {
    if (auto hold = resource_gate(t, ask.service)) return hold;
  }
  if (auto hold = pause_gate(t, ask)) return hold;
  if (ask.automatic) {
    if (auto hold = maintenance_gate(t, ask.service)) return hold;
    if (t.s.tilt_since && !ask.direct) return Hold{"tilt", "time has jumped; waiting for a fresh round of checks"};
    if (auto hold = ask.bring_up ? dependency_gate(t, ask) : diagnosis_gate(t, ask)) return hold;
    if (auto hold = prerequisite_gate(t, ask)) return hold;
    if (auto hold = evidence_gate(t, ask)) return hold;
    if (!ask.direct) {
      looking = doubt_gate(t, ask.service, verdict_of(t, ask), view_of(t, ask.service, ask.slot).last_seen);
      if (looking && t.s.doubt.doubtful) return looking;
    }
    if (auto hold = storm_gate(t, ask)) return hold;
    if (auto hold = breaker_gate(t, ask)) return hold;
    if (ask.disruptive) {
      if (auto hold = budget_gate(t, ask)) return hold;
    }
  }
  if (auto hold = step_gate(t, ask)) return hold;
  if (auto hold = traffic_gate(t, ask)) return hold;
  if (ask.disruptive) {
    if (auto hold = unavailable_gate(t, ask)) return hold;
  }
  return looking;
}

}  // namespace homeostat::engine
