// When a check runs: every check on its own fixed grid, phases spread over the interval, no catch-up after a pause.
#pragma once

#include <cstdint>
#include <string_view>

#include "homeostat/random.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// Phases are multiples of this, so that runs of many checks share wake-ups.
inline constexpr Duration kSlack = std::chrono::milliseconds(10);

/// FNV-1a (Fowler, Noll, Vo), continued from `seed`: a hash that is the same everywhere, for names.
constexpr std::uint64_t hash_name(std::string_view name, std::uint64_t seed = 0xcbf29ce484222325ULL) {
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed;
}

/// Where in its interval a check runs: a multiple of kSlack in [0, interval), spread evenly by `identity`.
constexpr Duration phase_of(std::uint64_t identity, std::uint64_t seed, Duration interval) {
  const auto places = static_cast<std::uint64_t>(interval / kSlack);
  return places == 0 ? Duration{} : kSlack * static_cast<std::int64_t>(Random::mix(identity ^ seed) % places);
}

/// The first grid point anchor + k * step that is strictly later than `after` (k >= 1 when `after` >= anchor).
constexpr Instant next_on_grid(Instant anchor, Duration step, Instant after) {
  if (after < anchor) return anchor;
  return anchor + step * ((after - anchor) / step + 1);
}

}  // namespace homeostat
