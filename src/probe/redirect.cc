#include "probe/redirect.hpp"

#include "probe/address.hpp"

namespace homeostat::probe {
namespace {

// http://host[:port][/path]
bool take_absolute(std::string_view url, HttpSpec& to) {
  if (url.starts_with("https://")) {
    to.tls = true;
  } else if (url.starts_with("http://")) {
    to.tls = false;
  } else {
    return false;
  }
  url.remove_prefix(url.find("//") + 2);
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return false;
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  to.host = authority.substr(0, colon);
  to.port = colon == std::string_view::npos ? (to.tls ? "443" : "80") : authority.substr(colon + 1);
  to.path = url.substr(end);
  if (!to.path.starts_with('/')) to.path.insert(0, "/");
  return !to.host.empty() && parse_port(to.port).has_value();
}

}  // namespace

std::optional<HttpSpec> redirected(const HttpSpec& from, int status, std::string_view location) {
  const bool redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (!redirect || location.empty()) return std::nullopt;
  location = location.substr(0, location.find('#'));
  HttpSpec to = from;
  if (location.starts_with("//")) {
    if (!take_absolute((from.tls ? "https:" : "http:") + std::string(location), to)) return std::nullopt;
  } else if (location.starts_with('/')) {
    to.path = location;
  } else if (location.find("://") != std::string_view::npos) {
    if (!take_absolute(location, to)) return std::nullopt;
  } else {
    to.path = from.path.substr(0, from.path.substr(0, from.path.find('?')).rfind('/') + 1) + std::string(location);
  }
  if (to.host != from.host || to.port != from.port || to.tls != from.tls) {
    to.headers.clear();
    if (to.trust) to.trust->server_name.clear();
  }
  if (status <= 303 && to.method != "HEAD") to.method = "GET";
  return to;
}

}  // namespace homeostat::probe
