#include "runtime/fill.hpp"

#include <algorithm>

namespace homeostat::runtime {

std::string fill(std::string_view text, const Values& values) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    filled += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    const std::string_view name = close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
    const auto known = std::ranges::find(values, name, &Values::value_type::first);
    if (known == values.end()) {
      filled += '{';
      text.remove_prefix(1);
    } else {
      filled += known->second;
      text.remove_prefix(close + 1);
    }
  }
  return filled;
}

}  // namespace homeostat::runtime
