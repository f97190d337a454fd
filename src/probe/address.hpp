// Where to connect to, and what a failure to do so means.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/observation.hpp"
#include "os/fd.hpp"

namespace homeostat::probe {

/// An IPv4 or IPv6 address with its port, as the kernel takes it.
struct Address {
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Address() : v6{} {}
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(this); }
  socklen_t size() const { return v4.sin_family == AF_INET ? sizeof v4 : sizeof v6; }
};

/// The address that `host` spells (127.0.0.1, ::1, [::1]; localhost is 127.0.0.1); nothing when it is a name.
std::optional<Address> numeric_address(std::string_view host, std::uint16_t port);

/// A port number; nothing when `text` is not one.
std::optional<std::uint16_t> parse_port(std::string_view text);

/// Begins to connect without waiting. The connection may be complete, under way, or already refused (then the first
/// use of it says so). The error is an errno.
std::expected<os::Fd, int> begin_connect(const Address& address);

/// What it means when a connection ended with this errno.
Observation failed_with(int error);
/// The same in words.
std::string words_for(int error);

}  // namespace homeostat::probe
