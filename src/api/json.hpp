// Boost.JSON and the few conversions every view needs.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/clock.hpp"
#include "core/error.hpp"
#include "engine/ids.hpp"

namespace homeostat::api {

namespace json = boost::json;

/// Wall time as text, or null.
json::value time_json(std::optional<std::int64_t> wall_ns);
json::value time_json(const Clock& clock, Instant at);
/// Milliseconds, rounded down.
json::value span_json(Duration span);
json::value span_json(std::optional<Duration> span);

/// "EPOCH-COUNTER", as people type it, and back.
std::string show_id(engine::CommandId id);
std::optional<engine::CommandId> parse_id(std::string_view text);

/// "web/0", or "web" for the service as a whole.
std::string place_name(std::string_view service, std::int32_t slot);

/// A JSON object out of text from outside: bounded depth, clear errors.
std::expected<json::object, Error> parse_object(std::string_view text);

/// `text` without control characters and bytes that are no UTF-8, so that it can stand in JSON and on a terminal.
std::string printable(std::string_view text);

}  // namespace homeostat::api
