// Which TCP port an instance gets.
#pragma once

#include <cstdint>
#include <expected>
#include <set>
#include <string>

#include "core/error.hpp"

namespace homeostat::runtime {

struct PortWish {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::uint16_t preferred = 0;     // what the instance had last; 0: nothing
  std::uint16_t usual = 0;         // what it gets when it never had one; outside the range: no such wish
  std::set<std::uint16_t> others;  // what other instances have
};

/// A port of the range that nobody listens on. An error names who has the ports when all are taken.
std::expected<std::uint16_t, Error> choose_port(const PortWish& wish);

/// True when a server could listen on the port now (on all addresses, and on the loopback one).
bool port_is_free(std::uint16_t port);

/// The program that listens on the port, as "nginx (pid 12)"; "another program" when it cannot be told.
std::string who_listens_on(std::uint16_t port);

}  // namespace homeostat::runtime
