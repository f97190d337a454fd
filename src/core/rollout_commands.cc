// What people may want of a rollout.
#include <algorithm>

#include "homeostat/rollout.hpp"

namespace homeostat::rollout {
namespace {

std::unexpected<std::string> no(std::string why) { return std::unexpected(std::move(why)); }

std::string over(const State& state) {
  return "the rollout of " + state.to + " has ended: " + (state.phase == Phase::promoted ? "promoted" : "rolled back");
}

std::string name_of(std::string_view by) { return by.empty() ? "somebody" : std::string(by); }

/// The gates of this stage and of all that follow are waived.
void waive_all(const Policy& policy, State& state, std::string_view by, Instant now) {
  for (; state.stage < policy.stages.size(); ++state.stage) {
    Passed passed{state.stage, now, {}, name_of(by)};
    const bool known = state.phase == Phase::baking && !state.gates.empty();
    for (const std::string& gate : policy.stages[state.stage].gates) {
      const auto seen = std::ranges::find(state.gates, gate, &Gate::name);
      if (!known || seen == state.gates.end() || seen->result != GateResult::passed) passed.waived.push_back(gate);
    }
    state.gates.clear();
    state.passed.push_back(std::move(passed));
  }
  state.phase = Phase::shifting;
  state.since = now;
  state.frozen.clear();
  state.harm.clear();
  state.bad = false;
}

}  // namespace

Done promote(const Policy& policy, State& state, std::string_view by, bool skip_gates, Instant now) {
  if (ended(state)) return no(over(state));
  if (state.phase == Phase::reverting) return no(state.to + " is being rolled back; retry it first");
  if (skip_gates && state.stage < policy.stages.size()) {
    waive_all(policy, state, by, now);
    return {};
  }
  if (skip_gates && state.phase != Phase::watching && state.frozen.empty() && state.harm.empty()) return {};
  if (!state.frozen.empty()) return no("it is frozen (" + state.frozen + "); resume it first");
  if (!state.harm.empty()) return no(state.harm);
  if (state.phase == Phase::watching) {
    state.phase = Phase::finishing;
    state.since = now;
    return {};
  }
  if (state.phase != Phase::baking) return no("it is moving; promote it when it has arrived, or skip the gates");
  std::string open;
  for (const Gate& gate : state.gates) {
    if (gate.result != GateResult::passed) open += (open.empty() ? "" : ", ") + gate.name;
  }
  if (!open.empty()) return no("these gates have not passed: " + open + "; they can be skipped, which is recorded");
  if (state.step) return no("it is moving; promote it when it has arrived");
  state.passed.push_back(Passed{state.stage, now, {}, name_of(by)});
  ++state.stage;
  state.gates.clear();
  state.phase = Phase::shifting;
  state.since = now;
  return {};
}

Done abort(State& state, std::string_view by) {
  if (ended(state)) return no(over(state));
  state.frozen.clear();
  if (state.harm.empty()) state.harm = "aborted by " + name_of(by);
  state.bad = true;
  state.next.clear();
  return {};
}

Done freeze(State& state, std::string_view why) {
  if (ended(state)) return no(over(state));
  state.frozen = why.empty() ? "frozen" : std::string(why);
  return {};
}

Done resume(State& state, Instant now, std::uint32_t fresh_running) {
  if (ended(state)) return no(over(state));
  if (state.frozen.empty()) {
    if (state.phase != Phase::baking || state.unpaused) return no("it is neither frozen nor paused");
    state.unpaused = true;
    return {};
  }
  state.frozen.clear();
  if (state.phase != Phase::baking && state.phase != Phase::watching) state.since = now;
  if (!state.step) return {};
  state.step->since = now;
  // Ill when the step back was decided, they may be well now, and the only ones that are.
  const bool still_there = state.step->to.fresh < std::min(fresh_running, state.split.fresh);
  if (state.phase != Phase::reverting || !still_there) return {};
  Split to = state.split;
  to.fresh = std::min(fresh_running, to.fresh);
  to.weight = std::min(to.weight, state.step->to.weight);
  state.step = Step{++state.steps, to, now, "the last step is decided anew: " + state.harm};
  return {};
}

Done retry(State& state, std::string_view by, Instant now) {
  switch (state.phase) {
    case Phase::rolled_back:
      state = begin(state.from, state.to, state.needed, now, name_of(by));
      return {};
    case Phase::reverting:
      state.next = state.to;
      state.by = name_of(by);
      return {};
    case Phase::shifting:
    case Phase::baking:
      state.frozen.clear();
      state.harm.clear();
      state.next.clear();  // also when another was to take its place
      state.bad = false;
      state.unpaused = false;
      state.since = now;
      if (state.step) state.step->since = now;
      for (Gate& gate : state.gates) gate = Gate{gate.name};
      return {};
    default:
      return no("all traffic is on " + state.to + " already");
  }
}

Done supersede(State& state, std::string_view version) {
  if (ended(state)) return no(over(state));
  if (version == state.to && rising(state) && state.harm.empty()) {
    return no(state.to + " is being rolled out already");
  }
  state.next = version == state.from && state.phase != Phase::watching && state.phase != Phase::finishing
                   ? std::string()
                   : std::string(version);
  const bool moving = state.phase == Phase::shifting || state.phase == Phase::baking;
  if (moving && state.harm.empty()) state.harm = "superseded by " + std::string(version);
  state.frozen.clear();
  return {};
}

std::optional<State> successor(const State& state, Instant now) {
  if (!ended(state) || state.next.empty()) return std::nullopt;
  const std::string& from = state.phase == Phase::promoted ? state.to : state.from;
  if (state.next == from) return std::nullopt;
  return begin(from, state.next, state.needed, now, state.by);
}

}  // namespace homeostat::rollout
