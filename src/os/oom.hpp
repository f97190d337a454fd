// Whether the kernel has killed something because memory had run out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "homeostat/time.hpp"

namespace homeostat::os {

/// Follows the kernel's own count of such kills (/proc/vmstat, of the whole machine, whatever limit was reached).
/// Single threaded.
class OomWatch {
 public:
  explicit OomWatch(std::string file = "/proc/vmstat");

  /// Looks again, at most every five seconds.
  void advance(Instant now);
  /// There was one since the last look but one, or since the beginning: within about ten seconds. What holds much
  /// memory is counted long before it has ended.
  bool lately() const;

 private:
  std::optional<std::uint64_t> count() const;

  std::string file_;
  std::optional<std::uint64_t> before_;  // at the last look but one
  std::optional<std::uint64_t> last_;
  Instant looked_ = kLongAgo;
};

}  // namespace homeostat::os
