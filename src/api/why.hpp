// Why a service is in the state it is in, and what happens next.
#pragma once

#include <expected>
#include <string>

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Error: there is no such service.
std::expected<json::object, Error> why_view(const View& view, const std::string& service);

/// What an operator can do about a gate, or when it opens by itself.
std::string_view remedy_for_gate(std::string_view gate);

}  // namespace homeostat::api
