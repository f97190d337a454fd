// How often an instance was restarted by its runtime lately, from a count that only rises.
#pragma once

#include <cstdint>
#include <deque>

#include "homeostat/time.hpp"

namespace homeostat::daemon {

class Restarts {
 public:
  /// The count as it is now. One that is lower than before begins anew: somebody has restarted the instance, and what
  /// its runtime had to do before that says nothing about how it runs now.
  void saw(std::uint32_t count, Instant now);
  std::uint32_t within(Duration span, Instant now) const;

 private:
  bool began_ = false;
  std::uint32_t count_ = 0;
  std::deque<Instant> rises_{};  // the last of them
};

}  // namespace homeostat::daemon
