#include <algorithm>
#include <utility>

#include "core/rollout_steps.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::rollout {
namespace {

Goal goal_of(const Policy& policy, const State& state) {
  const std::uint32_t weight = state.stage < policy.stages.size() ? policy.stages[state.stage].traffic : kAll;
  // Blue stays until green has been watched.
  return {weight, policy.strategy == Strategy::blue_green && state.phase != Phase::finishing};
}

void enter(State& state, Phase phase, Instant now) {
  state.phase = phase;
  state.since = now;
}

void begin_step(State& state, const Split& to, Instant now, std::string why) {
  state.step = Step{++state.steps, to, now, std::move(why)};
}

// A step that is under way may be done or not: it is taken back first, which overloads nobody.
void turn_back(State& state, Instant now) {
  enter(state, Phase::reverting, now);
  if (state.step) begin_step(state, state.split, now, "the last step is taken back: " + state.harm);
}

void begin_bake(const Policy& policy, State& state, Instant now) {
  enter(state, Phase::baking, now);
  state.opened = now;
  state.unpaused = false;
  state.gates.clear();
  for (const std::string& name : policy.stages[state.stage].gates) state.gates.push_back(Gate{name});
}

std::uint32_t total(const Split& split) { return split.stable + split.fresh + split.baseline; }

bool open(const Gate& gate) { return gate.result != GateResult::passed; }

Instant bake_ends(const Policy& policy, const State& state) {
  return later(state.since, policy.stages[state.stage].bake);
}

Instant pause_ends(const Policy& policy, const State& state) {
  const auto& pause = policy.stages[state.stage].pause;
  return pause && !state.unpaused ? later(bake_ends(policy, state), *pause) : bake_ends(policy, state);
}

Instant deadline_of(const Policy& policy, const State& state) {
  return later(std::max(pause_ends(policy, state), state.opened), policy.deadline);
}

// What waits for its time is not late.
bool note_closed(State& state, Instant now) {
  const bool closed = std::ranges::any_of(state.gates, [](const Gate& g) { return g.result == GateResult::closed; });
  if (closed == (state.opened == kNever)) return false;
  state.opened = closed ? kNever : now;
  return true;
}

void pass_stage(State& state, Instant now, std::string_view by) {
  Passed passed{state.stage, now, {}, std::string(by)};
  for (const Gate& gate : state.gates) {
    if (open(gate)) passed.waived.push_back(gate.name);
  }
  state.passed.push_back(std::move(passed));
  ++state.stage;
  state.gates.clear();
  enter(state, Phase::shifting, now);
}

std::string open_gates(const State& state) {
  std::string names;
  for (const Gate& gate : state.gates) {
    if (!open(gate)) continue;
    names += (names.empty() ? "" : ", ") + gate.name + (gate.why.empty() ? "" : " (" + gate.why + ")");
  }
  return names;
}

bool missed_deadline(const Policy& policy, State& state, Instant now) {
  const std::string why =
      "the deadline of stage " + std::to_string(state.stage + 1) + " has come and these are open: " + open_gates(state);
  switch (policy.at_deadline) {
    case AtDeadline::roll_back:
      return harm(state, why);
    case AtDeadline::promote:
      pass_stage(state, now, "the deadline");
      return true;
    case AtDeadline::freeze:
      state.frozen = why;
      return true;
  }
  return false;
}

bool bake(const Policy& policy, State& state, const Seen& seen, Instant now) {
  if (const auto to = step_up(policy, state, seen, goal_of(policy, state))) {
    begin_step(state, *to, now, "more instances are needed");
    return true;
  }
  if (note_closed(state, now)) return true;
  if (std::ranges::any_of(state.gates, open)) {
    return !seen.dark && now >= deadline_of(policy, state) && missed_deadline(policy, state, now);
  }
  if (now < pause_ends(policy, state)) return false;
  pass_stage(state, now, {});
  return true;
}

bool stuck(const Policy& policy, const State& state, const Seen& seen, Instant now) {
  return !seen.dark && now >= later(state.step ? state.step->since : state.since, policy.step_within);
}

bool shift(const Policy& policy, State& state, const Seen& seen, Instant now) {
  const Goal goal = goal_of(policy, state);
  if (reached(policy, state, goal)) {
    if (state.phase == Phase::finishing)
      enter(state, Phase::promoted, now);
    else if (state.stage < policy.stages.size())
      begin_bake(policy, state, now);
    else
      enter(state, Phase::watching, now);
    return true;
  }
  if (const auto to = step_up(policy, state, seen, goal)) {
    begin_step(state, *to, now,
               to->weight != state.split.weight && to->fresh == state.split.fresh ? "traffic follows capacity"
                                                                                  : "capacity for the next share");
    return true;
  }
  return stuck(policy, state, seen, now) && harm(state, "too few instances are ready to go on");
}

bool watch(const Policy& policy, State& state, Instant now) {
  if (now < later(state.since, policy.watch_after) && state.next.empty()) return false;
  enter(state, Phase::finishing, now);
  return true;
}

bool revert(const Policy& policy, State& state, const Seen& seen, Instant now) {
  if (reverted(state)) {
    enter(state, Phase::rolled_back, now);
    return true;
  }
  if (const auto to = step_down(policy, state, seen)) {
    begin_step(state, *to, now, state.harm);
    return true;
  }
  if (!stuck(policy, state, seen, now)) return false;
  state.frozen = "too few instances of " + state.from + " are ready to go back to it";
  return true;
}

bool overdue(const Policy& policy, State& state, const Seen& seen, Instant now) {
  if (!stuck(policy, state, seen, now)) return false;
  if (rising(state)) return harm(state, "a step was not done in time: " + state.step->why);
  state.frozen = "a step back was not done in time";
  return true;
}

// What is left of the split. Where nothing is left of the new version it gets none of the traffic.
Split left_of(const Policy& policy, Split split, const Seen& seen) {
  split.stable = std::min(split.stable, seen.stable);
  split.fresh = std::min(split.fresh, seen.fresh);
  split.baseline = std::min(split.baseline, seen.baseline);
  if (split.fresh == 0)
    split.weight = 0;
  else if (policy.routing == Routing::by_count)
    split.weight = share_of(split.fresh, total(split));
  return split;
}

// What people have stopped is not needed until they start it again, and a step that needs it cannot be done.
bool make_do(const Policy& policy, State& state, const Seen& seen, Instant now) {
  if (ended(state)) return false;
  const std::uint32_t needed = fit(policy, std::max(seen.needed, state.needed), seen.room).needed;
  const Split left = left_of(policy, state.split, seen);
  const bool too_much = state.step && total(state.step->to) > seen.room && state.step->to != left;
  const bool missing = !state.step && left != state.split;
  if (needed == state.needed && !missing && !too_much) return false;
  state.needed = needed;
  if (missing || too_much) state.split = left;
  if (too_much) begin_step(state, state.split, now, "the last step is taken back: people have stopped what it needs");
  return true;
}

bool move(const Policy& policy, State& state, const Seen& seen, Instant now) {
  if (ended(state) || !state.frozen.empty() || !state.blocked.empty()) return false;
  if (!state.harm.empty() && rising(state)) {
    turn_back(state, now);
    return true;
  }
  if (state.step) return overdue(policy, state, seen, now);
  switch (state.phase) {
    case Phase::shifting:
    case Phase::finishing:
      return shift(policy, state, seen, now);
    case Phase::baking:
      return bake(policy, state, seen, now);
    case Phase::watching:
      return watch(policy, state, now);
    case Phase::reverting:
      return revert(policy, state, seen, now);
    case Phase::promoted:
    case Phase::rolled_back:
      break;
  }
  return false;
}

bool move_on(const Policy& policy, State& state, const Seen& seen, Instant now) {
  bool moved = false;
  while (move(policy, state, seen, now)) moved = true;
  return moved;
}

}  // namespace

State begin(std::string from, std::string to, std::uint32_t needed, Instant now, std::string by) {
  State state;
  state.from = std::move(from);
  state.to = std::move(to);
  state.by = std::move(by);
  state.needed = std::max(1U, needed);
  state.split.stable = state.needed;
  state.began = state.since = now;
  return state;
}

bool ended(const State& state) { return state.phase == Phase::promoted || state.phase == Phase::rolled_back; }
bool rising(const State& state) { return !ended(state) && state.phase != Phase::reverting; }

bool advance(const Policy& policy, State& state, const Seen& seen, Instant now) {
  bool changed = make_do(policy, state, seen, now);
  if (seen.room < (rising(state) && state.harm.empty() ? least_room(policy) : 1)) return changed;
  const std::uint32_t surge = fit(policy, state.needed, seen.room).surge;
  const std::uint32_t compared = state.split.stable + state.split.fresh;
  const std::uint32_t baseline = std::min(policy.baseline, seen.room - std::min(seen.room, compared));
  if (surge == policy.surge && baseline == policy.baseline) return move_on(policy, state, seen, now) || changed;
  Policy fitted = policy;
  fitted.surge = surge;
  fitted.baseline = baseline;
  return move_on(fitted, state, seen, now) || changed;
}

Instant next_deadline(const Policy& policy, const State& state) {
  if (ended(state) || !state.frozen.empty() || !state.blocked.empty()) return kNever;
  if (state.step) return later(state.step->since, policy.step_within);
  if (state.phase == Phase::watching) return later(state.since, policy.watch_after);
  if (state.phase != Phase::baking) return later(state.since, policy.step_within);
  return std::ranges::any_of(state.gates, open) ? deadline_of(policy, state) : pause_ends(policy, state);
}

bool confirm(State& state, std::uint32_t step, Instant now) {
  if (!state.step || state.step->id != step) return false;
  state.split = state.step->to;
  state.step.reset();
  if (state.phase != Phase::baking) state.since = now;
  return true;
}

bool gate(State& state, std::string_view name, GateResult result, std::string_view why, std::string_view by) {
  if (state.phase != Phase::baking) return false;
  const auto gate = std::ranges::find(state.gates, name, &Gate::name);
  if (gate == state.gates.end() || (gate->result == result && gate->why == why)) return false;
  if (!gate->by.empty() && by.empty()) return false;  // a person has decided
  *gate = Gate{std::string(name), result, std::string(why), std::string(by)};
  if (result == GateResult::failed) harm(state, gate->name + ": " + gate->why);
  return true;
}

bool harm(State& state, std::string_view why) {
  if (!rising(state) || !state.harm.empty()) return false;
  state.harm = why;
  state.bad = true;
  return true;
}

void interrupted(State& state, Instant now) {
  if (state.phase == Phase::promoted || state.phase == Phase::rolled_back) return;
  state.since = now;
  if (state.step) state.step->since = now;
  for (Gate& gate : state.gates) {
    if (gate.by.empty()) gate = Gate{gate.name};
  }
}

bool unseen(State& state, Duration length, Instant now) {
  if (ended(state)) return false;
  const auto later_by = [&](Instant& at) { at = std::min(now, later(at, length)); };
  later_by(state.since);
  if (state.step) later_by(state.step->since);
  if (state.phase == Phase::baking && state.opened != kNever) later_by(state.opened);
  return true;
}

bool block(State& state, std::string_view why, Instant now) {
  if (ended(state) || state.blocked == why) return false;
  state.blocked = why;
  if (!why.empty()) return true;
  const Instant since = state.since;
  interrupted(state, now);
  if (state.phase == Phase::watching) state.since = since;
  return true;
}

}  // namespace homeostat::rollout
