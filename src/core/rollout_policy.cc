#include <cmath>
#include <set>

#include "homeostat/rollout.hpp"

namespace homeostat::rollout {
namespace {

std::unexpected<std::string> wrong(const std::string& field, const std::string& must) {
  return std::unexpected(field + " must be " + must);
}

std::string list(const std::vector<Gate>& gates) {
  std::string text;
  for (const Gate& gate : gates) {
    if (gate.result == GateResult::passed) continue;
    text += (text.empty() ? "" : ", ") + gate.name + (gate.why.empty() ? "" : " (" + gate.why + ")");
  }
  return text;
}

std::string stage_of(const Policy& policy, const State& state) {
  if (state.stage >= policy.stages.size()) return "all of the traffic";
  return percent(policy.stages[state.stage].traffic) + " of the traffic (stage " + std::to_string(state.stage + 1) +
         " of " + std::to_string(policy.stages.size()) + ")";
}

std::string phase_text(const Policy& policy, const State& state) {
  switch (state.phase) {
    case Phase::shifting:
      return "goes on to " + stage_of(policy, state);
    case Phase::baking: {
      const std::string open = list(state.gates);
      return "bakes at " + stage_of(policy, state) + (open.empty() ? "" : "; waits for " + open);
    }
    case Phase::watching:
      return "has all of the traffic and is watched";
    case Phase::finishing:
      return "has all of the traffic; what is left of " + state.from + " goes";
    case Phase::reverting:
      return "is rolled back: " + state.harm;
    case Phase::promoted:
      return "has been promoted";
    case Phase::rolled_back:
      return "has been rolled back: " + state.harm;
  }
  return {};
}

}  // namespace

std::string percent(std::uint32_t share) {
  std::string text = std::to_string(share / 100);
  if (share % 100 != 0) text += "." + std::to_string(share % 100 + 100).substr(1);
  return text + " %";
}

Policy& Policy::add_stage(double traffic, std::vector<std::string> gates, Duration bake) {
  // What is not a share at all is left to validate.
  const bool share = traffic > 0 && traffic <= 100;
  stages.push_back(Stage{share ? static_cast<std::uint32_t>(std::lround(traffic * 100)) : 0, bake, std::move(gates)});
  return *this;
}

std::expected<void, std::string> validate(const Policy& policy) {
  if (policy.stages.size() > kMostStages) return wrong("stages", "at most " + std::to_string(kMostStages));
  if (policy.strategy == Strategy::blue_green && policy.routing == Routing::by_count) {
    return wrong("strategy", "canary or rolling where nothing divides the traffic: blue and green would each get half");
  }
  if (policy.strategy == Strategy::rolling && !policy.stages.empty()) return wrong("stages", "left out when rolling");
  if (policy.baseline > 0 && policy.strategy != Strategy::canary) return wrong("baseline", "0 where it is no canary");
  if (policy.step_within <= Duration{}) return wrong("step_within", "above 0");
  if (policy.deadline <= Duration{}) return wrong("deadline", "above 0");
  if (policy.watch_after < Duration{}) return wrong("watch_after", "0 or more");
  std::uint32_t before = 0;
  for (const Stage& stage : policy.stages) {
    if (stage.traffic == 0 || stage.traffic > kAll) return wrong("traffic", "above 0 %, and at most 100 %");
    if (stage.traffic <= before) return wrong("traffic", "more than in the stage before");
    before = stage.traffic;
    if (stage.bake < Duration{}) return wrong("bake", "0 or more");
    if (stage.gates.size() > kMostGates) return wrong("gates", "at most " + std::to_string(kMostGates));
    const std::set<std::string> names(stage.gates.begin(), stage.gates.end());
    if (names.size() != stage.gates.size()) return wrong("gates", "named once each");
  }
  return {};
}

std::string explain(const Policy& policy, const State& state) {
  std::string text = state.to + " " + phase_text(policy, state);
  if (!ended(state)) {
    text += "; now " + std::to_string(state.split.stable) + " of " + (state.from.empty() ? "before" : state.from) +
            " and " + std::to_string(state.split.fresh) + " of it, " + percent(state.split.weight);
    if (state.split.baseline > 0) text += ", beside " + std::to_string(state.split.baseline) + " to compare with";
  }
  if (state.step) {
    text += "; next " + std::to_string(state.step->to.stable) + " and " + std::to_string(state.step->to.fresh) + ", " +
            percent(state.step->to.weight);
  }
  if (!state.frozen.empty()) text += "; frozen: " + state.frozen;
  if (!state.blocked.empty() && !ended(state)) text += "; nothing moves until it is mended: " + state.blocked;
  return text;
}

}  // namespace homeostat::rollout
