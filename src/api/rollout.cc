#include "api/rollout.hpp"

#include <cmath>

#include "api/rollout_forecast.hpp"
#include "engine/rollout.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::api {
namespace {

json::object split_json(const rollout::Split& split) {
  return {{"stable", split.stable},
          {"fresh", split.fresh},
          {"weight_hundredths", split.weight},
          {"baseline", split.baseline}};
}

json::array gates_json(const rollout::State& state) {
  json::array gates;
  for (const rollout::Gate& gate : state.gates) {
    gates.push_back(json::object{{"name", gate.name},
                                 {"result", json::string(to_string(gate.result))},
                                 {"why", printable(gate.why)},
                                 {"by", printable(gate.by)}});
  }
  return gates;
}

json::array passed_json(const View& view, const rollout::State& state) {
  json::array passed;
  for (const rollout::Passed& one : state.passed) {
    passed.push_back(json::object{{"stage", one.stage},
                                  {"at", time_json(view.clock, one.at)},
                                  {"waived", json::value_from(one.waived)},
                                  {"by", printable(one.by)}});
  }
  return passed;
}

/// JSON has no word for infinity, which is what a change without an upper bound has.
json::value bound_json(double x) { return std::isfinite(x) ? json::value(x) : json::value(nullptr); }

json::value judged_json(const View& view, engine::ServiceId id) {
  const auto& judge = view.live_service(id).judge;
  if (!judge) return nullptr;
  const canary::Judgement said = judge->judge(view.clock.now);
  json::array metrics;
  for (const canary::MetricReport& one : said.metrics) {
    const bool open = one.verdict == canary::Verdict::undecided || one.verdict == canary::Verdict::not_enough_data;
    metrics.push_back(
        json::object{{"name", one.name},
                     {"verdict", json::string(to_string(one.verdict))},
                     {"samples", json::array{one.canary.samples, one.baseline.samples}},
                     {"change", json::array{bound_json(one.lower), bound_json(one.change), bound_json(one.upper)}},
                     {"passes_in_ms", open ? passes_in(view, id, metrics.size()) : nullptr},
                     {"why", printable(one.why)}});
  }
  const auto& sources = view.live_service(id).judged;
  return json::object{{"verdict", json::string(to_string(said.verdict))},
                      {"metrics", std::move(metrics)},
                      {"fault", sources ? printable(sources->fault) : std::string()}};
}

json::value traffic_json(const View& view, engine::ServiceId id) {
  const auto& traffic = view.live_service(id).traffic;
  if (!traffic) return nullptr;
  return json::object{{"as_told", traffic->holds},
                      {"requests", traffic->requests},
                      {"requests_fresh", traffic->requests_fresh},
                      {"fault", printable(traffic->fault.empty() ? traffic->refused : traffic->fault)}};
}

json::array stages_json(const rollout::Policy& policy) {
  json::array stages;
  for (const rollout::Stage& stage : policy.stages) {
    stages.push_back(json::object{{"traffic_hundredths", stage.traffic},
                                  {"bake_ms", span_json(stage.bake)},
                                  {"pause", stage.pause.has_value()},
                                  {"gates", json::value_from(stage.gates)}});
  }
  return stages;
}

}  // namespace

json::value rollout_json(const View& view, const std::string& service) {
  const auto known = view.durable.services.find(service);
  const auto id = view.find(service);
  if (known == view.durable.services.end() || !known->second.rollout) return nullptr;
  const rollout::State& state = *known->second.rollout;
  json::object out{{"from", state.from},
                   {"to", state.to},
                   {"next", state.next},
                   {"phase", json::string(to_string(state.phase))},
                   {"stage", state.stage},
                   {"began", time_json(view.clock, state.began)},
                   {"since", time_json(view.clock, state.since)},
                   {"split", split_json(state.split)},
                   {"step", state.step ? json::value(split_json(state.step->to)) : json::value(nullptr)},
                   {"gates", gates_json(state)},
                   {"passed", passed_json(view, state)},
                   {"frozen", printable(state.frozen)},
                   {"blocked", printable(state.blocked)},
                   {"harm", printable(state.harm)},
                   {"by", printable(state.by)}};
  if (!id || !view.plan(*id).rollout) return out;
  out["stages"] = stages_json(view.plan(*id).rollout->policy);
  out["judge"] = view.engine == nullptr ? json::value(nullptr) : judged_json(view, *id);
  out["forecast"] =
      view.engine == nullptr || view.live_service(*id).judge ? json::array{} : forecast_json(view, *id, known->second);
  out["traffic"] = view.engine == nullptr ? json::value(nullptr) : traffic_json(view, *id);
  out["text"] = printable(engine::words_of(view.engine->state(), *id, state));
  return out;
}

}  // namespace homeostat::api
