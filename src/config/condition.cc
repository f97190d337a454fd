#include "config/condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace homeostat::config {
namespace {

constexpr std::array<std::string_view, 6> kCompares{"<", "<=", ">", ">=", "==", "!="};

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view rest = dot == std::string_view::npos ? "0" : text.substr(dot + 1);
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 18 && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(text.substr(0, dot)) && digits(rest);
}

void read_condition(const Node& node, Reader& reader, std::string& out) {
  const std::string_view text = node.text;
  const std::size_t end = std::min(text.find_first_not_of("<>=!"), text.size());
  const std::string_view compare = text.substr(0, end);
  const std::string_view number = text.substr(std::min(text.find_first_not_of(' ', end), text.size()));
  if (!node.is_scalar() || std::ranges::find(kCompares, compare) == kCompares.end() || !is_number(number)) {
    return reader.problem(node.at, fmt::format("{} is no condition, such as `< 0.05`", quote(text)));
  }
  out = fmt::format("{} {}", compare, number);
}

}  // namespace

Type<std::string> condition_type() {
  return {{"condition", R"({"type":"string","pattern":"^(<|<=|>|>=|==|!=) *-?[0-9]+([.][0-9]+)?$"})"}, read_condition};
}

}  // namespace homeostat::config
