#include "probe/labels.hpp"

#include <algorithm>

namespace homeostat::probe {

bool is_name_char(char c, bool metric) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (metric && c == ':');
}

void Scan::blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

bool Scan::take(std::string_view text) {
  blanks();
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

std::string_view Scan::name(bool metric) {
  blanks();
  std::size_t length = 0;
  while (length < rest_.size() && is_name_char(rest_[length], metric)) ++length;
  if (length > 0 && rest_[0] >= '0' && rest_[0] <= '9') length = 0;
  const std::string_view name = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return name;
}

std::optional<std::string> Scan::quoted() {
  if (!take("\"")) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return out;
    }
    if (rest_[i] != '\\') {
      out += rest_[i];
      continue;
    }
    if (++i == rest_.size()) break;
    out += rest_[i] == 'n' ? '\n' : rest_[i];
  }
  return std::nullopt;
}

std::string_view Scan::word() {
  blanks();
  const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
  rest_.remove_prefix(word.size());
  return word;
}

}  // namespace homeostat::probe
