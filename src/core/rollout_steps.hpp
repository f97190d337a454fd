// The next step of a rollout: capacity before traffic on the way up, traffic before capacity on the way down.
#pragma once

#include <optional>

#include "homeostat/rollout.hpp"

namespace homeostat::rollout {

/// Where the split shall end up: the growing side's share, and how much of the other side stays when that is all.
struct Goal {
  std::uint32_t weight = kAll;
  bool keep_other = false;
};

/// The next split on the way from the old version to the new one; nothing: it is there, or has to wait.
std::optional<Split> step_up(const Policy& policy, const State& state, const Seen& seen, const Goal& goal);
/// The same on the way back, to nothing of the new version.
std::optional<Split> step_down(const Policy& policy, const State& state, const Seen& seen);
/// The split is what the goal asks for.
bool reached(const Policy& policy, const State& state, const Goal& goal);
bool reverted(const State& state);
/// Of the traffic, where each instance gets as much.
std::uint32_t share_of(std::uint32_t part, std::uint32_t total);

}  // namespace homeostat::rollout
