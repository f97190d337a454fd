#include "config/http_target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

const Table<HttpTls>& tls_table() {
  static const Table<HttpTls> table = [] {
    Table<HttpTls> rows("check.http.tls", "How the server is verified. Certificates are always verified.");
    rows.add(
        "ca_file", &HttpTls::ca_file, path_type(),
        {.text = "Certificates (PEM) to trust.", .otherwise = "those of the system", .example = "/etc/ssl/my-ca.pem"});
    rows.add("server_name", &HttpTls::server_name, text_type(),
             {.text = "The name to ask for and to verify.", .otherwise = "the host", .example = "api.example.org"});
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

}  // namespace

const Section& http_tls_section() { return tls_table().section(); }

const Table<HttpAccess>& http_access_table() {
  static const Table<HttpAccess> table = [] {
    Table<HttpAccess> rows("http_access", "How a web server is spoken to.");
    rows.add(
        "headers", &HttpAccess::headers, secrets_type("header"),
        {.text =
             "Headers to send. A value may be `{ file: path }`: read when the configuration is loaded, never shown.",
         .otherwise = "none",
         .example = "{ Authorization: { file: /etc/homeostat/token } }"});
    rows.add("tls", &HttpAccess::tls, maybe(tls_table().type()),
             {.text = "How a https server is verified; given with `path`, it means https.",
              .otherwise = "verified by the system's certificates",
              .example = "{ ca_file: /etc/ssl/my-ca.pem }"});
    return rows;
  }();
  return table;
}

const Table<HttpTarget>& http_target_table() {
  static const Table<HttpTarget> table = [] {
    Table<HttpTarget> rows("http_target", "Which web server is asked for what. Either `url` or `path` is given.");
    rows.add("url", &HttpTarget::url, text_type(),
             {.text = "The address to ask, http or https. May contain `{port}` and `{instance}`.",
              .otherwise = "made of `host`, `port` and `path`",
              .example = "http://127.0.0.1:8080/livez"});
    rows.add("path", &HttpTarget::path, text_type(),
             {.text = "The path to ask for.", .otherwise = "from `url`", .example = "/livez"});
    rows.add("host", &HttpTarget::host, text_type(),
             {.text = "Host of `path`.", .otherwise = "127.0.0.1", .example = "10.0.0.7"});
    rows.add("port", &HttpTarget::port, text_type(),
             {.text = "Port of `path`.", .otherwise = "the instance's `{port}`", .example = "8080"});
    rows.include(http_access_table(), &HttpTarget::access);
    return rows;
  }();
  return table;
}

void take_access(const HttpAccess& access, probe::HttpSpec& out) {
  for (const auto& [name, text] : access.headers) out.headers.emplace_back(name, text.value);
  const probe::Trust trust{access.tls ? access.tls->ca_file : "", access.tls ? access.tls->server_name : ""};
  if (trust != probe::Trust{}) out.trust = trust;
}

void take_target(const HttpTarget& http, const Node& node, Reader& reader, probe::HttpSpec& out) {
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
    if (http.access.tls && !out.tls) reader.problem(node.where("tls"), "`tls` is given but the address is not https");
  } else {
    if (!http.path.starts_with('/')) reader.problem(node.where("path"), "a path begins with `/`");
    if (!http.port.empty() && (!is_port(http.port) || http.port.find('-') != std::string::npos)) {
      reader.problem(node.where("port"), fmt::format("{} is not a port from 1 to 65535", quote(http.port)));
    }
    out.tls = http.access.tls.has_value();
    out.host = http.host.empty() ? "127.0.0.1" : http.host;
    out.port = http.port.empty() ? "{port}" : http.port;
    out.path = http.path;
  }
  const char* const key = http.url.empty() ? "path" : "url";
  if (has_blank(out.path) || has_blank(out.host)) {
    reader.problem(node.where(key), "blanks, line ends and control characters cannot be part of an address");
  }
  take_access(http.access, out);
}

}  // namespace homeostat::config
