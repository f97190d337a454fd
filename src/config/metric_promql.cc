// A number that a Prometheus computes.
#include "config/metric_source.hpp"
#include "config/promql_target.hpp"

namespace homeostat::config {
namespace {

struct Promql {
  PromqlTarget target;
  std::string done, label, label_value;
  SourceTiming timing;
};

const Table<Promql>& promql_table() {
  static const Table<Promql> table = [] {
    Table<Promql> rows("scaling.metric.promql",
                       "A number that a Prometheus computes: a scalar, or a vector of one element. With `label` an "
                       "element for each instance.");
    rows.include(promql_target_table(), &Promql::target);
    rows.add("done", &Promql::done, text_type(),
             {.text = "Of a queue (`kind: drain`): the query that says how many were done so far, a number that only "
                      "grows.",
              .otherwise = "needed by `drain`, and only there",
              .example = "sum(jobs_done_total)"});
    rows.add("label", &Promql::label, text_type(),
             {.text = "The label by which an element of the result belongs to an instance.",
              .otherwise = "one number",
              .example = "instance"});
    rows.add("label_value", &Promql::label_value, text_type(),
             {.text = "What that label says of an instance.",
              .otherwise = "needed with `label`",
              .example = "'127.0.0.1:{port}'"});
    rows.include(source_timing_table(), &Promql::timing);
    return rows;
  }();
  return table;
}

void check_promql(const Promql& promql, const Node& node, Reader& reader) {
  check_query(promql.done, node, "done", reader);
  if (!promql.done.empty() && !promql.label.empty())
    reader.problem(node.where("done"), "`done` is of the service as a whole, `label` of its instances");
  if (promql.label.empty() != promql.label_value.empty())
    reader.problem(node.at, "`label` and `label_value` belong together");
  const bool apart = promql.label_value.find("{port}") != std::string::npos ||
                     promql.label_value.find("{instance}") != std::string::npos;
  if (!promql.label_value.empty() && !apart)
    reader.problem(node.where("label_value"), "without `{port}` or `{instance}` it is the same of every instance");
}

void read_promql(const Node& node, Reader& reader, SourceDraft& out) {
  Promql promql;
  promql_table().read(node, reader, promql);
  check_promql(promql, node, reader);
  probe::HttpSource source;
  probe::HttpSpec& spec = source.request;
  take_target(promql.target, node, reader, spec);
  Fingerprint print;
  add(print, promql.target, spec);
  print.add(promql.done).add(promql.label).add(promql.label_value);
  out.identity = print.value();
  spec.path = probe::promql_path(spec.path, promql.target.query, promql.done, promql.timing.fresh_within);
  source.numbers = {probe::QueryResult{promql.label, !promql.done.empty()}};
  out.spec.queue = !promql.done.empty();
  out.spec.from = std::move(source);
  out.spec.instance_label = promql.label_value;
  finish_source("promql", promql.timing, out);
}

}  // namespace

const Section& promql_source_section() { return promql_table().section(); }

Type<SourceDraft> promql_source_type() { return {promql_table().type().shape, read_promql}; }

}  // namespace homeostat::config
