#include "api/exact_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>

namespace homeostat::api {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

/// What json::parse does, but for fractions. The parser calls these by name and stops when one returns false.
struct Builder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value_stack values;

  static bool on_document_begin(ErrorCode& /*wrong*/) { return true; }
  static bool on_document_end(ErrorCode& /*wrong*/) { return true; }
  static bool on_object_begin(ErrorCode& /*wrong*/) { return true; }
  static bool on_array_begin(ErrorCode& /*wrong*/) { return true; }
  static bool on_number_part(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }
  static bool on_comment_part(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }
  static bool on_comment(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }

  bool on_object_end(std::size_t size, ErrorCode& /*wrong*/) { return values.push_object(size), true; }
  bool on_array_end(std::size_t size, ErrorCode& /*wrong*/) { return values.push_array(size), true; }
  bool on_key_part(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    return values.push_chars(part), true;
  }
  bool on_key(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    return values.push_key(part), true;
  }
  bool on_string_part(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    return values.push_chars(part), true;
  }
  bool on_string(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    return values.push_string(part), true;
  }
  bool on_int64(std::int64_t number, json::string_view /*text*/, ErrorCode& /*wrong*/) {
    return values.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, json::string_view /*text*/, ErrorCode& /*wrong*/) {
    return values.push_uint64(number), true;
  }
  /// `rough` stands where the exact number is beyond the range: infinite, or 0.
  bool on_double(double rough, json::string_view text, ErrorCode& /*wrong*/) {
    double exact = rough;
    std::from_chars(text.data(), text.data() + text.size(), exact);
    return values.push_double(exact), true;
  }
  bool on_bool(bool flag, ErrorCode& /*wrong*/) { return values.push_bool(flag), true; }
  bool on_null(ErrorCode& /*wrong*/) { return values.push_null(), true; }
};

}  // namespace

json::value parse_exact(std::string_view text, ErrorCode& wrong) {
  json::basic_parser<Builder> parser{json::parse_options{}};
  parser.handler().values.reset();
  const std::size_t read = parser.write_some(false, text.data(), text.size(), wrong);
  if (!wrong && read < text.size()) wrong = json::error::extra_data;
  if (wrong) return nullptr;
  return parser.handler().values.release();
}

}  // namespace homeostat::api
