// A span of time, announced by the configuration, in which somebody works on a service.
#pragma once

#include <cstdint>
#include <string>

#include "homeostat/scaling_schedule.hpp"

namespace homeostat::engine {

/// From one time to another again and again, or once.
struct MaintenanceWindow {
  std::uint32_t zone = 0;  // again and again: index into Plan::zones …
  CronTime start{};        // … from the minute of this until
  CronTime end{};          // … that of this
  std::int64_t from = 0;   // once: seconds since 1970, in UTC
  std::int64_t to = 0;     // … until then; 0: again and again
  std::string reason;
  friend bool operator==(const MaintenanceWindow&, const MaintenanceWindow&) = default;
};

}  // namespace homeostat::engine
