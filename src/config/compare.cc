#include "config/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace homeostat::config {
namespace {

using engine::CheckPlan;
using engine::ServicePlan;

auto timing(const CheckPolicy& policy) {
  return std::tie(policy.interval, policy.fast_interval, policy.timeout, policy.failure_threshold,
                  policy.success_threshold, policy.startup_grace, policy.degraded_above, policy.critical_after);
}

auto rung(const engine::RungPlan& rung) {
  return std::tie(rung.strategy, rung.attempts, rung.verify_within, rung.when, rung.skip_after, rung.reach, rung.raise,
                  rung.version, rung.name, rung.idempotent);
}

auto budget(const engine::Budget& budget) { return std::tie(budget.max_actions, budget.percent, budget.per); }

auto command(const CommandSpec& command) {
  return std::tie(command.name, command.argv, command.user, command.cwd, command.timeout);
}

auto own_commands(const runtime::ExecSpec& spec) {
  return std::tie(spec.start, spec.stop, spec.restart, spec.rollback, spec.scale, spec.count, spec.drain, spec.status,
                  spec.user, spec.cwd, spec.timeout, spec.count_within, spec.idempotent);
}

bool same_run(const runtime::Spec& a, const runtime::Spec& b) {
  if (a.index() != b.index()) return false;
  if (const auto* exec = std::get_if<runtime::ExecSpec>(&a)) {
    return own_commands(*exec) == own_commands(std::get<runtime::ExecSpec>(b));
  }
  if (const auto* kept = std::get_if<runtime::KeptSpec>(&a)) return *kept == std::get<runtime::KeptSpec>(b);
  const auto& left = std::get<runtime::ProcessSpec>(a);
  const auto& right = std::get<runtime::ProcessSpec>(b);
  const auto rest = [](const runtime::ProcessSpec& spec) {
    return std::tie(spec.last_port, spec.stop_grace, spec.log_bytes, spec.on_shutdown);
  };
  return rest(left) == rest(right);
}

/// The rungs with the commands that those of the strategy `exec` run.
bool same_rungs(const engine::LadderPlan& a, const Config& before, const engine::LadderPlan& b, const Config& after) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
    if (rung(x) != rung(y)) return false;
    return x.strategy != engine::StrategyKind::exec ||
           command(before.commands[x.reference]) == command(after.commands[y.reference]);
  });
}

bool same_ladder(const ServicePlan& a, const Config& before, const ServicePlan& b, const Config& after) {
  return a.limits == b.limits && same_rungs(a.ladder, before, b.ladder, after);
}

bool same_issues(const ServicePlan& a, const Config& before, const ServicePlan& b, const Config& after) {
  const auto names = [](const ServicePlan& plan, const engine::IssuePlan& issue) {
    std::vector<std::string> checks;
    for (const engine::CheckId check : issue.checks) checks.push_back(plan.checks[check].name);
    return checks;
  };
  return std::equal(a.issues.begin(), a.issues.end(), b.issues.begin(), b.issues.end(),
                    [&](const auto& x, const auto& y) {
                      return x.name == y.name && x.limits == y.limits && names(a, x) == names(b, y) &&
                             same_rungs(x.ladder, before, y.ladder, after);
                    });
}

std::vector<std::string> dependencies(const ServicePlan& service, const Config& config) {
  std::vector<std::string> names;
  for (const engine::Need& need : service.depends_on) {
    names.push_back(
        fmt::format("{} {} {}", config.plan.services[need.service].name, diagnosis::to_string(need.tie), need.any_of));
  }
  for (const engine::Prerequisite& one : service.prerequisites) names.push_back(one.text);
  return names;
}

void compare_checks(const ServicePlan& before, const ServicePlan& after, std::vector<std::string>& what) {
  const auto find = [](const ServicePlan& in, const std::string& name) {
    return std::find_if(in.checks.begin(), in.checks.end(), [&](const CheckPlan& check) { return check.name == name; });
  };
  for (const CheckPlan& check : before.checks) {
    if (find(after, check.name) == after.checks.end()) what.push_back(fmt::format("check {}: removed", check.name));
  }
  for (const CheckPlan& check : after.checks) {
    const auto old = find(before, check.name);
    if (old == before.checks.end()) {
      what.push_back(fmt::format("check {}: added", check.name));
      continue;
    }
    if (old->identity != check.identity || old->scope != check.scope)
      what.push_back(fmt::format("check {}: target", check.name));
    if (old->role != check.role) what.push_back(fmt::format("check {}: role", check.name));
    if (timing(old->policy) != timing(check.policy)) what.push_back(fmt::format("check {}: timing", check.name));
  }
}

/// Without the places that only a rollout uses.
std::uint32_t instances_of(const ServicePlan& plan) {
  return plan.instances - (plan.rollout ? plan.rollout->policy.surge + plan.rollout->policy.baseline : 0);
}

/// Both have it, and it is worth to look at what differs in it.
bool both_have(bool before, bool after, std::string_view name, std::vector<std::string>& what) {
  if (before != after) what.push_back(fmt::format("{}: {}", name, after ? "added" : "removed"));
  return before && after;
}

bool same_metric(const Config& before, const engine::ScalingPlan& a, std::size_t i, const Config& after,
                 const engine::ScalingPlan& b, std::size_t j) {
  const engine::SourcePlan& x = a.sources[i];
  const engine::SourcePlan& y = b.sources[j];
  if (x.kind != y.kind || x.identity != y.identity || x.fresh_within != y.fresh_within) return false;
  if (a.policy.metrics[i] != b.policy.metrics[j]) return false;
  return x.kind != engine::MetricSource::outside ||
         before.sources[x.reference].timeout == after.sources[y.reference].timeout;
}

void compare_metrics(const Config& before, const engine::ScalingPlan& a, const Config& after,
                     const engine::ScalingPlan& b, std::vector<std::string>& what) {
  const auto& old = a.policy.metrics;
  const auto& now = b.policy.metrics;
  for (const MetricRule& metric : old) {
    if (std::ranges::find(now, metric.id, &MetricRule::id) == now.end())
      what.push_back(fmt::format("scaling metric {}: removed", metric.id));
  }
  for (std::size_t j = 0; j < now.size(); ++j) {
    const auto i = static_cast<std::size_t>(std::ranges::find(old, now[j].id, &MetricRule::id) - old.begin());
    if (i == old.size())
      what.push_back(fmt::format("scaling metric {}: added", now[j].id));
    else if (!same_metric(before, a, i, after, b, j))
      what.push_back(fmt::format("scaling metric {}: changed", now[j].id));
  }
}

void compare_scaling(const Config& before, const ServicePlan& a, const Config& after, const ServicePlan& b,
                     std::vector<std::string>& what) {
  if (!both_have(a.scaling != nullptr, b.scaling != nullptr, "scaling", what)) return;
  const CountRange& x = a.scaling->policy.range;
  const CountRange& y = b.scaling->policy.range;
  if (x != y) what.push_back(fmt::format("scaling: {} to {} instances -> {} to {}", x.min, x.max, y.min, y.max));
  compare_metrics(before, *a.scaling, after, *b.scaling, what);
  const auto rest = [](const engine::ScalingPlan& plan) {
    ScalingPolicy policy = plan.policy;
    policy.range = {};
    policy.metrics.clear();
    return std::pair(std::move(policy), plan.every);
  };
  if (rest(*a.scaling) != rest(*b.scaling)) what.emplace_back("scaling: rules");
}

void compare_rollout(const ServicePlan& a, const ServicePlan& b, std::vector<std::string>& what) {
  if (!both_have(a.rollout != nullptr, b.rollout != nullptr, "rollout", what)) return;
  rollout::Policy left = a.rollout->policy;
  const rollout::Policy& right = b.rollout->policy;
  if (left.stages != right.stages || a.rollout->gates != b.rollout->gates) what.emplace_back("rollout: stages");
  left.stages = right.stages;
  if (left != right) what.emplace_back("rollout: rules");
  if (a.rollout->metrics != b.rollout->metrics || a.rollout->told_by != b.rollout->told_by)
    what.emplace_back("rollout: judge");
}

/// By names: an index says nothing of another configuration.
auto windows(const Few<engine::MaintenanceWindow>& list, const Config& config) {
  std::vector<std::pair<engine::MaintenanceWindow, std::string>> out;
  for (engine::MaintenanceWindow window : list) {
    const std::string zone = window.to == 0 ? config.plan.zones[window.zone] : "";
    window.zone = 0;
    out.emplace_back(std::move(window), zone);
  }
  return out;
}

std::string group_of(const ServicePlan& plan, const Config& config) {
  return plan.group == engine::kNone ? "" : config.plan.groups[plan.group].name;
}

bool same_guardrails(const Config& before, const Config& after) {
  const auto all = [](const Config& config) {
    const engine::Plan& plan = config.plan;
    std::vector<std::tuple<std::string, std::uint32_t, std::uint32_t, Duration>> budgets;
    const auto add = [&](const std::string& name, const engine::Budget& b) {
      budgets.emplace_back(name, b.max_actions, b.percent, b.per);
    };
    add("fleet", plan.fleet);
    if (plan.instance) add("instance", *plan.instance);
    for (const engine::GroupPlan& group : plan.groups) add("group " + group.name, group.budget);
    return std::tuple(std::move(budgets), windows(plan.maintenance, config), plan.approval_within,
                      plan.storm_cool_down);
  };
  return all(before) == all(after);
}

void compare_limits(const Config& before, const ServicePlan& a, const Config& after, const ServicePlan& b,
                    std::vector<std::string>& what) {
  if (a.mode != b.mode) what.emplace_back("mode");
  if (group_of(a, before) != group_of(b, after)) what.emplace_back("group");
  if (windows(a.maintenance, before) != windows(b.maintenance, after)) what.emplace_back("maintenance");
  if (!a.scaling && !b.scaling && instances_of(a) != instances_of(b))
    what.push_back(fmt::format("instances {} -> {}", instances_of(a), instances_of(b)));
  const auto limits = [](const ServicePlan& plan) {
    return std::tuple(plan.min_healthy, plan.max_unavailable.count, plan.max_unavailable.percent, budget(plan.budget),
                      plan.backoff.initial, plan.backoff.max, plan.backoff.jitter_percent, plan.stable_after,
                      plan.reopen_within, plan.rearm_after);
  };
  if (limits(a) != limits(b)) what.emplace_back("limits");
  if (a.release != b.release) what.push_back("release");
}

auto traffic_breaker(const Config& config, const std::string& service) {
  const auto found = config.plan.ejections.find(service);
  const engine::EjectionPlan plan = found == config.plan.ejections.end() ? engine::EjectionPlan{} : found->second;
  return std::tuple(found == config.plan.ejections.end(), plan.breaker, plan.trial, plan.max_ejected.count,
                    plan.max_ejected.percent);
}

ServiceChange compare_service(const Config& before, const ServicePlan& a, const Config& after, const ServicePlan& b) {
  ServiceChange change;
  change.name = b.name;
  change.command = a.runtime.identity != b.runtime.identity;
  if (change.command) change.what.emplace_back("command");
  if (!same_run(before.runtimes[a.runtime.reference], after.runtimes[b.runtime.reference]))
    change.what.emplace_back("run");
  compare_checks(a, b, change.what);
  if (!same_ladder(a, before, b, after)) change.what.emplace_back("remediation");
  if (!same_issues(a, before, b, after)) change.what.emplace_back("issues");
  if (a.locks != b.locks) change.what.emplace_back("locks");
  if (a.completion != b.completion) change.what.emplace_back("completion");
  if (dependencies(a, before) != dependencies(b, after)) change.what.emplace_back("dependencies");
  compare_limits(before, a, after, b, change.what);
  compare_scaling(before, a, after, b, change.what);
  compare_rollout(a, b, change.what);
  const bool same_traffic = before.traffic[a.runtime.reference] == after.traffic[b.runtime.reference] &&
                            traffic_breaker(before, a.name) == traffic_breaker(after, b.name);
  if (!same_traffic) change.what.emplace_back("traffic");
  return change;
}

}  // namespace

Comparison compare(const Config& before, const Config& after) {
  Comparison out;
  out.services_before = before.plan.services.size();
  std::map<std::string_view, const ServicePlan*> old, now;
  for (const ServicePlan& service : before.plan.services) old.emplace(service.name, &service);
  for (const ServicePlan& service : after.plan.services) now.emplace(service.name, &service);
  for (const ServicePlan& service : before.plan.services) {
    if (!now.contains(service.name)) out.removed.push_back(service.name);
  }
  for (const ServicePlan& service : after.plan.services) {
    const auto known = old.find(service.name);
    if (known == old.end()) {
      out.added.push_back(service.name);
      continue;
    }
    ServiceChange change = compare_service(before, *known->second, after, service);
    if (!change.what.empty()) out.changed.push_back(std::move(change));
  }
  const bool same_notifiers = std::equal(
      before.notifiers.begin(), before.notifiers.end(), after.notifiers.begin(), after.notifiers.end(),
      [](const auto& a, const auto& b) { return command(a.command) == command(b.command) && a.sender == b.sender; });
  if (!same_notifiers) out.other.emplace_back("notifiers");
  if (!same_guardrails(before, after)) out.other.emplace_back("guardrails");
  if (before.plan.breaker != after.plan.breaker) out.other.emplace_back("breakers");
  return out;
}

}  // namespace homeostat::config
