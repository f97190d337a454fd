// What is measured: the sources of a metric.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {

const Table<MetricDraft>& metric_table() {
  static const Table<MetricDraft> table = [] {
    Table<MetricDraft> rows("scaling.metric",
                            "What is measured, and what is made of it. One source: `cpu` or `memory`. The other keys "
                            "say how a number of instances follows; each belongs to one `kind`.");
    rows.add("cpu", &MetricDraft::cpu, maybe(percent_type()),
             {.text = "Processor time of the instance and all it has started, of one processor.",
              .otherwise = "not measured",
              .example = "60%"});
    rows.add(
        "memory", &MetricDraft::memory, maybe(size_type()),
        {.text = "Memory of the instance and all it has started.", .otherwise = "not measured", .example = "512MiB"});
    rows.include(metric_form_table(), &MetricDraft::form);
    return rows;
  }();
  return table;
}

bool by_instance(const MetricDraft& metric) { return metric.cpu || metric.memory; }

MetricRule metric_rule(const Named<Placed<MetricDraft>>& metric) {
  const MetricDraft& draft = metric.value.value;
  const MetricForm& form = draft.form;
  MetricRule rule;
  rule.id = metric.name;
  rule.kind = form.kind;
  if (rule.kind == MetricKind::utilization)
    rule.kind = by_instance(draft) ? MetricKind::average : MetricKind::total_average;
  rule.cpu = draft.cpu.has_value();
  rule.target = form.target;
  const std::uint64_t own = draft.cpu ? *draft.cpu : draft.memory.value_or(0);
  if (own != 0) rule.target = static_cast<std::int64_t>(std::min<std::uint64_t>(own, std::uint64_t{1} << 50)) * 1000;
  rule.threshold = form.threshold;
  rule.drain = form.drain;
  rule.panic = form.panic;
  rule.credit_starting = form.credit_starting;
  return rule;
}

void check_metric(const Resolution& in, const Named<Placed<MetricDraft>>& metric) {
  const MetricDraft& draft = metric.value.value;
  if (draft.cpu.has_value() == draft.memory.has_value()) {
    return in.reader.problem(metric.value.node->at,
                             fmt::format("metric `{}` needs one of `cpu` and `memory`", metric.name));
  }
  check_form(in, metric);
}

}  // namespace homeostat::config
