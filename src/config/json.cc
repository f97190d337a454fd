#include "config/json.hpp"

#include <fmt/format.h>

#include "config/value.hpp"

namespace homeostat::config {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string to_json(const Node& node) {
  if (node.is_null()) return "null";
  if (node.is_scalar()) {
    const bool number =
        parse_count(node.text, 999'999'999'999).has_value() && (node.text.size() == 1 || node.text[0] != '0');
    const bool literal = number || node.text == "true" || node.text == "false";
    return literal && !node.quoted ? node.text : json_string(node.text);
  }
  std::string out = node.is_list() ? "[" : "{";
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ",";
    if (node.is_map()) out += json_string(node.keys[i].text) + ":";
    out += to_json(node.items[i]);
  }
  return out + (node.is_list() ? "]" : "}");
}

}  // namespace homeostat::config
