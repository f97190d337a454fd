// Replaying the input log: the same inputs into the same engine, to see again what it decided.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "core/error.hpp"
#include "engine/engine.hpp"

namespace homeostat::daemon {

struct ReplayOptions {
  std::string state_dir;
  Instant from = kLongAgo;  // segments that end before are left out
  Instant to = kNever;
  std::string config;  // another configuration: what would it have done? Empty: the one of the time
};

struct ReplayResult {
  std::uint64_t segments = 0;
  std::uint64_t inputs = 0;
  std::uint64_t records = 0;
  std::uint64_t proved = 0;       // segments whose end is, bit for bit, the next one's beginning
  std::uint64_t other_build = 0;  // segments written by another build: a what-if at best
};

/// Calls `on_record` with every record between `from` and `to`. An error says which segment cannot be replayed and why.
std::expected<ReplayResult, Error> replay(const ReplayOptions& options,
                                          const std::function<void(const engine::Record&)>& on_record);

}  // namespace homeostat::daemon
