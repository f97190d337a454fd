// The command line that the soaks share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace homeostat::soak {

struct Options {
  std::uint64_t count = 0;
  std::uint64_t seed = 0;
  std::vector<std::string>
      runtimes{};  // among which --runtime chooses, the first one unless it says another; empty: none
};

/// Reads --count, --seed and --runtime into `options`, whose values are the defaults (of the runtimes only the chosen
/// one is left); a value: an exit code to end with.
std::optional<int> read_options(int argc, char** argv, const std::string& words, Options& options);

/// Says on standard error how far it is, every now and then; may be called by any thread.
std::function<void(std::uint64_t done)> progress_of(std::uint64_t count);

}  // namespace homeostat::soak
