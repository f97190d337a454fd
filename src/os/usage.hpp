// How much processor time and memory has been used.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace homeostat::os {

struct Usage {
  std::chrono::microseconds cpu{};  // since the beginning
  std::uint64_t memory = 0;         // resident now, in bytes; pages that several share count for each
};

/// Of everything in a cgroup v2 directory, what has ended included; nothing where it cannot be read.
std::optional<Usage> usage_of_cgroup(const std::string& cgroup);

/// Of one process and its children that have ended; nothing when there is none of that number.
std::optional<Usage> usage_of_process(pid_t pid);

}  // namespace homeostat::os
