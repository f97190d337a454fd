// Which run of a program a process id means: pid, start time and boot, so that a reused pid is never mistaken.
#pragma once

#include <sys/types.h>

#include <optional>

#include "homeostat/incarnation.hpp"

namespace homeostat::os {

/// What /proc/PID/stat says of a process.
struct ProcessStat {
  char state = '?';  // R S D T Z …
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::uint64_t started = 0;  // clock ticks since boot

  bool dead() const { return state == 'Z' || state == 'X' || state == 'x'; }
};

/// Nothing when there is no such process. Uses no memory of its own and takes no locks: a child may call it before
/// exec.
std::optional<ProcessStat> stat_of(pid_t pid);

/// Reads the incarnation of a running process from /proc; nothing when there is none or it is a zombie.
std::optional<Incarnation> incarnation_of(int pid);
/// A number that is the same for one boot of this machine (from /proc/sys/kernel/random/boot_id).
std::uint64_t boot_number();
/// True when the process of `known` still runs (not a zombie, same start time, same boot).
bool alive(const Incarnation& known);

}  // namespace homeostat::os
