// Engine time: never backwards, over crashes and reboots.
#pragma once

#include <cstdint>
#include <string>

#include "homeostat/time.hpp"

namespace homeostat::daemon {

class TimeKeeper {
 public:
  /// Goes on from what the file at `path` says, but not before `last_known`. Within one boot time has passed as
  /// CLOCK_BOOTTIME says, across boots as the wall clock says, at least nothing and at most 30 days. The first time of
  /// all is the wall clock's.
  TimeKeeper(std::string path, Instant last_known);

  Instant now() const;
  static std::int64_t wall_ns();
  /// Writes down where we are; the file is replaced whole. Called now and then; nothing depends on its success.
  void save() const;

 private:
  std::string path_;
  Instant base_;
  std::int64_t boottime_at_base_;
};

}  // namespace homeostat::daemon
