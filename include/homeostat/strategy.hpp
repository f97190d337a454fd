// A way to repair that many checks share: a program registers it at its Healer once, and remedies use it by its name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "homeostat/observation.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// What is to be repaired.
struct RepairContext {
  std::string check{};      // its id
  std::uint32_t tries = 0;  // repairs tried for it since its ladder began at the first rung
  Instant failing_since{};
  Observation last{};  // what was seen last
};

struct Strategy {
  std::string name{};
  /// Why it does not apply now, for the history; nothing: it does. Not set: it always applies.
  std::function<std::optional<std::string>(const RepairContext&)> validate{};
  /// False: it could not do its work. Whether it helped says the check afterwards.
  std::function<bool(const RepairContext&)> execute{};
};

}  // namespace homeostat
