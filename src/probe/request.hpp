// The bytes of an HTTP request, made once when a target is prepared.
#pragma once

#include <string>

#include "core/error.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

/// `spec` with every `{…}` of it filled in.
HttpSpec filled(const HttpSpec& spec, const Place& place);
TcpSpec filled(const TcpSpec& spec, const Place& place);

/// The request for a filled spec. An error when a part of it could smuggle in a second line.
std::expected<std::string, Error> request_bytes(const HttpSpec& spec, bool keep_alive);

/// How many bytes of the body `spec` wants to see.
std::size_t body_wanted(const HttpSpec& spec);

}  // namespace homeostat::probe
