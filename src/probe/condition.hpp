// A condition on a number: `< 0.05`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace homeostat::probe {

enum class Compare : std::uint8_t { below, at_most, above, at_least, equal, other };

/// Numbers in thousandths.
struct Condition {
  Compare compare = Compare::below;
  std::int64_t than = 0;
  bool holds(std::int64_t value) const;
  friend bool operator==(const Condition&, const Condition&) = default;
};

/// `<`, `<=`, `>`, `>=`, `==` or `!=`, a blank, and a number; nothing: it is something else.
std::optional<Condition> read_condition(std::string_view text);
std::string to_text(const Condition& condition);

/// A number of thousandths as people write it.
std::string show_number(std::int64_t thousandths);

}  // namespace homeostat::probe
