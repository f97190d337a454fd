// The network of the real daemon is cut at random moments while all its services are well: nobody may be touched, and
// everything must be healthy again by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace homeostat::soak {

struct CutReport {
  bool possible = true;        // false: this machine makes no network namespaces for us
  std::uint64_t own_link = 0;  // cuts of the near end
  std::uint64_t carrier = 0;   // cuts of the far end
  std::uint64_t doubted = 0;   // cuts that lasted long enough to make the daemon doubt its own network
  std::uint64_t crashes = 0;   // real ones, made while the network was cut and while it was not; each is repaired
  std::uint64_t starts = 0;    // of instances, noted by themselves
  std::string problem;         // the first thing that was wrong; empty: nothing

  std::uint64_t cuts() const { return own_link + carrier; }
};
std::ostream& operator<<(std::ostream& out, const CutReport& report);

/// Several daemons beside each other, each with a network of its own, share the cuts. Ends early at the first problem.
/// `progress` is told how many cuts are done, by any of their threads.
CutReport run_cuts(std::uint64_t seed, std::uint64_t count, std::uint64_t daemons,
                   const std::function<void(std::uint64_t)>& progress = {});

}  // namespace homeostat::soak
