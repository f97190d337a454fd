#include "runtime/fill.hpp"

#include <algorithm>

#include "core/variable.hpp"

namespace homeostat::runtime {
namespace {

/// The name of what an alert tells that is the whole argument; empty: it is something else.
std::string_view told_in(std::string_view argument) {
  if (!argument.starts_with('{') || !argument.ends_with('}')) return {};
  const std::string_view name = argument.substr(1, argument.size() - 2);
  return is_told_by_alert(name) ? name : std::string_view();
}

}  // namespace

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

void complete_told(const std::vector<std::string>& argv, Values& values) {
  for (const std::string& argument : argv) {
    const std::string_view name = told_in(argument);
    if (!name.empty() && std::ranges::find(values, name, &Values::value_type::first) == values.end())
      values.emplace_back(name, "");
  }
}

std::string_view taken_for_option(const std::vector<std::string>& argv, const Values& values) {
  for (const std::string& argument : argv) {
    if (argument == "--") break;
    const std::string_view name = told_in(argument);
    const auto value = std::ranges::find(values, name, &Values::value_type::first);
    if (!name.empty() && value != values.end() && value->second.starts_with('-')) return value->first;
  }
  return {};
}

}  // namespace homeostat::runtime
