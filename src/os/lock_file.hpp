// The lock file of an instance: held by flock while any of its processes lives, and a line that says who took it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/incarnation.hpp"

namespace homeostat::os {

/// No lock file is longer.
inline constexpr std::size_t kLockFileBytes = 512;

struct LockRecord {
  Incarnation holder;
  std::string tag;
};

/// Writes "PID STARTED BOOT TAG\n" and returns its length; a longer tag is cut. Allocates nothing: used between fork
/// and exec.
std::size_t write_record(std::span<char, kLockFileBytes> room, const Incarnation& holder, std::string_view tag);

/// Nothing when the text is not exactly one whole record.
std::optional<LockRecord> parse_record(std::string_view text);

struct LockState {
  bool exists = false;
  bool held = false;
  std::optional<LockRecord> record;  // of the present or last holder; nothing: unreadable
};

/// Looks without waiting and without keeping the lock.
LockState look_at_lock(const std::string& path);

/// A process that holds the lock, and the one that took it (they differ when the lock was inherited).
struct LockHolder {
  pid_t pid = 0;
  pid_t taker = 0;
};

/// Who holds the lock; ours left out, and those who merely read the file. Reads all of /proc: for clean-up and
/// messages only.
std::vector<LockHolder> lock_holders(const std::string& path);

}  // namespace homeostat::os
