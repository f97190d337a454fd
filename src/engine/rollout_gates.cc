#include "engine/rollout_gates.hpp"

#include <algorithm>

#include "engine/doubt.hpp"
#include "engine/rollout.hpp"

namespace homeostat::engine {
namespace {

using rollout::GateResult;

// A command decides on a stage that has baked.
Instant asked_from(Turn& t, ServiceId id, const rollout::State& state, const GatePlan& plan) {
  if (plan.kind == GatePlan::Kind::window) return state.since;
  return later(state.since, t.plan(id).rollout->policy.stages[state.stage].bake);
}

std::string opens(const ScalingSchedule& window, LocalMinutes now) {
  const auto at = next_match(window.start, now);
  return at ? "opens at " + show_local(*at) + " in " + window.zone : "it never opens";
}

void take_answer(rollout::State& state, const GatePlan& plan, const GateAnswered& answer) {
  if (plan.kind == GatePlan::Kind::command) {
    rollout::gate(state, plan.name, answer.result, answer.why);
  } else if (!answer.local) {
    rollout::gate(state, plan.name, GateResult::waiting, "nobody knows what time it is in " + plan.window.zone);
  } else if (active(plan.window, *answer.local)) {
    rollout::gate(state, plan.name, GateResult::passed, "open");
  } else {
    rollout::gate(state, plan.name, GateResult::closed, opens(plan.window, *answer.local));
  }
}

bool decided(const rollout::State& state, const GatePlan& plan) {
  const auto gate = std::ranges::find(state.gates, plan.name, &rollout::Gate::name);
  if (gate == state.gates.end() || !gate->by.empty()) return true;
  return gate->result == GateResult::passed && plan.kind == GatePlan::Kind::command;
}

// What a command says against a version while we cannot see, or could not, is asked again: it may be our own network.
bool heard_in_the_dark(Turn& t, ServiceId id, rollout::State& state, const GatePlan& plan, LiveGate& live) {
  const bool against = live.answer && plan.kind == GatePlan::Kind::command && live.answer->result == GateResult::failed;
  if (!against) return false;
  if (!unsure(t.s) && live.began >= t.s.doubt.cleared) {
    const auto hold = doubt_gate(t, id, live.began, live.began);
    if (hold) t.wake_at(hold->retry);
    return hold.has_value();
  }
  live.answer.reset();
  live.next_at = later(t.now, plan.every);
  rollout::gate(state, plan.name, GateResult::waiting, "it failed while our own network was in doubt");
  return true;
}

void progress_gate(Turn& t, ServiceId id, rollout::State& state, std::uint32_t index) {
  const GatePlan& plan = t.plan(id).rollout->gates[index];
  LiveGate& live = t.live(id).gates->gates[index];
  const Instant from = asked_from(t, id, state, plan);
  if (heard_in_the_dark(t, id, state, plan, live)) return;
  if (auto answer = std::exchange(live.answer, std::nullopt); answer && live.began >= from) {
    take_answer(state, plan, *answer);
  }
  if (decided(state, plan) || state.step) return;
  if (!live.asked.none()) {
    const Instant ends = later(live.began, plan.answers_within);
    if (t.now < ends) return t.wake_at(ends);
    live.asked = {};
    rollout::gate(state, plan.name, GateResult::waiting, "no answer");
  }
  if (unsure(t.s) && plan.kind == GatePlan::Kind::command) return;  // until we can see
  const Instant next = std::max(from, live.next_at);
  if (t.now < next) return t.wake_at(next);
  live.asked = t.next_id();
  live.began = t.now;
  live.next_at = later(t.now, plan.every);
  t.command(AskGate{id, index, live.asked});
  t.wake_at(later(live.began, plan.answers_within));
}

}  // namespace

void ask_gates(Turn& t, ServiceId id, rollout::State& state) {
  const std::vector<GatePlan>& plans = t.plan(id).rollout->gates;
  auto& live = t.live(id).gates;
  if (state.phase != rollout::Phase::baking || plans.empty()) return live.reset();
  if (!live) live.emplace();
  live->gates.resize(plans.size());
  for (std::uint32_t index = 0; index < plans.size(); ++index) {
    if (plans[index].stage == state.stage) progress_gate(t, id, state, index);
  }
}

void gate_answered(Turn& t, const GateAnswered& in) {
  if (in.service >= t.s.services.size() || !t.live(in.service).gates) return;
  auto& gates = t.live(in.service).gates->gates;
  if (in.gate >= gates.size() || in.id.none() || gates[in.gate].asked != in.id) return;
  gates[in.gate].asked = {};
  gates[in.gate].answer = in;
  t.mark(in.service);
}

}  // namespace homeostat::engine
