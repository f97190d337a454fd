#include "engine/ladder.hpp"

#include <algorithm>

namespace homeostat::engine {
namespace {

bool part_of(const IssuePlan& issue, CheckId check) {
  return std::ranges::find(issue.checks, check) != issue.checks.end();
}

// The checks that fail; a process that has ended fails the one that watches it, whatever the others say.
std::vector<CheckId> failing_checks(Turn& t, ServiceId id, const Place& place) {
  const ServicePlan& plan = t.plan(id);
  const bool dead = view_of(t, id, place.slot).dead;
  std::vector<CheckId> failing;
  for (const TargetId one : place.targets) {
    const Target& target = t.s.targets[one];
    const CheckPlan& check = plan.checks[target.check];
    if (check.role != Role::alive) continue;
    if (dead ? check.process : target.health.failing()) failing.push_back(target.check);
  }
  return failing;
}

LadderState from_the_first_rung(LadderState state) {
  state.rung = state.attempts = 0;
  state.began = kNever;
  state.not_before = kLongAgo;
  return state;
}

bool same_repair(const RungPlan& one, const RungPlan& other) {
  return one.strategy == other.strategy && one.name == other.name;
}

}  // namespace

const IssuePlan* issue_named(const ServicePlan& plan, std::string_view issue) {
  const auto found = std::ranges::find(plan.issues, issue, &IssuePlan::name);
  return found == plan.issues.end() ? nullptr : &*found;
}

const std::vector<RungPlan>& rungs_of(const ServicePlan& plan, std::string_view issue) {
  const IssuePlan* own = issue_named(plan, issue);
  return (own == nullptr ? plan.ladder : own->ladder).all();
}

const LadderLimits& limits_of(const ServicePlan& plan, std::string_view issue) {
  const IssuePlan* own = issue_named(plan, issue);
  return own == nullptr ? plan.limits : own->limits;
}

std::string issue_of(Turn& t, ServiceId id, const Place& place) {
  if (t.plan(id).issues.empty()) return {};
  const std::vector<CheckId> failing = failing_checks(t, id, place);
  for (const IssuePlan& issue : t.plan(id).issues) {
    const bool all = std::ranges::all_of(failing, [&](CheckId check) { return part_of(issue, check); });
    if (all && !failing.empty()) return issue.name;
  }
  return {};
}

LadderState ladder_of(Turn& t, ServiceId id, Slot slot) {
  const auto& ladders = t.durable(id).ladders;  // not [], which would make a state that no record tells of
  const auto known = ladders.find(slot);
  return known == ladders.end() ? LadderState{} : known->second;
}

void save_ladder(Turn& t, ServiceId id, Slot slot, const LadderState& state) {
  t.record(LadderMoved{t.plan(id).name, slot, state, t.durable(id).walk_of(slot)});
}

bool asked_for(Turn& t, ServiceId id, Slot slot) { return !t.durable(id).walk_of(slot).by.empty(); }

void leave_issue(Turn& t, ServiceId id, const Place& place) {
  const Walk walk = t.durable(id).walk_of(place.slot);
  if (walk.issue.empty() || !walk.by.empty() || issue_of(t, id, place) == walk.issue) return;
  t.record(LadderMoved{t.plan(id).name, place.slot, from_the_first_rung(ladder_of(t, id, place.slot)), Walk{}});
}

void leave_rungs(Turn& t, ServiceId id, const ServicePlan& former) {
  const auto ladders = t.durable(id).ladders;
  for (const auto& [slot, state] : ladders) {
    const std::string issue = t.durable(id).walk_of(slot).issue;
    const std::vector<RungPlan>& rungs = rungs_of(former, issue);
    if (std::ranges::equal(rungs, rungs_of(t.plan(id), issue), same_repair)) continue;
    if (state.rung < rungs.size() && state.began != kNever) {
      const std::string strategy(name_of(rungs[state.rung].strategy));
      t.record(Skipped{former.name, slot, t.durable(id).incident, state.rung, strategy,
                       "another ladder has been loaded; it begins at the first rung"});
    }
    t.live(id).skipped.erase(slot);
    save_ladder(t, id, slot, from_the_first_rung(state));
  }
}

void take_ladder(Turn& t, ServiceId id, const Place& place) {
  const ServicePlan& plan = t.plan(id);
  Walk walk = t.durable(id).walk_of(place.slot);
  LadderState state = ladder_of(t, id, place.slot);
  std::vector<RungPolicy> rungs;
  for (const RungPlan& rung : rungs_of(plan, walk.issue)) rungs.push_back(RungPolicy{rung.attempts});
  ladder::failed_again(state, rungs, plan.backoff, plan.rearm_after, t.now, t.s.random);
  const std::string issue = walk.by.empty() ? issue_of(t, id, place) : walk.issue;
  if (issue != walk.issue) state.rung = state.attempts = 0;
  walk.issue = issue;
  t.record(LadderMoved{plan.name, place.slot, state, std::move(walk)});
}

void end_ladder(Turn& t, ServiceId id, Slot slot, LadderState state) {
  t.live(id).judge_at.erase(slot);
  Walk walk = t.durable(id).walk_of(slot);
  walk.by.clear();
  ladder::recovered(state, t.now, limits_of(t.plan(id), walk.issue).cooldown);
  t.record(LadderMoved{t.plan(id).name, slot, state, std::move(walk)});
}

std::vector<Slot> remediated(const State& s, ServiceId id, Slot asked) {
  if (asked != kWhole) return {asked};
  std::vector<Slot> slots;
  for (const Place& place : s.services[id].places) {
    if (wanted_in(s, id, place.slot) && view_of(s, id, place.slot).failing) slots.push_back(place.slot);
  }
  if (!slots.empty()) return slots;
  return {s.plan.services[id].instances == 1 ? 0 : kWhole};
}

void remediate(Turn& t, ServiceId id, const Operator& in) {
  for (const Slot slot : remediated(t.s, id, in.slot)) {
    if (!t.has_place(id, slot) || !t.wanted(id, slot)) continue;
    const std::string issue = in.issue.empty() ? issue_of(t, id, t.place(id, slot)) : in.issue;
    t.live(id).judge_at.erase(slot);
    t.record(LadderMoved{t.plan(id).name, slot, LadderState{}, Walk{issue, in.by.empty() ? "operator" : in.by}});
  }
  t.mark(id);
}

}  // namespace homeostat::engine
