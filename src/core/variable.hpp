// What is filled into a command as `{label_severity}` is in its environment as HOMEOSTAT_LABEL_SEVERITY.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace homeostat {

inline std::string variable_of(std::string_view name) {
  std::string variable = "HOMEOSTAT_";
  for (const char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

/// Letters, digits and `_`.
inline bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// As Prometheus names them unless it is told otherwise: one of these becomes the name of a variable.
inline bool is_label_name(std::string_view name) { return is_word(name) && (name.front() < '0' || name.front() > '9'); }

inline bool is_label_placeholder(std::string_view name) {
  return name.starts_with("label_") && is_word(name.substr(6));
}

/// Its value is what an alert says.
inline bool is_told_by_alert(std::string_view name) { return name == "alert" || is_label_placeholder(name); }

}  // namespace homeostat
