#include "config/promql_target.hpp"

#include <fmt/format.h>

namespace homeostat::config {
namespace {

constexpr std::size_t kMostQuery = 4096;

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

void take_target(const PromqlTarget& target, const Node& node, Reader& reader, probe::HttpSpec& out) {
  if (node.find("query") != nullptr && (target.query.empty() || target.query.size() > kMostQuery))
    reader.problem(node.where("query"), fmt::format("a query has 1 to {} bytes", kMostQuery));
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
