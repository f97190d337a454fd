#include "api/json.hpp"

#include <boost/json/src.hpp>
#include <charconv>

namespace homeostat::api {
namespace {

bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// Length of the well-formed UTF-8 sequence at the front of `text`; 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
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

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    // C1 control characters (U+0080 … U+009F) drive terminals as escape sequences do.
    const bool control =
        first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (control)
      out += ' ';
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace homeostat::api
