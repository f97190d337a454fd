// Which run of a program a process id means: pid, start time and boot, so that a reused pid is never mistaken.
#pragma once

#include <optional>

#include "homeostat/incarnation.hpp"

namespace homeostat::os {

/// Reads the incarnation of a running process from /proc; nothing when there is none or it is a zombie.
std::optional<Incarnation> incarnation_of(int pid);
/// A number that is the same for one boot of this machine (from /proc/sys/kernel/random/boot_id).
std::uint64_t boot_number();
/// True when the process of `known` still runs (not a zombie, same start time, same boot).
bool alive(const Incarnation& known);

}  // namespace homeostat::os
