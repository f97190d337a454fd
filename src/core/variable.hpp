// What is filled into a command as `{label_severity}` is in its environment as HOMEOSTAT_LABEL_SEVERITY.
#pragma once

#include <string>
#include <string_view>

namespace homeostat {

inline std::string variable_of(std::string_view name) {
  std::string variable = "HOMEOSTAT_";
  for (const char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

/// Its value is what an alert says.
inline bool is_told_by_alert(std::string_view name) { return name == "alert" || name.starts_with("label_"); }

}  // namespace homeostat
