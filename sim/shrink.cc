// Makes a failing trial small enough to be read.
#include <algorithm>

#include "sim/trial.hpp"

namespace homeostat::sim {
namespace {

/// Runs smaller trials, as many as one waits for.
struct Shrinker {
  const std::string& broken;
  int left = 300;
  bool still(const Trial& trial) { return left-- > 0 && run_trial(trial).broken == broken; }
};

// Leaves out ever smaller runs of faults while the rest still breaks it.
bool fewer_faults(Trial& trial, Shrinker& shrinker) {
  bool any = false;
  for (std::size_t size = std::max<std::size_t>(trial.faults.size() / 2, 1); size > 0; size /= 2) {
    for (std::size_t from = 0; from < trial.faults.size();) {
      Trial smaller = trial;
      const auto begin = smaller.faults.begin() + static_cast<std::ptrdiff_t>(from);
      const std::size_t count = std::min(size, trial.faults.size() - from);
      smaller.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      if (shrinker.still(smaller)) {
        trial = std::move(smaller);
        any = true;
      } else {
        from += size;
      }
    }
  }
  return any;
}

bool fewer_services(Trial& trial, Shrinker& shrinker) {
  bool any = false;
  for (std::uint32_t service = 0; service < kFleet; ++service) {
    if (trial.left_out[service]) continue;
    Trial smaller = trial;
    smaller.left_out[service] = true;
    if (std::ranges::count(smaller.left_out, false) == 0 || !shrinker.still(smaller)) continue;
    trial = std::move(smaller);
    any = true;
  }
  std::erase_if(trial.faults, [&](const FaultEvent& event) { return trial.left_out[event.service]; });
  return any;
}

}  // namespace

Trial shrink(const Trial& trial, const std::string& broken) {
  Trial small = trial;
  small.left_out.resize(kFleet);
  Shrinker shrinker{broken};
  for (int round = 0; round < 4; ++round) {
    const bool faults = fewer_faults(small, shrinker);
    const bool services = fewer_services(small, shrinker);
    if (!faults && !services) break;
  }
  return small;
}

std::string trace_of(const Trial& trial) {
  std::string text;
  for (const FaultEvent& event : trial.faults) {
    text += "  " + words(event, "s" + std::to_string(event.service)) + "\n";
  }
  return text;
}

}  // namespace homeostat::sim
