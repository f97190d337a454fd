// Where in the course of an action a daemon was when it was killed, as its journal tells.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "journal/entry.hpp"

namespace homeostat::soak {

/// How often each phase was hit.
using PhaseCounts = std::map<std::string, std::uint64_t>;

class Phases {
 public:
  /// Every record once, in order.
  void take(const journal::Entry& record);
  /// The daemon was killed: counts the phase of each action under way, or that there was none. `carried_out`: has the
  /// effect of the action "1.42" been noted by its target?
  void killed(PhaseCounts& counts, const std::function<bool(const std::string& action)>& carried_out) const;

 private:
  std::map<std::string, bool> under_way_;  // by action; true: its outcome is recorded
};

}  // namespace homeostat::soak
