// The check kind `http`: one request, and what the answer must be.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using Statuses = std::vector<probe::StatusRange>;

struct Expectation {
  Statuses status;
  std::string contains;
  std::string matches;
  Duration latency_below{};
};

struct Tls {
  std::string ca_file;
  std::string server_name;
};

struct Http {
  std::string url, path, host, port, method;
  Pairs headers;
  Expectation expect;
  std::uint32_t follow_redirects = 0;
  probe::Connection connection = probe::Connection::reuse;
  std::uint32_t fresh_every = 10;
  std::optional<Tls> tls;
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

const Table<Tls>& tls_table() {
  static const Table<Tls> table = [] {
    Table<Tls> rows("check.http.tls", "How the server is verified. Certificates are always verified.");
    rows.add(
        "ca_file", &Tls::ca_file, path_type(),
        {.text = "Certificates (PEM) to trust.", .otherwise = "those of the system", .example = "/etc/ssl/my-ca.pem"});
    rows.add("server_name", &Tls::server_name, text_type(),
             {.text = "The name to ask for and to verify.", .otherwise = "the host", .example = "api.example.org"});
    return rows;
  }();
  return table;
}

const Table<Http>& http_table() {
  static const Table<Http> table = [] {
    Table<Http> rows("check.http", "Asks a web server. Either `url` or `path` is given.");
    rows.add("url", &Http::url, text_type(),
             {.text = "The address to ask, http or https. May contain `{port}` and `{instance}`.",
              .otherwise = "made of `host`, `port` and `path`",
              .example = "http://127.0.0.1:8080/livez"});
    rows.add("path", &Http::path, text_type(),
             {.text = "The path to ask for.", .otherwise = "from `url`", .example = "/livez"});
    rows.add("host", &Http::host, text_type(),
             {.text = "Host of `path`.", .otherwise = "127.0.0.1", .example = "10.0.0.7"});
    rows.add("port", &Http::port, text_type(),
             {.text = "Port of `path`.", .otherwise = "the instance's `{port}`", .example = "8080"});
    rows.add("method", &Http::method, text_type(),
             {.text = "The method of the request, such as GET or HEAD.", .fallback = "GET", .example = "HEAD"});
    rows.add(
        "headers", &Http::headers, secrets_type("header"),
        {.text =
             "Headers to send. A value may be `{ file: path }`: read when the configuration is loaded, never shown.",
         .otherwise = "none",
         .example = "{ Authorization: { file: /etc/homeostat/token } }"});
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
    rows.add("tls", &Http::tls, maybe(tls_table().type()),
             {.text = "How a https server is verified; given with `path`, it means https.",
              .otherwise = "verified by the system's certificates",
              .example = "{ ca_file: /etc/ssl/my-ca.pem }"});
    return rows;
  }();
  return table;
}

bool is_port(std::string_view text) { return text == "{port}" || parse_range(text, 1, 65535).has_value(); }

/// Splits `text` into the specification; returns what is wrong with it, or nothing.
std::string_view take_url(std::string_view text, probe::HttpSpec& out) {
  out.tls = text.starts_with("https://");
  if (!out.tls && !text.starts_with("http://")) return "it must begin with http:// or https://";
  text.remove_prefix(out.tls ? 8 : 7);
  if (text.find('#') != std::string_view::npos) return "a part after `#` is never sent";
  const std::size_t slash = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, slash);
  out.path = slash == text.size() ? "/" : (text[slash] == '?' ? "/" : "") + std::string(text.substr(slash));
  if (authority.find('@') != std::string_view::npos) return "a name and password belong into a header, from a file";
  out.port = out.tls ? "443" : "80";
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    out.port = authority.substr(colon + 1);
    if (!is_port(out.port) || out.port.find('-') != std::string::npos) return "its port is not from 1 to 65535";
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  out.host = authority;
  return out.host.empty() ? "it names no host" : "";
}

bool has_blank(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

void take_target(const Http& http, const Node& node, Reader& reader, probe::HttpSpec& out) {
  if (http.url.empty() == http.path.empty()) {
    if (node.find("url") == nullptr || node.find("path") != nullptr) {
      reader.problem(node.at, "either `url` or `path` must be given");
    }
    return;
  }
  if (!http.url.empty()) {
    for (const char* key : {"host", "port"}) {
      if (node.find(key) != nullptr) reader.problem(node.where(key), fmt::format("`{}` is part of `url` already", key));
    }
    const std::string_view wrong = take_url(http.url, out);
    if (!wrong.empty()) reader.problem(node.where("url"), fmt::format("not a usable address: {}", wrong));
    if (http.tls && !out.tls) reader.problem(node.where("tls"), "`tls` is given but the address is not https");
  } else {
    if (!http.path.starts_with('/')) reader.problem(node.where("path"), "a path begins with `/`");
    if (!http.port.empty() && (!is_port(http.port) || http.port.find('-') != std::string::npos)) {
      reader.problem(node.where("port"), fmt::format("{} is not a port from 1 to 65535", quote(http.port)));
    }
    out.tls = http.tls.has_value();
    out.host = http.host.empty() ? "127.0.0.1" : http.host;
    out.port = http.port.empty() ? "{port}" : http.port;
    out.path = http.path;
  }
  const char* const key = http.url.empty() ? "path" : "url";
  if (has_blank(out.path) || has_blank(out.host)) {
    reader.problem(node.where(key), "blanks, line ends and control characters cannot be part of an address");
  }
}

void finish(const Http& http, const Node& node, Reader& reader, CheckDraft& out) {
  probe::HttpSpec spec;
  take_target(http, node, reader, spec);
  spec.method = http.method;
  const bool word = !spec.method.empty() && spec.method.size() <= 16 &&
                    std::all_of(spec.method.begin(), spec.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!word) reader.problem(node.where("method"), fmt::format("{} is no method such as GET", quote(spec.method)));
  for (const auto& [name, text] : http.headers) spec.headers.emplace_back(name, text.value);
  spec.status = http.expect.status;
  spec.contains = http.expect.contains;
  spec.matches = http.expect.matches;
  spec.latency_below = http.expect.latency_below;
  spec.follow_redirects = http.follow_redirects;
  spec.connection = http.connection;
  spec.fresh_every = http.fresh_every;
  const probe::Trust trust{http.tls ? http.tls->ca_file : "", http.tls ? http.tls->server_name : ""};
  if (trust != probe::Trust{}) spec.trust = trust;
  Fingerprint print;
  print.add("http").add(spec.tls).add(spec.host).add(spec.port).add(spec.path).add(spec.method).add(http.headers);
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
          {&http_table().section(), &expect_table().section(), &tls_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            Http http;
            http_table().read(node, reader, http);
            finish(http, node, reader, out);
          }};
}

}  // namespace homeostat::config
