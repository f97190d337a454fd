// Names for the numbers that travel between the engine and the shell.
#pragma once

#include <compare>
#include <cstdint>

namespace homeostat::engine {

/// Names one action, escalation or operation for ever: the epoch is raised durably at each start.
struct CommandId {
  std::uint64_t epoch = 0;
  std::uint64_t counter = 0;

  constexpr bool none() const { return epoch == 0; }
  friend constexpr auto operator<=>(const CommandId&, const CommandId&) = default;

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("epoch", self.epoch);
    visit("counter", self.counter);
  };
};

/// Index of a (check, instance) pair, or of a prerequisite's look, in the engine's table; valid for one generation.
using TargetId = std::uint32_t;

}  // namespace homeostat::engine
