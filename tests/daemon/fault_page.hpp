// What a test tells the fault layer under the daemon, and what the layer counts: a file that both have mapped.
#pragma once

#include <atomic>
#include <cstdint>

namespace homeostat::lab {

/// The variable with the file's name; nothing happens without it.
inline constexpr const char* kFaultFile = "HOMEOSTAT_FAULTS";

struct FaultPage {
  // Of files in a folder called `state`: 0, or the errno that these calls end with.
  std::atomic<int> write_error;
  std::atomic<int> sync_error;
  std::atomic<std::int64_t> failed_writes;
  std::atomic<std::int64_t> failed_syncs;
  // Added to what the clocks say, in seconds.
  std::atomic<std::int64_t> wall_offset;
  std::atomic<std::int64_t> boottime_offset;
};

}  // namespace homeostat::lab
