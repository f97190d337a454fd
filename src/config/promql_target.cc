#include "config/promql_target.hpp"

#include <fmt/format.h>

namespace homeostat::config {
namespace {

constexpr std::size_t kMostQuery = 4096;
constexpr std::string_view kOpening = "([{";
constexpr std::string_view kClosing = ")]}";

/// Behind the text in quotes that begins with `rest`; npos: it does not end.
std::size_t behind_quotes(std::string_view rest) {
  const char quote = rest.front();
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == quote) return i + 1;
    if (rest[i] == '\\' && quote != '`') ++i;
  }
  return std::string_view::npos;
}

/// What is opened and not closed, or closed and not opened, outside of texts and remarks; empty: nothing.
std::string unbalanced(std::string_view query) {
  std::string open;
  while (!query.empty()) {
    const char c = query.front();
    std::size_t length = 1;
    if (c == '#') length = std::min(query.find('\n'), query.size());
    if (c == '"' || c == '\'' || c == '`') length = behind_quotes(query);
    if (length == std::string_view::npos) return "a text is not closed";
    if (kOpening.contains(c)) open += c;
    if (const std::size_t kind = kClosing.find(c); kind != std::string_view::npos) {
      if (!open.ends_with(kOpening[kind])) return fmt::format("`{}` closes nothing", c);
      open.pop_back();
    }
    query.remove_prefix(length);
  }
  return open.empty() ? "" : fmt::format("`{}` is not closed", open.back());
}

}  // namespace

const Table<PromqlTarget>& promql_target_table() {
  static const Table<PromqlTarget> table = [] {
    Table<PromqlTarget> rows("promql_target", "Which Prometheus is asked for what.");
    rows.add("url", &PromqlTarget::url, text_type(),
             {.text = "Where the Prometheus is, or what speaks its API.",
              .example = "http://127.0.0.1:9090",
              .required = true});
    rows.add(
        "query", &PromqlTarget::query, text_type(),
        {.text = "The query. `{port}`, `{instance}` and `{release}` are filled in, and then each instance is asked "
                 "for by itself.",
         .example = R"('sum(jobs_waiting{queue="mail"})')",
         .required = true});
    rows.include(http_access_table(), &PromqlTarget::access);
    return rows;
  }();
  return table;
}

void check_query(std::string_view query, const Node& node, std::string_view key, Reader& reader) {
  if (node.find(key) == nullptr) return;
  if (query.empty() || query.size() > kMostQuery)
    return reader.problem(node.where(key), fmt::format("a query has 1 to {} bytes", kMostQuery));
  if (const std::string why = unbalanced(query); !why.empty())
    reader.problem(node.where(key), "no query of a Prometheus: " + why);
}

void take_target(const PromqlTarget& target, const Node& node, Reader& reader, probe::HttpSpec& out) {
  check_query(target.query, node, "query", reader);
  if (node.find("url") == nullptr) return;
  HttpTarget http;
  http.url = target.url;
  http.access = target.access;
  take_target(http, node, reader, out);
  if (out.path.find('?') != std::string::npos) reader.problem(node.where("url"), "the query has a key of its own");
}

void add(Fingerprint& print, const PromqlTarget& target, const probe::HttpSpec& spec) {
  const probe::Trust trust = spec.trust ? *spec.trust : probe::Trust{};
  print.add("promql").add(spec.tls).add(spec.host).add(spec.port).add(spec.path).add(target.access.headers);
  print.add(trust.ca_file).add(trust.server_name).add(target.query);
}

}  // namespace homeostat::config
