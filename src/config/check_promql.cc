// The check kind `promql`: a condition on a number that a Prometheus computes.
#include "config/condition.hpp"
#include "config/draft.hpp"
#include "config/promql_target.hpp"
#include "probe/source.hpp"

namespace homeostat::config {
namespace {

struct Promql {
  PromqlTarget target;
  std::string expect;
  Duration held_for{};
  Duration fresh_within{};
};

const Table<Promql>& promql_table() {
  static const Table<Promql> table = [] {
    Table<Promql> rows("check.promql",
                       "A number that a Prometheus computes, a vector of one element, must fulfil a condition. Without "
                       "a number (0 of 0 is none), or with one that is too old, the check is unknown: that is not the "
                       "service's fault.");
    rows.include(promql_target_table(), &Promql::target);
    rows.add("expect", &Promql::expect, condition_type(),
             {.text = "What must hold of the number: `<`, `<=`, `>`, `>=`, `==` or `!=` and a number. The Prometheus "
                      "itself compares, as it does for its alerts.",
              .example = "'< 0.05'",
              .required = true});
    rows.add("for", &Promql::held_for, duration_type(Duration{}),
             {.text = "It is a failure only when it has not held for so long; from then on until it holds again, "
                      "whatever is done "
                      "meanwhile. As long as it was never seen to hold, nobody knows for how long: until then unknown.",
              .fallback = "0s",
              .example = "2m"});
    rows.add("fresh_within", &Promql::fresh_within, duration_type(std::chrono::seconds(1)),
             {.text = "A sample that is older says nothing.", .fallback = "1m", .example = "5m"});
    return rows;
  }();
  return table;
}

void read_promql(const Node& node, Reader& reader, CheckDraft& out) {
  Promql promql;
  promql_table().read(node, reader, promql);
  probe::PromqlSpec spec;
  probe::HttpSpec& request = spec.request.emplace();
  take_target(promql.target, node, reader, request);
  Fingerprint print;
  add(print, promql.target, request);
  print.add(promql.expect).add(static_cast<std::uint64_t>(promql.held_for.count()));
  out.identity = print.value();
  const std::string holds = probe::condition_of(promql.target.query, promql.expect);
  request.path = probe::promql_path(request.path, promql.target.query, holds, promql.fresh_within);
  spec.expect = promql.expect;
  spec.held_for = promql.held_for;
  spec.fresh_within = promql.fresh_within;
  out.spec = std::move(spec);
}

}  // namespace

Component<CheckDraft> promql_check() {
  return {"promql",
          "A condition on a number of a Prometheus.",
          "{ url: 'http://127.0.0.1:9090', query: 'queue_age_seconds', expect: '< 30', for: 2m }",
          {&promql_table().section()},
          read_promql};
}

}  // namespace homeostat::config
