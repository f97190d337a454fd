// The lexical parts that selectors and samples of Prometheus share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace homeostat::probe {

/// Takes parts off the front of a text; what is not there is not taken.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }
  void blanks();
  /// After blanks: the text given.
  bool take(std::string_view text);
  /// After blanks: a name of letters, digits and `_` (of a metric also `:`); empty: there is none.
  std::string_view name(bool metric);
  /// After blanks: a text in double quotes, unescaped.
  std::optional<std::string> quoted();
  /// After blanks: up to the next blank.
  std::string_view word();

 private:
  std::string_view rest_;
};

bool is_name_char(char c, bool metric);

}  // namespace homeostat::probe
