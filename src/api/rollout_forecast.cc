#include "api/rollout_forecast.hpp"

#include <algorithm>

#include "homeostat/canary.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::api {
namespace {

Duration horizon_of(const rollout::Policy& policy, std::uint32_t stage) {
  return policy.stages[stage].bake + policy.deadline;
}

/// How much there is to compare where the proxy leads the stage's share to the new version.
canary::Traffic at_share(canary::Traffic traffic, const rollout::Policy& policy, std::uint32_t stage) {
  const double share = static_cast<double>(policy.stages[stage].traffic) / rollout::kAll;
  const double all = traffic.canary_per_minute + traffic.baseline_per_minute;
  traffic.canary_per_minute = all * share;
  traffic.baseline_per_minute = policy.baseline > 0 ? all * share : all * (1 - share);
  return traffic;
}

std::optional<canary::Forecast> expected(const engine::RolloutPlan& plan, const engine::JudgeKept& before,
                                         std::size_t metric, std::uint32_t stage) {
  const auto& metrics = before.judge.metrics();
  const auto same = std::ranges::find(metrics, plan.metrics[metric]);
  if (same == metrics.end()) return std::nullopt;
  const auto number = static_cast<std::size_t>(same - metrics.begin());
  auto traffic = before.judge.traffic(number, before.until - before.since);
  if (!traffic) return std::nullopt;
  if (plan.source_of(metric).kind == engine::JudgeSource::errors) *traffic = at_share(*traffic, plan.policy, stage);
  return before.judge.expect(number, *traffic, horizon_of(plan.policy, stage));
}

}  // namespace

json::array forecast_json(const View& view, engine::ServiceId id, const engine::ServiceState& known) {
  const engine::RolloutPlan& plan = *view.plan(id).rollout;
  const std::uint32_t stage = known.rollout->stage;
  json::array out;
  if (!rising(*known.rollout) || stage >= plan.policy.stages.size()) return out;
  for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
    json::object one{{"name", plan.metrics[i].name},
                     {"within_ms", span_json(horizon_of(plan.policy, stage))},
                     {"known", false},
                     {"least_harm", nullptr},
                     {"passes_after_ms", nullptr}};
    const auto forecast = known.judged_before ? expected(plan, *known.judged_before, i, stage) : std::nullopt;
    one["known"] = forecast.has_value();
    if (forecast && forecast->least_harm) one["least_harm"] = *forecast->least_harm;
    if (forecast) one["passes_after_ms"] = span_json(forecast->passes_after);
    out.push_back(std::move(one));
  }
  return out;
}

json::value passes_in(const View& view, engine::ServiceId id, std::size_t metric) {
  const engine::LiveService& live = view.live_service(id);
  const Duration told_for = view.clock.now - live.judge_since;
  const auto traffic = live.judge->traffic(metric, told_for);
  if (!traffic) return nullptr;
  const auto& stages = view.plan(id).rollout->policy.stages;
  const std::uint32_t stage = view.durable.services.at(view.plan(id).name).rollout->stage;
  if (stage >= stages.size()) return nullptr;
  const auto after =
      live.judge->expect(metric, *traffic, horizon_of(view.plan(id).rollout->policy, stage)).passes_after;
  return after ? span_json(std::max(Duration{}, *after - told_for)) : json::value(nullptr);
}

}  // namespace homeostat::api
