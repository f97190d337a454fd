// The check kind `promql`: a condition on a number that a Prometheus computes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/draft.hpp"
#include "config/promql_target.hpp"
#include "probe/source.hpp"

namespace homeostat::config {
namespace {

constexpr std::array<std::string_view, 6> kCompares{"<", "<=", ">", ">=", "==", "!="};

struct Promql {
  PromqlTarget target;
  std::string expect;
  Duration held_for{};
  Duration fresh_within{};
};

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view rest = dot == std::string_view::npos ? "0" : text.substr(dot + 1);
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 18 && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(text.substr(0, dot)) && digits(rest);
}

void read_condition(const Node& node, Reader& reader, std::string& out) {
  const std::string_view text = node.text;
  const std::size_t end = std::min(text.find_first_not_of("<>=!"), text.size());
  const std::string_view compare = text.substr(0, end);
  const std::string_view number = text.substr(std::min(text.find_first_not_of(' ', end), text.size()));
  if (!node.is_scalar() || std::ranges::find(kCompares, compare) == kCompares.end() || !is_number(number)) {
    return reader.problem(node.at, fmt::format("{} is no condition, such as `< 0.05`", quote(text)));
  }
  out = fmt::format("{} {}", compare, number);
}

Type<std::string> condition_type() {
  return {{"condition", R"({"type":"string","pattern":"^(<|<=|>|>=|==|!=) *-?[0-9]+([.][0-9]+)?$"})"}, read_condition};
}

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
             {.text = "It is a failure only when it has not held for so long.", .fallback = "0s", .example = "2m"});
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
