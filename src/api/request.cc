#include "api/request.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "api/json.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

namespace homeostat::api {
namespace {

struct Route {
  std::string_view verb;
  bool post = false;
  bool service = false;  // its name follows in the path
  bool journal = false;
};

constexpr std::array<Route, 24> kRoutes{{
    {"status"},
    {"why", false, true},
    {"history", false, false, true},
    {"stats", false, false, true},
    {"journal", false, false, true},
    {"check", true, true},
    {"start", true},
    {"stop", true},
    {"restart", true},
    {"deploy", true},
    {"pause", true},
    {"resume", true},
    {"maintenance", true},
    {"ack", true},
    {"approve", true},
    {"unlock", true},
    {"scale", true},
    {"rollout", true},
    {"freeze", true},
    {"samples", true},
    {"changed", true},
    {"remediate", true},
    {"reload", true},
    {"alerts", true},
}};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& out) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decode(pair.substr(0, equals));
    const auto value = percent_decode(pair.substr(std::min(pair.size(), equals + 1)));
    if (!key || !value || out.size() >= 32) return false;
    if (!key->empty()) out[*key] = *value;
  }
  return true;
}

}  // namespace

Response refuse(unsigned status, std::string_view text) {
  return {status, json::serialize(json::object{{"error", printable(text)}})};
}

std::expected<Request, Response> parse_request(bool post, std::string_view target, std::string body) {
  Request request;
  request.post = post;
  request.body = std::move(body);
  const std::size_t mark = std::min(target.find('?'), target.size());
  if (!parse_query(target.substr(std::min(target.size(), mark + 1)), request.query)) {
    return std::unexpected(refuse(400, "the query is not well formed"));
  }
  std::string_view path = target.substr(0, mark);
  if (!path.starts_with("/v1/")) return std::unexpected(refuse(404, "there is nothing here; see /v1/status"));
  path.remove_prefix(4);
  const std::size_t slash = std::min(path.find('/'), path.size());
  request.verb = path.substr(0, slash);
  const auto route = std::ranges::find(kRoutes, std::string_view(request.verb), &Route::verb);
  if (route == kRoutes.end()) return std::unexpected(refuse(404, "there is no /v1/" + request.verb.substr(0, 40)));
  if (route->post != post) {
    return std::unexpected(refuse(405, "/v1/" + request.verb + " takes " + (route->post ? "POST" : "GET")));
  }
  const auto service = percent_decode(path.substr(std::min(path.size(), slash + 1)));
  const bool named = slash < path.size();
  if (named != route->service || !service || (named && !config::is_name(*service))) {
    return std::unexpected(refuse(404, route->service ? "the path needs a service: /v1/" + request.verb + "/SERVICE"
                                                      : "nothing follows /v1/" + request.verb));
  }
  request.service = *service;
  return request;
}

bool reads_journal(const Request& request) {
  const auto route = std::ranges::find(kRoutes, std::string_view(request.verb), &Route::verb);
  return route != kRoutes.end() && route->journal;
}

}  // namespace homeostat::api
