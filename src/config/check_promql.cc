// The check kind `promql`: a condition on a number that a Prometheus computes.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/http_target.hpp"
#include "probe/source.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kMostQuery = 4096;

struct Promql {
  std::string url, query, expect;
  Duration held_for{};
  Duration fresh_within{};
  HttpAccess access;
};

const Table<Promql>& promql_table() {
  static const Table<Promql> table = [] {
    Table<Promql> rows(
        "check.promql",
        "A number that a Prometheus computes must fulfil a condition. Without a number, or with one that is "
        "too old, the check is unknown: that is not the service's fault.");
    rows.add("url", &Promql::url, text_type(),
             {.text = "Where the Prometheus is, or what speaks its API.",
              .example = "http://127.0.0.1:9090",
              .required = true});
    rows.add(
        "query", &Promql::query, text_type(),
        {.text = "The query, a scalar or a vector of one element. `{port}`, `{instance}` and `{release}` are filled "
                 "in.",
         .example = R"('sum(rate(errors_total{port="{port}"}[1m]))')",
         .required = true});
    rows.add(
        "expect", &Promql::expect, text_type(),
        {.text = "What must hold of the number: `<`, `<=`, `>`, `>=`, `==` or `!=` and a number with at most three "
                 "decimals.",
         .example = "'< 0.05'",
         .required = true});
    rows.add("for", &Promql::held_for, duration_type(Duration{}),
             {.text = "It is a failure only when it has not held for so long.", .fallback = "0s", .example = "2m"});
    rows.add("fresh_within", &Promql::fresh_within, duration_type(std::chrono::seconds(1)),
             {.text = "A sample that is older says nothing.", .fallback = "1m", .example = "5m"});
    rows.include(http_access_table(), &Promql::access);
    return rows;
  }();
  return table;
}

std::optional<probe::Expectation> parse_expectation(std::string_view text) {
  using Op = probe::Expectation::Op;
  static constexpr std::pair<std::string_view, Op> kOps[] = {{"<=", Op::at_most}, {">=", Op::at_least},
                                                             {"==", Op::equal},   {"!=", Op::other},
                                                             {"<", Op::below},    {">", Op::above}};
  for (const auto& [word, op] : kOps) {
    if (!text.starts_with(word)) continue;
    text.remove_prefix(word.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const auto number = parse_decimal(text, 3);
    if (!number) return std::nullopt;
    return probe::Expectation{op, negative ? -*number : *number};
  }
  return std::nullopt;
}

}  // namespace

Component<CheckDraft> promql_check() {
  return {
      "promql",
      "A condition on a number of a Prometheus.",
      "{ url: 'http://127.0.0.1:9090', query: 'queue_age_seconds', expect: '< 30', for: 2m }",
      {&promql_table().section()},
      [](const Node& node, Reader& reader, CheckDraft& out) {
        Promql promql;
        promql_table().read(node, reader, promql);
        probe::PromqlSpec spec;
        if (node.find("url") != nullptr) {
          HttpTarget target;
          target.url = promql.url;
          target.access = promql.access;
          take_target(target, node, reader, spec.request);
        }
        if (promql.query.size() > kMostQuery || (promql.query.empty() && node.find("query") != nullptr)) {
          reader.problem(node.where("query"), fmt::format("a query has 1 to {} bytes", kMostQuery));
        }
        const auto expectation = parse_expectation(promql.expect);
        if (!expectation && node.find("expect") != nullptr) {
          reader.problem(node.where("expect"),
                         fmt::format("{} is no condition, such as `< 0.05`", quote(promql.expect)));
        }
        Fingerprint print;
        print.add("promql").add(spec.request.host).add(spec.request.port).add(spec.request.path).add(promql.query);
        print.add(promql.access.headers).add(promql.expect).add(static_cast<std::uint64_t>(promql.held_for.count()));
        out.identity = print.value();
        spec.request.path = probe::promql_path(spec.request.path, promql.query, {}, promql.fresh_within);
        spec.expect = expectation.value_or(probe::Expectation{});
        spec.held_for = promql.held_for;
        spec.fresh_within = promql.fresh_within;
        out.spec = std::move(spec);
      }};
}

}  // namespace homeostat::config
