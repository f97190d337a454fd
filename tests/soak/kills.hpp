// The real daemon is killed at random points while its instances die and fail; what became of it is judged from what
// the instances wrote down themselves and from the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <string>

#include "phases.hpp"

namespace homeostat::soak {

struct KillReport {
  std::map<std::string, std::uint64_t> kills;  // by the point at which they came
  PhaseCounts phases;                          // of the actions that were under way then
  std::uint64_t starts = 0;                    // noted by the instances
  std::uint64_t hooks = 0;                     // runs of a command of the user's, noted by the command
  std::uint64_t records = 0;                   // in the journal at the end
  std::uint64_t confirmed = 0;                 // an operator's commands that the daemon had answered before it died
  std::uint64_t locked = 0;                    // a hook of which nobody could tell what became of it, told to a person
  std::string problem;                         // the first thing that was wrong; empty: nothing

  std::uint64_t total() const;
};
std::ostream& operator<<(std::ostream& out, const KillReport& report);

/// Ends early at the first problem. `progress` is told how many kills are done.
KillReport run_kills(std::uint64_t seed, std::uint64_t count, const std::function<void(std::uint64_t)>& progress = {});

}  // namespace homeostat::soak
