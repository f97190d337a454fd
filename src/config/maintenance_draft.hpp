// Windows of maintenance as read.
#pragma once

#include <optional>
#include <string>

#include "config/types.hpp"
#include "homeostat/scaling_schedule.hpp"

namespace homeostat::config {

struct WindowDraft {
  std::optional<CronTime> start;
  std::optional<CronTime> end;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string zone = "UTC";
  std::string reason;
};

}  // namespace homeostat::config
