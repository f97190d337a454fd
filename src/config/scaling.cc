// How the number of instances follows what is measured.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"
#include "homeostat/scaling_check.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kMostMetrics = 32;

Type<Tolerance> tolerance_type() {
  const std::string ratio = ratio_type().shape.schema;
  const Shape shape{"ratio, or { up, down }",
                    R"({"anyOf":[)" + ratio + R"(,{"type":"object","additionalProperties":false,"properties":{"up":)" +
                        ratio + R"(,"down":)" + ratio + "}}]}"};
  return {shape, [](const Node& node, Reader& reader, Tolerance& out) {
            static const Table<Tolerance> each = [] {
              Table<Tolerance> rows("scaling.tolerance", "");
              rows.add("up", &Tolerance::up, ratio_type(), {.text = "On the way up.", .fallback = "10%"});
              rows.add("down", &Tolerance::down, ratio_type(), {.text = "On the way down.", .fallback = "10%"});
              return rows;
            }();
            if (node.is_map()) return each.read(node, reader, out);
            ratio_type().read(node, reader, out.up);
            out.down = out.up;
          }};
}

template <class M>
auto of(M ScalingPolicy::* member) {
  return [member](ScalingDraft& draft) -> auto& { return draft.policy.*member; };
}

void add_range(Table<ScalingDraft>& rows) {
  const auto count = [](std::uint32_t least) { return converted<std::int32_t>(count_type(least, 10'000)); };
  rows.add("min", [](ScalingDraft& draft) -> auto& { return draft.policy.range.min; }, count(0),
           {.text = "Never fewer. 0 needs `activation`.", .fallback = "1", .example = "2"});
  rows.add("max", [](ScalingDraft& draft) -> auto& { return draft.policy.range.max; }, count(1),
           {.text = "Never more.", .example = "10", .required = true});
  rows.add("every", &ScalingDraft::every, duration_type(std::chrono::seconds(1)),
           {.text = "How often it is measured and decided.", .fallback = "15s", .example = "5s"});
  rows.add("metrics", &ScalingDraft::metrics, map_type("metric", placed(metric_table().type())),
           {.text = "What decides. Of several metrics, the one that needs the most instances.",
            .example = "{ cpu: { cpu: 60% } }",
            .required = true});
  rows.add("tolerance", of(&ScalingPolicy::tolerance), tolerance_type(),
           {.text = "So far from its target a metric may be without a change.",
            .fallback = "10%",
            .example = "{ up: 5%, down: 20% }"});
  rows.add("up", of(&ScalingPolicy::up), up_table().type(),
           {.text = "How fast it grows.", .fallback = "{}", .example = "{ limits: [{ instances: 2, per: 1m }] }"});
  rows.add("down", of(&ScalingPolicy::down), down_table().type(),
           {.text = "How fast it shrinks.", .fallback = "{}", .example = "{ window: 10m }"});
}

void add_rules(Table<ScalingDraft>& rows) {
  rows.add("schedules", &ScalingDraft::schedules, list_type(placed(schedule_table().type())),
           {.text = "Other bounds by the hour.",
            .otherwise = "none",
            .example = "[{ start: 0 8 * * mon-fri, end: 0 18 * * mon-fri, zone: Europe/Berlin, min: 4 }]"});
  rows.add("fallback", of(&ScalingPolicy::fallback), fallback_table().type(),
           {.text = "What to do while a metric cannot be read for long.",
            .otherwise = "the number is held",
            .example = "{ after: 4, instances: 6 }"});
  rows.add("activation", &ScalingDraft::activation, maybe(activation_table().type()),
           {.text = "When none at all is needed.", .otherwise = "always some", .example = "{ metric: waiting }"});
  rows.add("help", of(&ScalingPolicy::help), help_table().type(),
           {.text = "Whether more instances help.", .fallback = "{}", .example = "{ tries: 0 }"});
  rows.add("flap_budget", of(&ScalingPolicy::flap_budget), converted<std::int32_t>(count_type(0, 3600)),
           {.text = "So often within an hour it may turn from up to down; then it stays up. 0: any number of times.",
            .fallback = "6",
            .example = "2"});
  rows.add("shadow", of(&ScalingPolicy::shadow), bool_type(),
           {.text = "Decide and say, but change nothing.", .fallback = "false", .example = "true"});
  rows.add("cpu_start_period", of(&ScalingPolicy::cpu_start_period), duration_type(Duration{}),
           {.text = "So long after its start an instance's processor time says nothing, unless it is ready and a whole "
                    "look was taken since.",
            .fallback = "5m",
            .example = "1m"});
  rows.add("first_ready_delay", of(&ScalingPolicy::first_ready_delay), duration_type(Duration{}),
           {.text = "An instance that became unready within this time of its start has never been ready.",
            .fallback = "30s",
            .example = "1m"});
}

void check_zero(const Resolution& in, const Node& node, const ScalingDraft& scaling) {
  const bool may_be_none = scaling.policy.range.min == 0;
  if (may_be_none && !scaling.activation) {
    in.reader.problem(node.where("min"), "with min 0, `activation` must say which metric calls for the first one");
  }
  for (const auto& schedule : scaling.schedules) {
    if (schedule.value.min == 0 && !may_be_none)
      in.reader.problem(schedule.node->where("min"), "a min of 0 by the hour needs `min: 0` of the scaling, too");
  }
  if (!scaling.activation) return;
  const Position at = find_at(node, {"activation", "metric"});
  const auto metric = std::ranges::find(scaling.metrics, scaling.activation->metric, &Named<Placed<MetricDraft>>::name);
  if (metric == scaling.metrics.end()) {
    in.reader.problem(at, fmt::format("no metric is called {}", quote(scaling.activation->metric)));
  } else if (by_instance(metric->value.value)) {
    in.reader.problem(
        at, fmt::format("{} is measured of each instance: with none there is nothing to measure", quote(metric->name)));
  }
  if (!may_be_none) in.reader.problem(find_at(node, {"activation"}), "`activation` needs `min: 0`");
}

/// The most there may ever be: places are planned for them.
std::uint32_t most_of(const ScalingDraft& draft) {
  std::int32_t most = draft.policy.range.max;
  for (const auto& [at, schedule] : draft.schedules)
    most = std::max({most, schedule.max.value_or(0), schedule.min.value_or(0)});
  return static_cast<std::uint32_t>(most);
}

void check_range(const Resolution& in, const Node& node, const ScalingDraft& scaling) {
  const CountRange range = scaling.policy.range;
  if (range.min > range.max)
    in.reader.problem(node.where("min"), fmt::format("min {} is more than max {}", range.min, range.max));
  for (const auto& [at, schedule] : scaling.schedules) {
    const std::int32_t min = schedule.min.value_or(range.min);
    const std::int32_t max = schedule.max.value_or(range.max);
    if (min > max && schedule.max)
      in.reader.problem(at->where("max"), fmt::format("min {} is more than max {} meanwhile", min, max));
    if (!schedule.min && !schedule.max) in.reader.problem(at->at, "a schedule needs `min`, `max` or both");
    if (schedule.start == schedule.end) in.reader.problem(at->where("end"), "it ends when it begins: it never holds");
  }
  const std::int32_t most = static_cast<std::int32_t>(most_of(scaling));
  if (scaling.policy.fallback.after > 0 && scaling.policy.fallback.instances > most) {
    in.reader.problem(find_at(node, {"fallback", "instances"}),
                      fmt::format("{} are more than may ever run: max is {}", scaling.policy.fallback.instances, most));
  }
}

void check_scaling(const Resolution& in, const Named<ServiceDraft>& service, const ScalingDraft& scaling) {
  const Node& node = *service.node->find("scaling");
  check_range(in, node, scaling);
  check_zero(in, node, scaling);
  if (service.node->find("instances") != nullptr) {
    in.reader.problem(service.node->where("instances"),
                      "`instances` and `scaling` both say how many run: `scaling` has min and max");
  }
  const auto own = [](const auto& metric) { return !metric.value.value.source; };
  if (!std::holds_alternative<runtime::ProcessSpec>(service.value.run.spec) &&
      std::ranges::any_of(scaling.metrics, own)) {
    in.reader.problem(node.at, "cpu and memory are measured of instances that the process runtime has started");
  }
  if (scaling.metrics.size() > kMostMetrics)
    in.reader.problem(node.where("metrics"), fmt::format("more than {} metrics", kMostMetrics));
  if (scaling.metrics.empty()) in.reader.problem(node.where("metrics"), "at least one metric is needed");
  for (const auto& metric : scaling.metrics) check_metric(in, metric);
  const auto least = static_cast<std::uint32_t>(std::max(scaling.policy.range.min, 1));
  if (service.value.min_healthy.value_or(1) > least) {
    in.reader.problem(service.node->where("min_healthy"),
                      fmt::format("with scaling's min of {} instances, {} healthy ones cannot always be",
                                  scaling.policy.range.min, *service.value.min_healthy));
  }
}

engine::SourcePlan source_plan(const Resolution& in, const Named<ServiceDraft>& service,
                               const Placed<MetricDraft>& metric, MetricKind kind) {
  if (metric.value.source) return resolve_source(in, service, *metric.node, *metric.value.source, kind);
  return {.kind = metric.value.cpu ? engine::MetricSource::cpu : engine::MetricSource::memory};
}

engine::ScalingPlan plan_of(const Resolution& in, const Named<ServiceDraft>& service, const ScalingDraft& draft) {
  engine::ScalingPlan out;
  out.every = draft.every;
  out.policy = draft.policy;
  for (const auto& metric : draft.metrics) {
    const bool used = draft.activation && draft.activation->metric == metric.name;
    if (used) out.policy.activation.metric = static_cast<std::int32_t>(out.policy.metrics.size());
    out.policy.metrics.push_back(metric_rule(metric));
    out.sources.push_back(source_plan(in, service, metric.value, out.policy.metrics.back().kind));
  }
  if (draft.activation) {
    out.policy.activation.above = draft.activation->above;
    out.policy.activation.idle_for = draft.activation->idle_for;
  }
  for (const auto& schedule : draft.schedules) out.policy.schedules.push_back(schedule.value);
  return out;
}

ScalingPosition positions_of(const Node& node, const ScalingDraft& draft, std::uint32_t service) {
  const auto limits = [&](std::string_view direction) {
    const Node* rules = node.find(direction);
    const Node* given = rules == nullptr ? nullptr : rules->find("limits");
    return given == nullptr ? std::nullopt : std::optional(given->at);
  };
  ScalingPosition out{service, node.at, limits("up"), limits("down"), {}};
  for (const auto& metric : draft.metrics) out.metrics.push_back(metric.at);
  return out;
}

}  // namespace

const Table<ScalingDraft>& scaling_table() {
  static const Table<ScalingDraft> table = [] {
    Table<ScalingDraft> rows("scaling", "How the number of instances follows what is measured.");
    add_range(rows);
    add_rules(rows);
    return rows;
  }();
  return table;
}

std::vector<const Section*> scaling_sections() {
  return {&scaling_table().section(),  &metric_table().section(),     &up_table().section(),
          &down_table().section(),     &rate_limit_table().section(), &schedule_table().section(),
          &fallback_table().section(), &activation_table().section(), &help_table().section(),
          &http_source_section(),      &promql_source_section(),      &haproxy_source_section(),
          &exec_source_section()};
}

void resolve_scaling(const Resolution& in, Named<ServiceDraft>& service) {
  if (!service.value.scaling) return;
  ScalingDraft& draft = *service.value.scaling;
  for (auto& metric : draft.metrics) {
    if (metric.value.value.source) complete_source(in, service, *metric.value.node, *metric.value.value.source);
  }
  check_scaling(in, service, draft);
  engine::ScalingPlan scaling = plan_of(in, service, draft);
  const auto valid = validate(scaling.policy);
  // What has been said with its exact place already is not said again.
  if (!valid && in.reader.found() == 0) in.reader.problem(service.node->where("scaling"), valid.error());
  const Node& node = *service.node->find("scaling");
  in.config.scalings.push_back(positions_of(node, draft, service.value.plan.runtime.reference));
  service.value.plan.instances = most_of(draft);
  service.value.plan.scaling = std::make_shared<const engine::ScalingPlan>(std::move(scaling));
}

}  // namespace homeostat::config
