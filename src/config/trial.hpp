// Trying something in a child process that may crash, hang or run out of memory without harm.
#pragma once

#include <functional>

#include "core/error.hpp"

namespace homeostat::config {

struct TrialLimits {
  std::size_t memory = std::size_t{512} << 20;  // beyond what this process has already
  unsigned cpu_seconds = 10;
  int wall_milliseconds = 20'000;
};

/// Runs `work` in a child; an error says how it ended when it did not simply return.
std::expected<void, Error> try_in_child(const std::function<void()>& work, const TrialLimits& limits = {});

}  // namespace homeostat::config
