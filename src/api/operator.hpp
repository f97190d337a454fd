// What an operator asks for, out of a request, checked against what there is.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "api/request.hpp"
#include "engine/engine.hpp"

namespace homeostat::api {

/// A POST as the engine's input, or the refusal: 400 the request is wrong, 404 no such thing, 409 not now. `reload` is
/// not among them.
std::expected<engine::Operator, Response> parse_operator(const Request& request, const engine::Engine& engine);

struct ReloadAsked {
  bool roll = false;           // restart what is outdated, one after the other
  bool accept_shrink = false;  // even if more than 30 % of the services go
};
std::expected<ReloadAsked, Response> parse_reload(const Request& request);

/// A release's name: 1 to 128 of A-Z a-z 0-9 . _ - and not "." or "..".
bool is_version(std::string_view text);

}  // namespace homeostat::api
