// What is measured: the sources of a metric.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {

const Table<MetricDraft>& metric_table() {
  static const Table<MetricDraft> table = [] {
    Table<MetricDraft> rows(
        "scaling.metric",
        "What is measured, and what is made of it. One source: `cpu`, `memory`, `http`, `promql`, `haproxy` "
        "or `exec`. The other keys say how a number of instances follows; each belongs to one `kind`.");
    rows.add_kind(
        "cpu", &MetricDraft::cpu, maybe(percent_type()),
        {.text = "Processor time of the instance and all it has started, of one processor.", .example = "60%"});
    rows.add_kind("memory", &MetricDraft::memory, maybe(size_type()),
                  {.text = "Memory of the instance and all it has started.", .example = "512MiB"});
    rows.add_kind("http", &MetricDraft::source, maybe(http_source_type()),
                  {.text = "A number that a web server tells.",
                   .example = "{ url: 'http://127.0.0.1:8080/stats', json: /waiting }"});
    rows.add_kind("promql", &MetricDraft::source, maybe(promql_source_type()),
                  {.text = "A number that a Prometheus computes.",
                   .example = "{ url: 'http://127.0.0.1:9090', query: sum(jobs_waiting) }"});
    rows.add_kind("haproxy", &MetricDraft::source, maybe(haproxy_source_type()),
                  {.text = "A number out of HAProxy's statistics, with the names it has there.",
                   .example = "{ field: qcur, of: backend }"});
    rows.add_kind("exec", &MetricDraft::source, maybe(exec_source_type()),
                  {.text = "A number that a command prints.", .example = "[/usr/local/bin/queue-length]"});
    rows.kinds("source");
    rows.include(metric_form_table(), &MetricDraft::form);
    return rows;
  }();
  return table;
}

bool by_instance(const MetricDraft& metric) {
  return metric.cpu || metric.memory || (metric.source && by_instance(*metric.source));
}

MetricRule metric_rule(const Named<Placed<MetricDraft>>& metric) {
  const MetricDraft& draft = metric.value.value;
  const MetricForm& form = draft.form;
  MetricRule rule;
  rule.id = metric.name;
  rule.kind = form.kind;
  if (rule.kind == MetricKind::utilization)
    rule.kind = by_instance(draft) ? MetricKind::average : MetricKind::total_average;
  rule.cpu = draft.cpu.has_value();
  rule.external = draft.source.has_value();
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
  if (!draft.cpu && !draft.memory && !draft.source) return;  // the reader has said so
  check_form(in, metric);
}

}  // namespace homeostat::config
