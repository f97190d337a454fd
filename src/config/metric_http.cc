// A number that a web server tells: in JSON, or in the text that Prometheus reads.
#include <fmt/format.h>

#include "config/http_target.hpp"
#include "config/metric_source.hpp"

namespace homeostat::config {
namespace {

struct HttpNumber {
  HttpTarget target;
  std::optional<probe::JsonPointer> json;
  std::optional<probe::SeriesSelector> series;
  std::string done;
  SourceTiming timing;
};

template <class T>
Type<std::optional<T>> parsed(std::string name, std::string_view what,
                              std::expected<T, Error> (*parse)(std::string_view)) {
  return {{std::move(name), R"({"type":"string"})"},
          [what, parse](const Node& node, Reader& reader, std::optional<T>& out) {
            std::string text;
            text_type().read(node, reader, text);
            auto value = parse(text);
            if (!value) {
              reader.problem(node.at, fmt::format("{} is no {}: {}", quote(text), what, value.error().text));
              return;
            }
            out = std::move(*value);
          }};
}

const Table<HttpNumber>& http_table() {
  static const Table<HttpNumber> table = [] {
    Table<HttpNumber> rows("scaling.metric.http",
                           "A number that a web server tells. Either `url` or `path`, either `json` or `series`. With "
                           "`{port}`, `{instance}` or `{release}` each instance is asked by itself.");
    rows.include(http_target_table(), &HttpNumber::target);
    rows.add("json", &HttpNumber::json, parsed("JSON pointer", "JSON pointer", probe::parse_pointer),
             {.text = "The answer is JSON; where in it the number stands (RFC 6901).",
              .otherwise = "`series`",
              .example = "/stats/waiting"});
    rows.add("series", &HttpNumber::series, parsed("series", "series", probe::parse_selector),
             {.text = "The answer is Prometheus' text; which series is meant. Several are added up.",
              .otherwise = "`json`",
              .example = R"('jobs_waiting{queue="mail",state!="done"}')"});
    rows.add("done", &HttpNumber::done, text_type(),
             {.text = "Of a queue (`kind: drain`): where the same answer says how many were done so far, a number that "
                      "only grows. Written as `json` or `series` is.",
              .otherwise = "needed by `drain`, and only there",
              .example = "/stats/done"});
    rows.include(source_timing_table(), &HttpNumber::timing);
    return rows;
  }();
  return table;
}

template <class T>
void take_numbers(const T& first, std::expected<T, Error> (*parse)(std::string_view), const std::string& done,
                  const Node& node, Reader& reader, probe::HttpSource& out) {
  out.numbers.emplace_back(first);
  if (done.empty()) return;
  auto second = parse(done);
  if (second)
    out.numbers.emplace_back(std::move(*second));
  else
    reader.problem(node.where("done"), fmt::format("{}: {}", quote(done), second.error().text));
}

void read_http(const Node& node, Reader& reader, SourceDraft& out) {
  HttpNumber http;
  http_table().read(node, reader, http);
  probe::HttpSource source;
  take_target(http.target, node, reader, source.request);
  const bool json = node.find("json") != nullptr;
  if (json == (node.find("series") != nullptr)) {
    reader.problem(node.at, "either `json` or `series` must be given: where in the answer the number is");
  }
  if (http.json) take_numbers(*http.json, probe::parse_pointer, http.done, node, reader, source);
  if (http.series) {
    take_numbers(*http.series, probe::parse_selector, http.done, node, reader, source);
    source.request.headers.emplace_back("Accept", "text/plain;version=0.0.4");
  }
  const probe::HttpSpec& spec = source.request;
  const probe::Trust trust = spec.trust ? *spec.trust : probe::Trust{};
  Fingerprint print;
  print.add("http").add(spec.tls).add(spec.host).add(spec.port).add(spec.path).add(http.target.access.headers);
  print.add(trust.ca_file).add(trust.server_name).add(json ? "json" : "series");
  print.add(http.json ? http.json->text : http.series ? http.series->text : "");
  print.add(http.done);
  out.identity = print.value();
  out.spec.from = std::move(source);
  out.spec.queue = !http.done.empty();
  finish_source("http", http.timing, out);
}

}  // namespace

const Section& http_source_section() { return http_table().section(); }

Type<SourceDraft> http_source_type() { return {http_table().type().shape, read_http}; }

}  // namespace homeostat::config
