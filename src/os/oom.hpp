// Whether the kernel has killed a process because memory had run out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"
#include "os/fd.hpp"

namespace homeostat::os {

/// The process that a line of the kernel's log says was killed for memory, by its number.
std::optional<pid_t> killed_for_memory(std::string_view line);

/// The kernel's log names each (that needs CAP_SYSLOG). Without it there is the count of all such kills of the machine,
/// so that one within about ten seconds counts as this one's. Single threaded.
class OomWatch {
 public:
  explicit OomWatch(const std::string& log = "/dev/kmsg", std::string counts = "/proc/vmstat");

  /// To be called now and then.
  void advance(Instant now);
  /// Of a process that SIGKILL has ended, and that has been seen to end just now.
  bool killed(pid_t pid);

 private:
  void read_log();
  std::optional<std::uint64_t> count() const;

  Fd log_;
  std::deque<pid_t> named_;  // the last ones
  std::string counts_;
  std::optional<std::uint64_t> before_;  // at the last look but one
  std::optional<std::uint64_t> last_;
  Instant looked_ = kLongAgo;
};

}  // namespace homeostat::os
