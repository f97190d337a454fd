// Exact arithmetic for the autoscaler: fractions of 64-bit integers, products in 128 bits, answers that saturate.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "homeostat/scaling_types.hpp"

namespace homeostat {

__extension__ using Wide = __int128;

inline constexpr std::int64_t kMillion = 1'000'000;

constexpr std::int64_t saturate(Wide value) {
  using Limits = std::numeric_limits<std::int64_t>;
  return static_cast<std::int64_t>(std::clamp<Wide>(value, Limits::min(), Limits::max()));
}

constexpr std::int32_t to_count(Wide value) {
  using Limits = std::numeric_limits<std::int32_t>;
  return static_cast<std::int32_t>(std::clamp<Wide>(value, Limits::min(), Limits::max()));
}

/// Towards plus and minus infinity; `by` is above zero.
constexpr Wide ceil_div(Wide value, Wide by) { return value / by + (value % by > 0 ? 1 : 0); }
constexpr Wide floor_div(Wide value, Wide by) { return value / by - (value % by < 0 ? 1 : 0); }

constexpr std::int64_t add_saturating(std::int64_t a, std::int64_t b) { return saturate(Wide{a} + b); }

/// over / under; `under` is above zero, but for a ratio that is infinite (then it is 0 and `over` above zero).
struct Ratio {
  Wide over = 0;
  Wide under = 1;

  constexpr bool above_one() const { return over > under; }
  constexpr bool below_one() const { return over < under; }
  /// 1 - down <= this <= 1 + up, in millionths.
  constexpr bool within(std::int64_t up, std::int64_t down) const {
    return over * kMillion >= under * (kMillion - down) && over * kMillion <= under * (kMillion + up);
  }
  /// ceil(this * count)
  constexpr std::int32_t ceil_times(Wide count) const {
    return under == 0 ? kMostInstances : to_count(ceil_div(over * count, under));
  }
  constexpr std::int32_t floor_times(Wide count) const {
    return under == 0 ? kMostInstances : to_count(floor_div(over * count, under));
  }
};

}  // namespace homeostat
