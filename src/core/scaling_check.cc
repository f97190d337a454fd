#include "homeostat/scaling_check.hpp"

#include <algorithm>

#include "core/scaling_form.hpp"
#include "core/scaling_limits.hpp"
#include "core/scaling_math.hpp"
#include "core/scaling_metric.hpp"

namespace homeostat {
namespace {

constexpr Duration kLongestWindow = std::chrono::hours(1);
constexpr Duration kLongestPeriod = std::chrono::minutes(30);
constexpr std::int32_t kSwingUpTo = 100;  // instances; what swings, swings with few
constexpr std::int64_t kRequest = 1000;
constexpr std::size_t kSteps = 20;
constexpr std::size_t kMostLimits = 10;

std::string check_direction(const DirectionRules& rules, const std::string& name) {
  if (rules.window < Duration{} || rules.window > kLongestWindow) return name + ".window is at most 1h";
  if (rules.limits.empty() && rules.select != LimitSelect::disabled)
    return name + ".limits needs one; to never go " + name + ", select disabled";
  if (rules.limits.size() > kMostLimits) return name + ".limits are at most 10";
  for (const RateLimit& limit : rules.limits) {
    if (limit.value < 1) return name + ".limits: a limit is at least 1";
    if (limit.period <= Duration{} || limit.period > kLongestPeriod)
      return name + ".limits: a period is above 0 and at most 30m";
  }
  return {};
}

std::string check_metric(const MetricRule& rule) {
  if (rule.id.empty()) return "a metric needs an id";
  if (rule.kind != MetricKind::drain && rule.target <= 0) return rule.id + ".target is above 0";
  const ThresholdForm& form = rule.threshold;
  if (rule.kind == MetricKind::threshold && (form.down < 0 || form.down >= form.up))
    return rule.id + ": scale_down_threshold is below scale_up_threshold";
  if (rule.kind == MetricKind::threshold && form.range.max < form.range.min) return rule.id + ".max is below its min";
  if (rule.kind == MetricKind::drain && rule.drain.drain_within <= Duration{})
    return rule.id + ".drain_within is above 0";
  const PanicPolicy& panic = rule.panic;
  if (rule.kind == MetricKind::panic && (panic.up_rate <= kMillion || panic.down_rate <= kMillion))
    return rule.id + ": both rates are above 1";
  if (rule.kind == MetricKind::panic && panic.stable_window < std::chrono::seconds(6))
    return rule.id + ".stable_window is at least 6s";
  return {};
}

std::string check_fallback(const ScalingPolicy& policy) {
  std::int32_t most = policy.range.max;
  for (const ScalingSchedule& schedule : policy.schedules) most = std::max(most, schedule.max.value_or(most));
  if (policy.fallback.after <= 0 || policy.fallback.instances <= most) return {};
  return "fallback.instances " + std::to_string(policy.fallback.instances) + " is more than max " +
         std::to_string(most);
}

std::string find_problem(const ScalingPolicy& policy) {
  if (policy.range.min < 0) return "min is not below 0";
  if (policy.range.max < std::max(1, policy.range.min)) return "max is at least 1, and not below min";
  if (policy.metrics.empty()) return "metrics needs one";
  for (std::size_t i = 0; i < policy.metrics.size(); ++i) {
    if (std::string problem = check_metric(policy.metrics[i]); !problem.empty()) return problem;
    for (std::size_t k = 0; k < i; ++k) {
      if (policy.metrics[k].id == policy.metrics[i].id) return "two metrics are called " + policy.metrics[i].id;
    }
  }
  if (policy.tolerance.up < 0 || policy.tolerance.down < 0) return "tolerance is not below 0";
  if (std::string problem = check_direction(policy.up, "up"); !problem.empty()) return problem;
  if (std::string problem = check_direction(policy.down, "down"); !problem.empty()) return problem;
  const std::int32_t activation = policy.activation.metric;
  if (activation >= static_cast<std::int32_t>(policy.metrics.size())) return "activation.metric is one of the metrics";
  if (activation >= 0 && policy.range.min != 0) return "activation needs min 0";
  for (const ScalingSchedule& schedule : policy.schedules) {
    if (schedule.min && schedule.max && *schedule.max < *schedule.min) return "a schedule's max is below its min";
  }
  return check_fallback(policy);
}

std::string show(const RateLimit& limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit.period).count();
  return std::to_string(limit.value) + (limit.unit == LimitUnit::percent ? " %" : " instances") + " in " +
         std::to_string(seconds) + " s";
}

std::string show_thousandths(std::int64_t value) {
  const std::string decimals = std::to_string(value % 1000);
  return std::to_string(value / 1000) + "." + std::string(3 - decimals.size(), '0') + decimals;
}

/// What a metric proposes when `load` is spread over `count` equal instances that are all ready.
std::int32_t answer(const ScalingPolicy& policy, const MetricRule& rule, std::int64_t load, std::int32_t count) {
  ScalingInstance instance;
  instance.request = kRequest;
  const std::vector<ScalingInstance> instances(static_cast<std::size_t>(count), instance);
  std::vector<MetricSample> samples;
  for (std::int32_t i = 0; i < count; ++i) samples.push_back({static_cast<std::uint32_t>(i), load / count, {}, {}});
  const MetricReading reading{MetricFault::none, samples, {}};
  MetricTrace trace;
  if (is_form(rule.kind)) {
    MetricMemory memory;
    propose_form(rule, reading, {{}, instances, {count, count}, {}, {}}, {}, memory, {}, trace);
  } else {
    propose(policy, rule, reading, instances, {count, count}, {}, trace);
  }
  return std::clamp(trace.proposal, std::max(1, policy.range.min), policy.range.max);
}

/// Where `count` instances go under a constant load, if they come back to `count`.
std::string swing(const ScalingPolicy& policy, const MetricRule& rule, std::int64_t load, std::int32_t count) {
  std::string way = std::to_string(count);
  std::int32_t at = count;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const std::int32_t next = answer(policy, rule, load, at);
    if (next == at) return {};
    way += " to " + std::to_string(next);
    at = next;
    if (at == count) return way;
  }
  return {};
}

void find_swing(const ScalingPolicy& policy, const MetricRule& rule, std::vector<std::string>& out) {
  MetricRule plain = rule;
  plain.cpu = false;
  plain.threshold.up_cooldown = plain.threshold.down_cooldown = {};
  const bool threshold = rule.kind == MetricKind::threshold;
  if (!threshold && rule.kind != MetricKind::utilization && rule.kind != MetricKind::average) return;
  const std::int64_t target = rule.kind == MetricKind::utilization ? rule.target * kRequest / 100 : rule.target;
  const std::int64_t up = threshold ? rule.threshold.up : kMillion + policy.tolerance.up;
  const std::int64_t down = threshold ? rule.threshold.down : kMillion - policy.tolerance.down;
  for (std::int32_t n = std::max(1, policy.range.min); n <= std::min(policy.range.max, kSwingUpTo); ++n) {
    for (const std::int64_t edge : {up, down}) {
      for (const std::int64_t beside : {-1, 1}) {
        const std::int64_t load = saturate(Wide{target} * edge * n / kMillion + Wide{beside} * n);
        const std::string way = load <= 0 ? std::string() : swing(policy, plain, load, n);
        if (way.empty()) continue;
        out.push_back(rule.id + " swings under a constant load: with " + show_thousandths(load / n) + " for each of " +
                      std::to_string(n) + " it goes from " + way +
                      "; what is not acted upon is narrower than one instance");
        return;
      }
    }
  }
}

/// How far one limit alone lets `n` instances go.
std::int32_t alone(const RateLimit& limit, std::int32_t n, bool up) {
  const DirectionRules rules{LimitSelect::largest, {}, {limit}};
  return up ? up_limit({}, rules, n, {}) : down_limit({}, rules, n, {});
}

/// True when for every number of instances another limit of the same period binds instead.
bool never_binds(const ScalingPolicy& policy, const DirectionRules& rules, std::size_t index, bool up) {
  const RateLimit& limit = rules.limits[index];
  for (std::int32_t n = policy.range.min; n <= std::min(policy.range.max, kSwingUpTo * 10); ++n) {
    bool other = false;
    for (std::size_t k = 0; k < rules.limits.size(); ++k) {
      if (k == index || rules.limits[k].period != limit.period) continue;
      const std::int32_t mine = alone(limit, n, up);
      const std::int32_t theirs = alone(rules.limits[k], n, up);
      const bool further = up ? theirs > mine : theirs < mine;
      const bool nearer = up ? theirs < mine : theirs > mine;
      if (rules.select == LimitSelect::largest ? further : nearer) other = true;
    }
    if (!other) return false;
  }
  return true;
}

void find_limits(const ScalingPolicy& policy, const DirectionRules& rules, bool up, std::vector<std::string>& out) {
  const std::string name = up ? "up" : "down";
  const std::int32_t from = up ? policy.range.min : policy.range.max;
  const std::int32_t to = up ? policy.range.max : policy.range.min;
  for (std::size_t i = 0; i < rules.limits.size() && rules.select != LimitSelect::disabled; ++i) {
    const RateLimit& limit = rules.limits[i];
    // A hundred percent down is how to say that there is no limit.
    if (!up && limit.unit == LimitUnit::percent && limit.value >= 100) continue;
    const std::int32_t reach = alone(limit, from, up);
    if (from != to && (up ? reach >= to : reach <= to)) {
      out.push_back(name + ": " + show(limit) + " can never bind: it reaches from " + std::to_string(from) + " to " +
                    std::to_string(to) + " at once");
    } else if (never_binds(policy, rules, i, up)) {
      out.push_back(name + ": " + show(limit) + " can never bind: another of the same period always does");
    }
  }
}

}  // namespace

std::expected<void, std::string> validate(const ScalingPolicy& policy) {
  std::string problem = find_problem(policy);
  if (!problem.empty()) return std::unexpected(std::move(problem));
  return {};
}

std::vector<std::string> warnings(const ScalingPolicy& policy) {
  std::vector<std::string> out;
  for (const MetricRule& rule : policy.metrics) find_swing(policy, rule, out);
  if (!policy.behavior) return out;
  if (policy.range.min == 0 && policy.up.select != LimitSelect::disabled && up_limit({}, policy.up, 0, {}) <= 0)
    out.push_back("up: from 0 instances it never moves: a share of nothing is nothing; add a limit in instances");
  find_limits(policy, policy.up, true, out);
  find_limits(policy, policy.down, false, out);
  return out;
}

}  // namespace homeostat
