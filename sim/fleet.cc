// The fleets of the trials: every seed another mixture of what the configuration can say.
#include <algorithm>

#include "sim/plans.hpp"
#include "sim/trial.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(Random::mix(seed) ^ 0xf1ee7) {}

  ServicePlan service(std::uint32_t number) {
    ServicePlan s = web("s" + std::to_string(number), chance(30) ? static_cast<std::uint32_t>(2 + pick(2)) : 1);
    if (chance(75)) s.checks.erase(s.checks.begin());
    for (CheckPlan& check : s.checks) tune(check.policy);
    s.min_healthy = s.instances > 1 && chance(50) ? s.instances - 1 : 1;
    s.backoff.max = 20s * static_cast<int>(1 + pick(5));
    s.budget = Budget{static_cast<std::uint32_t>(1 + pick(3)), 0, 2min * static_cast<int>(1 + pick(3))};
    s.reopen_within = 2min;
    s.rearm_after = 1min * static_cast<int>(2 + pick(5));
    if (s.instances > 1 && chance(40)) {
      s.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin() + 1, rung(StrategyKind::restart, 1)); });
      s.ladder.change([&](auto& rungs) { rungs[1].reach = Reach::rolling; });
    }
    special(s, number);
    if (chance(40)) s.group = static_cast<std::uint32_t>(pick(2));
    if (number == 1 || (number >= 16 && number <= 18)) s.locks = {"schema"};
    return s;
  }

 private:
  void tune(CheckPolicy& policy) {
    static constexpr Duration kIntervals[] = {5s, 8s, 10s, 15s};
    policy.interval = kIntervals[pick(4)];
    policy.fast_interval = chance(50) ? 1s : 2s;
    policy.timeout = chance(50) ? 1s : 2s;
    if (policy.failure_threshold > 1) policy.failure_threshold = static_cast<std::uint32_t>(2 + pick(2));
    policy.success_threshold = static_cast<std::uint32_t>(1 + pick(2));
    if (policy.startup_grace > Duration{}) policy.startup_grace = 1s * static_cast<int>(pick(6));
  }

  void released(ServicePlan& s) {
    s.runtime.releases = true;
    s.release = "v1";
    s.stable_after = 20s;
    RungPlan rollback = rung(StrategyKind::rollback);
    rollback.when.changed_within = 5min;
    s.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), rollback); });
  }

  void staged(ServicePlan& s) {
    RolloutPlan plan;
    plan.policy.surge = s.instances % 2;
    plan.policy.add_stage(20, {"checks"}, 10s).add_stage(50, {"checks"}, 20s);
    plan.policy.stages.front().gates.emplace_back("smoke");
    plan.gates.push_back({.name = "smoke", .every = 10s, .answers_within = 20s});
    plan.policy.watch_after = 30s;
    plan.policy.step_within = 3min;
    plan.policy.deadline = 2min;
    s.instances += plan.policy.surge;
    s.rollout = std::make_shared<const RolloutPlan>(std::move(plan));
  }

  // Behind a proxy.
  void routed(ServicePlan& s) {
    s.routed = true;
    s.instances = 3;
    s.min_healthy = 1;
    released(s);
    RolloutPlan plan;
    plan.policy.routing = rollout::Routing::by_weight;
    plan.policy.surge = static_cast<std::uint32_t>(pick(2));
    plan.policy.add_stage(10, {"checks"}, 10s).add_stage(50, {"checks"}, 20s);
    plan.policy.watch_after = 30s;
    plan.policy.step_within = 3min;
    plan.policy.deadline = 2min;
    s.instances += plan.policy.surge;
    s.rollout = std::make_shared<const RolloutPlan>(std::move(plan));
  }

  void external(ServicePlan& s) {
    s.runtime.managed = false;
    s.instances = 1;
    s.min_healthy = 1;
    std::erase_if(s.checks, [](const CheckPlan& check) { return check.process; });
    s.ladder.change(
        [](auto& rungs) { std::erase_if(rungs, [](const RungPlan& rung) { return rung.reach != Reach::one; }); });
    RungPlan hook = rung(StrategyKind::exec, 2);
    hook.name = "hook";
    hook.idempotent = chance(30);
    s.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), hook); });
  }

  void special(ServicePlan& s, std::uint32_t number) {
    switch (number) {
      case 1:
        return released(s);
      case 2:
        released(s);
        return staged(s);
      case 3:
      case 4:
        return external(s);
      case 5:
      case 6:
        s.mode = Mode::approve;
        return;
      case 7:
        s.mode = Mode::shadow;
        return;
      case 8: {
        Prerequisite file;
        file.kind = Prerequisite::Kind::file_exists;
        file.text = "/srv/enabled exists";
        file.probe = 0;
        s.prerequisites = {file};
        return;
      }
      case 9:
      case 10:
        s.depends_on = {0};
        return;
      case 11:
      case 12:
      case 13:
        return scaled(s, number);
      case 14:
        s.depends_on = {9, Need(10, diagnosis::Tie::soft)};
        return;
      case 15:
        s.depends_on = {Need(9, diagnosis::Tie::hard, 1), Need(10, diagnosis::Tie::hard, 1)};
        return;
      case 16:
        return routed(s);
      case 17:
        s.instances = 4;
        return;
      case 18: {
        MaintenanceWindow window;
        window.start = *parse_cron("*/5 * * * *");
        window.end = *parse_cron("1-59/5 * * * *");
        s.maintenance = {window};
        return;
      }
      default:
        return;
    }
  }

  // Each instance takes a load of ten.
  void scaled(ServicePlan& s, std::uint32_t number) {
    ScalingPlan scaling;
    scaling.every = 10s;
    ScalingPolicy& policy = scaling.policy;
    const auto metric = [&](const char* id, MetricKind kind) {
      policy.metrics.emplace_back();
      policy.metrics.back().id = id;
      policy.metrics.back().kind = kind;
      policy.metrics.back().target = 10'000;
    };
    if (number == 13) {
      external(s);
      s.runtime.scale = true;
    }
    metric("share", number == 11   ? MetricKind::average
                    : number == 12 ? MetricKind::threshold
                                   : MetricKind::total_average);
    if (number != 12) metric("load", MetricKind::total_average);
    policy.range = {static_cast<std::int32_t>(1 + pick(2)), static_cast<std::int32_t>(4 + pick(3))};
    policy.up = {LimitSelect::largest, 10s * static_cast<int>(pick(3)), {{LimitUnit::instances, 2, 30s}}};
    policy.down = {LimitSelect::largest, 20s * static_cast<int>(1 + pick(3)), {{LimitUnit::instances, 1, 30s}}};
    policy.flap_budget = static_cast<std::int32_t>(pick(4));
    if (number == 12 && chance(50)) s.mode = Mode::approve;
    scaling.sources.resize(policy.metrics.size());
    for (std::uint32_t i = 0; number != 12 && i < scaling.sources.size(); ++i)
      scaling.sources[i] = {MetricSource::outside, i, number + i, 1min};
    s.instances = static_cast<std::uint32_t>(policy.range.max);
    s.min_healthy = 1;
    s.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
    RungPlan more = rung(StrategyKind::scale_up);
    more.raise = {200, s.instances - 1, 1min};
    s.ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), more); });
  }

  std::uint64_t pick(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  Random random_;
};

void widen(ServicePlan& s) {
  ScalingPlan scaling = *s.scaling;
  s.instances += 1;
  scaling.policy.range.max += 1;
  s.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
}

// Indices of services shift when one is left out.
void leave_out(Plan& plan, const std::vector<bool>& left_out) {
  std::vector<ServiceId> now(plan.services.size(), kNone);
  std::vector<ServicePlan> kept;
  for (ServiceId id = 0; id < plan.services.size(); ++id) {
    if (id < left_out.size() && left_out[id]) continue;
    now[id] = static_cast<ServiceId>(kept.size());
    kept.push_back(std::move(plan.services[id]));
  }
  for (ServicePlan& service : kept) {
    for (Need& need : service.depends_on) need.service = now[need.service];
    service.depends_on.erase_if([](const Need& need) { return need.service == kNone; });
  }
  plan.services = std::move(kept);
}

void ask_others(ServicePlan& s, std::uint64_t whom) {
  ScalingPlan scaling = *s.scaling;
  scaling.sources.front().identity = whom;
  s.scaling = std::make_shared<const ScalingPlan>(std::move(scaling));
}

void change(Plan& plan, std::uint64_t variant) {
  ServicePlan& s = plan.services[variant % plan.services.size()];
  switch (variant % 5) {
    case 0: {
      std::vector<bool> gone(plan.services.size());
      gone[variant / 5 % gone.size()] = true;
      return leave_out(plan, gone);
    }
    case 1:
      if (s.scaling) ask_others(s, variant);
      s.checks.back().identity = variant;
      s.runtime.commands = variant;
      return;
    case 2:
      s.checks.back().policy.failure_threshold += 1;
      return;
    case 3:
      if (s.scaling) return widen(s);
      s.instances += s.runtime.managed ? 1 : 0;
      return;
    default:
      if (s.mode == Mode::act) s.mode = Mode::approve;
      return;
  }
}

void guard(Plan& plan) {
  plan.groups = {{"few", Budget{1, 0, 3min}}, {"share", Budget{1, 25, 3min}}};
  if (plan.seed % 3 == 0) plan.instance = Budget{1, 0, 4min};
  plan.zones = {"UTC"};
  plan.approval_within = 1min * static_cast<int>(1 + plan.seed % 3);
  plan.storm_cool_down = 10s * static_cast<int>(1 + plan.seed % 4);
  if (plan.seed % 4 != 0) return;
  constexpr std::int64_t kBegin = 3600;  // when a trial begins, by the clock of the world
  MaintenanceWindow once;
  once.from = kBegin + 180;
  once.to = kBegin + 300;
  plan.maintenance = {once};
}

}  // namespace

Plan fleet_of(const Trial& trial, std::uint64_t variant) {
  Maker maker(trial.seed);
  std::vector<ServicePlan> services;
  for (std::uint32_t i = 0; i < kFleet; ++i) services.push_back(maker.service(i));
  Plan plan = sim::plan_of(std::move(services));
  for (const std::size_t routed : {16U, 17U}) {
    EjectionPlan& ejection = plan.ejections[plan.services[routed].name];
    ejection.breaker.window_time = 10s;
    ejection.breaker.open_for = 10s;
    ejection.breaker.open_cap = 1min;
    ejection.max_ejected = {0, trial.seed % 2 == 0 ? 34U : 50U};
  }
  leave_out(plan, trial.left_out);
  if (variant != 0 && plan.services.size() > 1) change(plan, variant);
  plan.seed = trial.seed;
  plan.breaker.consecutive_failures = static_cast<std::uint32_t>(2 + trial.seed % 3);
  plan.breaker.open_for = 2s * static_cast<int>(1 + trial.seed % 5);
  plan.breaker.open_cap = 30s;
  plan.notifiers.front().identity = variant % 2;
  guard(plan);
  return plan;
}

}  // namespace homeostat::sim
