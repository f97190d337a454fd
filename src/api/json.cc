#include "api/json.hpp"

#include <boost/json.hpp>
#include <charconv>

#include "core/text.hpp"

namespace homeostat::api {
namespace {

bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

json::value time_json(std::optional<std::int64_t> wall_ns) {
  if (!wall_ns) return nullptr;
  return json::string(iso_time(*wall_ns));
}

json::value time_json(const Clock& clock, Instant at) { return time_json(clock.wall(at)); }

json::value span_json(Duration span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); }

json::value span_json(std::optional<Duration> span) {
  if (!span) return nullptr;
  return span_json(*span);
}

std::string show_id(engine::CommandId id) { return std::to_string(id.epoch) + "-" + std::to_string(id.counter); }

std::optional<engine::CommandId> parse_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  engine::CommandId id;
  if (dash == std::string_view::npos || !read_number(text.substr(0, dash), id.epoch) ||
      !read_number(text.substr(dash + 1), id.counter) || id.none()) {
    return std::nullopt;
  }
  return id;
}

std::string place_name(std::string_view service, std::int32_t slot) {
  std::string name(service);
  if (slot >= 0) name += "/" + std::to_string(slot);
  return name;
}

std::expected<json::object, Error> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse(text, error, {}, options);
  if (error) return fail("this is not JSON: " + error.message());
  if (!value.is_object()) return fail("a JSON object is needed here: {…}");
  return std::move(value.as_object());
}

std::string printable(std::string_view text) { return homeostat::printable(text); }

}  // namespace homeostat::api
