// From numbers that only grow to so many a second.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "homeostat/time.hpp"
#include "probe/reading.hpp"

namespace homeostat::probe {

/// Remembers of each source what it last told.
class Rates {
 public:
  /// By how much a second each has grown since `source` was last asked. One that is seen for the first time, or is less
  /// than before because whoever counts was started anew, has no rate yet.
  Reading of(std::uint32_t source, const std::vector<Told>& counters, Instant now);
  /// The sources have other numbers: `was` has for each the number it had, if it is the same.
  void renumber(const std::map<std::uint32_t, std::uint32_t>& was);

 private:
  struct Look {
    Instant at{};
    std::map<std::string, std::int64_t> values;
  };
  std::map<std::uint32_t, Look> last_;
};

}  // namespace homeostat::probe
