#include "probe/address.hpp"

#include <arpa/inet.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace homeostat::probe {

std::optional<Address> numeric_address(std::string_view host, std::uint16_t port) {
  if (host == "localhost" || host.empty()) host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text(host);
  Address address;
  if (inet_pton(AF_INET, text.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    return address;
  }
  address.v6 = {};
  if (inet_pton(AF_INET6, text.c_str(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    return address;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::expected<os::Fd, int> begin_connect(const Address& address) {
  os::Fd fd(::socket(address.v4.sin_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(errno);
  if (::connect(fd.get(), address.raw(), address.size()) != 0 && errno != EINPROGRESS) return std::unexpected(errno);
  return fd;
}

Observation failed_with(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case EADDRNOTAVAIL:
      return {Result::unknown, Reason::no_descriptors, error, {}};
    case ECONNREFUSED:
      return {Result::failure, Reason::refused, 0, {}};
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return {Result::failure, Reason::reset, 0, {}};
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
      return {Result::failure, Reason::unreachable, 0, {}};
    case ETIMEDOUT:
      return {Result::timeout, Reason::timed_out, 0, {}};
    default:
      return {Result::unknown, Reason::internal, error, {}};
  }
}

std::string words_for(int error) {
  std::string text = std::strerror(error);
  if (error == EADDRNOTAVAIL) text += " (no local port is left)";
  if (error == EMFILE || error == ENFILE) text += "; raise the limit of open files";
  return text;
}

}  // namespace homeostat::probe
