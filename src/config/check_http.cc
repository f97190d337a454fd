// The check kind `http`: one request, and what the answer must be.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "config/draft.hpp"
#include "config/http_target.hpp"

namespace homeostat::config {
namespace {

using Statuses = std::vector<probe::StatusRange>;

struct Expectation {
  Statuses status;
  std::string contains;
  std::string matches;
  Duration latency_below{};
};

struct Http {
  HttpTarget target;
  std::string method;
  Expectation expect;
  std::uint32_t follow_redirects = 0;
  probe::Connection connection = probe::Connection::reuse;
  std::uint32_t fresh_every = 10;
};

Type<Statuses> statuses_type() {
  const std::string one = R"({"type":["integer","string"],"pattern":"^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$"})";
  return {{"status, range of them, or list",
           R"({"anyOf":[)" + one + R"(,{"type":"array","minItems":1,"items":)" + one + "}]}"},
          [](const Node& node, Reader& reader, Statuses& out) {
            const auto read_one = [&](const Node& item) {
              const auto range = parse_range(item.text, 100, 599);
              if (!range) {
                reader.problem(item.at, fmt::format("{} is no HTTP status from 100 to 599 (write `200`, `200-299` or "
                                                    "`[200, 204]`)",
                                                    quote(item.text)));
                return;
              }
              out.push_back({static_cast<int>(range->first), static_cast<int>(range->last)});
            };
            out.clear();
            if (!node.is_list()) return read_one(node);
            if (node.items.empty()) reader.problem(node.at, "at least one status is needed here");
            for (const Node& item : node.items) read_one(item);
          }};
}

Type<std::string> pattern_type() {
  return {{"RE2 pattern", R"({"type":"string"})"}, [](const Node& node, Reader& reader, std::string& out) {
            text_type().read(node, reader, out);
            RE2::Options options(RE2::Quiet);
            options.set_max_mem(1 << 20);
            const RE2 pattern(out, options);
            if (!pattern.ok())
              reader.problem(node.at, fmt::format("{} is no pattern: {}", quote(out), pattern.error()));
          }};
}

const Table<Expectation>& expect_table() {
  static const Table<Expectation> table = [] {
    Table<Expectation> rows("check.http.expect", "What the answer of an http check must be.");
    rows.add("status", &Expectation::status, statuses_type(),
             {.text = "The statuses that are a success.", .fallback = "200-299", .example = "[200, 204]"});
    rows.add("contains", &Expectation::contains, text_type(),
             {.text = "The body must contain this text.", .otherwise = "no condition", .example = "ok"});
    rows.add("matches", &Expectation::matches, pattern_type(),
             {.text = "The body must match this pattern somewhere.",
              .otherwise = "no condition",
              .example = "'\"queue\": *[0-9]\\b'"});
    rows.add("latency_below", &Expectation::latency_below, duration_type(std::chrono::milliseconds(1)),
             {.text = "A slower answer is a failure.", .otherwise = "no condition", .example = "500ms"});
    return rows;
  }();
  return table;
}

const Table<Http>& http_table() {
  static const Table<Http> table = [] {
    Table<Http> rows("check.http", "Asks a web server. Either `url` or `path` is given.");
    rows.include(http_target_table(), &Http::target);
    rows.add("method", &Http::method, text_type(),
             {.text = "The method of the request, such as GET or HEAD.", .fallback = "GET", .example = "HEAD"});
    rows.add("expect", &Http::expect, expect_table().type(),
             {.text = "What the answer must be.", .fallback = "{}", .example = "{ status: 200, contains: ok }"});
    rows.add("follow_redirects", &Http::follow_redirects, count_type(0, 10),
             {.text = "How many redirects are followed.", .fallback = "0", .example = "1"});
    rows.add("connection", &Http::connection,
             word_type<probe::Connection>("reuse or fresh",
                                          {{"reuse", probe::Connection::reuse}, {"fresh", probe::Connection::fresh}}),
             {.text = "Whether a connection serves more than one run.", .fallback = "reuse", .example = "fresh"});
    rows.add("fresh_every", &Http::fresh_every, count_type(1, 1'000'000),
             {.text = "With `reuse`: every so many runs open a new connection, so that a server that accepts no more "
                      "is noticed.",
              .fallback = "10",
              .example = "5"});
    return rows;
  }();
  return table;
}

void finish(const Http& http, const Node& node, Reader& reader, CheckDraft& out) {
  probe::HttpSpec spec;
  take_target(http.target, node, reader, spec);
  spec.method = http.method;
  const bool word = !spec.method.empty() && spec.method.size() <= 16 &&
                    std::all_of(spec.method.begin(), spec.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!word) reader.problem(node.where("method"), fmt::format("{} is no method such as GET", quote(spec.method)));
  spec.status = http.expect.status;
  spec.contains = http.expect.contains;
  spec.matches = http.expect.matches;
  spec.latency_below = http.expect.latency_below;
  spec.follow_redirects = http.follow_redirects;
  spec.connection = http.connection;
  spec.fresh_every = http.fresh_every;
  const probe::Trust trust = spec.trust ? *spec.trust : probe::Trust{};
  Fingerprint print;
  print.add("http")
      .add(spec.tls)
      .add(spec.host)
      .add(spec.port)
      .add(spec.path)
      .add(spec.method)
      .add(http.target.access.headers);
  for (const auto& [first, last] : spec.status) print.add(static_cast<std::uint64_t>(first * 1000 + last));
  print.add(spec.contains.str()).add(spec.matches.str()).add(static_cast<std::uint64_t>(spec.latency_below.count()));
  print.add(spec.follow_redirects).add(trust.ca_file).add(trust.server_name);
  out.identity = print.value();
  out.spec = std::move(spec);
}

}  // namespace

Component<CheckDraft> http_check() {
  return {"http",
          "Asks a web server.",
          "{ path: /livez }",
          {&http_table().section(), &expect_table().section(), &http_tls_section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            Http http;
            http_table().read(node, reader, http);
            finish(http, node, reader, out);
          }};
}

}  // namespace homeostat::config
