// What a source of numbers said, as far as it is to be believed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/scaling_types.hpp"

namespace homeostat::probe {

/// One number, in thousandths.
struct Told {
  std::int64_t value = 0;
  std::string key{};                      // whose it is, as the source names it; empty: there is only one
  std::optional<std::int64_t> wall_ms{};  // when it was taken, ms since 1970, where the source says so
  std::string shown{};                    // as it was written, where it is too large to be counted
};

/// Why there is no number: for the autoscaler, and for people.
struct Refusal {
  MetricFault fault = MetricFault::unread;
  std::string why{};
};

using Reading = std::expected<std::vector<Told>, Refusal>;

inline std::unexpected<Refusal> refuse(MetricFault fault, std::string why) {
  return std::unexpected(Refusal{fault, std::move(why)});
}

/// A number as text, decimal or with an exponent, in thousandths. `+Inf` and `NaN` are understood, and refused.
std::expected<std::int64_t, Refusal> read_number(std::string_view text);

/// … and a negative one, which nobody scales by.
std::expected<std::int64_t, Refusal> read_signed(std::string_view text);

/// What a command printed: so many numbers with blanks between them, and nothing else.
Reading read_printed(std::string_view output, std::size_t numbers);

}  // namespace homeostat::probe
