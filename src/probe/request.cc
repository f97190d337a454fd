#include "probe/request.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "probe/fill.hpp"
#include "probe/http_parser.hpp"

namespace homeostat::probe {
namespace {

bool printable(std::string_view text, bool blanks) {
  return std::ranges::all_of(text, [blanks](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u > 0x20 && u != 0x7f) || (blanks && (u == ' ' || u == '\t'));
  });
}

bool same_name(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

std::string host_header(const HttpSpec& spec) {
  const bool bare_v6 = spec.host.find(':') != std::string::npos && !spec.host.starts_with('[');
  const std::string host = bare_v6 ? fmt::format("[{}]", spec.host) : spec.host;
  return spec.port == (spec.tls ? "443" : "80") ? host : fmt::format("{}:{}", host, spec.port);
}

}  // namespace

HttpSpec filled(const HttpSpec& spec, const Place& place) {
  HttpSpec out = spec;
  for (std::string* text : {&out.host, &out.port, &out.path}) *text = fill(*text, place);
  if (out.trust) out.trust->server_name = fill(out.trust->server_name, place);
  for (auto& [name, value] : out.headers) value = fill(value, place);
  if (out.host.empty()) out.host = "127.0.0.1";
  return out;
}

TcpSpec filled(const TcpSpec& spec, const Place& place) {
  TcpSpec out = spec;
  for (std::string* text : {&out.host, &out.port}) *text = fill(*text, place);
  if (out.host.empty()) out.host = "127.0.0.1";
  return out;
}

std::expected<std::string, Error> request_bytes(const HttpSpec& spec, bool keep_alive) {
  if (spec.method.empty() || !printable(spec.method, false)) return fail("the method is not one word");
  if (!spec.path.starts_with('/') || !printable(spec.path, false)) {
    return fail("the path must begin with / and have no spaces or control characters");
  }
  if (!printable(spec.host, false)) return fail("the host has spaces or control characters");
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", spec.method, spec.path);
  bool own_host = false;
  bool own_agent = false;
  for (const auto& [name, value] : spec.headers) {
    if (name.empty() || name.find(':') != std::string::npos || !printable(name, false) || !printable(value, true)) {
      return fail(fmt::format("the header \"{}\" is malformed", name));
    }
    own_host |= same_name(name, "host");
    own_agent |= same_name(name, "user-agent");
    out += fmt::format("{}: {}\r\n", name, value);
  }
  if (!own_host) out += fmt::format("Host: {}\r\n", host_header(spec));
  if (!own_agent) out += "User-Agent: homeostat\r\n";
  if (!keep_alive) out += "Connection: close\r\n";
  const bool may_have_body = spec.method != "GET" && spec.method != "HEAD" && spec.method != "OPTIONS";
  out += may_have_body ? "Content-Length: 0\r\n\r\n" : "\r\n";
  return out;
}

std::size_t body_wanted(const HttpSpec& spec) { return spec.contains.empty() && spec.matches.empty() ? 0 : kMaxKept; }

}  // namespace homeostat::probe
