// How the number of instances follows what is measured.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"
#include "homeostat/scaling_check.hpp"

namespace homeostat::config {
namespace {

const Table<MetricDraft>& metric_table() {
  static const Table<MetricDraft> table = [] {
    Table<MetricDraft> rows("scaling.metric",
                            "What is measured of each instance, and what its average should be; one of these.");
    rows.add("cpu", &MetricDraft::cpu, maybe(percent_type()),
             {.text = "Processor time of the instance and all it has started, of one processor.",
              .otherwise = "not measured",
              .example = "60%"});
    rows.add(
        "memory", &MetricDraft::memory, maybe(size_type()),
        {.text = "Memory of the instance and all it has started.", .otherwise = "not measured", .example = "512MiB"});
    return rows;
  }();
  return table;
}

MetricRule rule_of(const Named<Placed<MetricDraft>>& metric) {
  MetricRule rule;
  rule.id = metric.name;
  rule.kind = MetricKind::average;
  rule.cpu = metric.value.value.cpu.has_value();
  const std::uint64_t target = rule.cpu ? *metric.value.value.cpu : metric.value.value.memory.value_or(0);
  rule.target = static_cast<std::int64_t>(std::min<std::uint64_t>(target, std::uint64_t{1} << 50)) * 1000;
  return rule;
}

void check_metric(const Resolution& in, const Named<Placed<MetricDraft>>& metric) {
  const MetricDraft& draft = metric.value.value;
  if (draft.cpu.has_value() != draft.memory.has_value()) return;
  in.reader.problem(metric.value.node->at, fmt::format("metric `{}` needs one of `cpu` and `memory`", metric.name));
}

void check_scaling(const Resolution& in, const Named<ServiceDraft>& service, const ScalingDraft& scaling) {
  const Node& node = *service.node->find("scaling");
  if (scaling.min > scaling.max) {
    in.reader.problem(node.where("min"), fmt::format("min {} is more than max {}", scaling.min, scaling.max));
  }
  if (service.node->find("instances") != nullptr) {
    in.reader.problem(service.node->where("instances"),
                      "`instances` and `scaling` both say how many run: `scaling` has min and max");
  }
  if (!service.value.plan.runtime.managed) {
    in.reader.problem(node.at, "cpu and memory are measured of instances that the process runtime has started");
  }
  if (scaling.metrics.empty()) in.reader.problem(node.where("metrics"), "at least one metric is needed");
  for (const auto& metric : scaling.metrics) check_metric(in, metric);
  if (service.value.min_healthy.value_or(1) > std::max(scaling.min, 1U)) {
    in.reader.problem(service.node->where("min_healthy"),
                      fmt::format("with scaling's min of {} instances, {} healthy ones cannot always be", scaling.min,
                                  *service.value.min_healthy));
  }
}

}  // namespace

const Table<ScalingDraft>& scaling_table() {
  static const Table<ScalingDraft> table = [] {
    Table<ScalingDraft> rows("scaling", "How the number of instances follows what is measured.");
    rows.add("min", &ScalingDraft::min, count_type(1, 10'000),
             {.text = "Never fewer.", .fallback = "1", .example = "2"});
    rows.add("max", &ScalingDraft::max, count_type(1, 10'000),
             {.text = "Never more.", .example = "10", .required = true});
    rows.add("every", &ScalingDraft::every, duration_type(std::chrono::seconds(1)),
             {.text = "How often it is measured and decided.", .fallback = "15s", .example = "5s"});
    rows.add("metrics", &ScalingDraft::metrics, map_type("metric", placed(metric_table().type())),
             {.text = "What decides. Of several metrics, the one that needs the most instances.",
              .example = "{ cpu: { cpu: 60% } }",
              .required = true});
    rows.add("tolerance", &ScalingDraft::tolerance, percent_type(),
             {.text = "So far from its target a metric may be without a change.", .fallback = "10%", .example = "5%"});
    rows.add(
        "up_window", &ScalingDraft::up_window, duration_type(Duration{}),
        {.text = "More instances only when they have been needed for so long.", .fallback = "0s", .example = "30s"});
    rows.add("down_window", &ScalingDraft::down_window, duration_type(Duration{}),
             {.text = "Fewer only when no more have been needed for so long.", .fallback = "5m", .example = "10m"});
    return rows;
  }();
  return table;
}

std::vector<const Section*> scaling_sections() { return {&scaling_table().section(), &metric_table().section()}; }

void resolve_scaling(const Resolution& in, Named<ServiceDraft>& service) {
  if (!service.value.scaling) return;
  const ScalingDraft& draft = *service.value.scaling;
  const std::size_t before = in.reader.found();
  check_scaling(in, service, draft);
  engine::ScalingPlan scaling;
  scaling.every = draft.every;
  scaling.policy.range = {static_cast<std::int32_t>(draft.min), static_cast<std::int32_t>(draft.max)};
  scaling.policy.tolerance = {draft.tolerance * 10'000, draft.tolerance * 10'000};
  scaling.policy.up.window = draft.up_window;
  scaling.policy.down.window = draft.down_window;
  for (const auto& metric : draft.metrics) {
    scaling.policy.metrics.push_back(rule_of(metric));
    scaling.sources.push_back(metric.value.value.cpu ? engine::MetricSource::cpu : engine::MetricSource::memory);
  }
  const auto valid = validate(scaling.policy);
  if (!valid && in.reader.found() == before) {
    in.reader.problem(service.node->where("scaling"), valid.error());
  }
  service.value.plan.instances = draft.max;
  service.value.plan.scaling = std::make_shared<const engine::ScalingPlan>(std::move(scaling));
}

}  // namespace homeostat::config
