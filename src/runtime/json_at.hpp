// Members of JSON objects that came from outside: what is not there, or is something else, reads as nothing.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace homeostat::runtime {

inline std::optional<boost::json::object> read_object(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code wrong;
  boost::json::value value = boost::json::parse({text.data(), text.size()}, wrong, {}, options);
  if (wrong || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

inline const boost::json::object& object_at(const boost::json::object& in, std::string_view name) {
  static const boost::json::object none;
  const boost::json::value* value = in.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

inline std::string text_at(const boost::json::object& in, std::string_view name) {
  const boost::json::value* value = in.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline std::int64_t number_at(const boost::json::object& in, std::string_view name) {
  const boost::json::value* value = in.if_contains({name.data(), name.size()});
  boost::system::error_code wrong;
  const auto number = value == nullptr ? 0 : value->to_number<std::int64_t>(wrong);
  return wrong ? 0 : number;
}

inline bool flag_at(const boost::json::object& in, std::string_view name) {
  const boost::json::value* value = in.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace homeostat::runtime
