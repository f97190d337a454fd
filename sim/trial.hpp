// One seed: a fleet, a subset of the faults, ten minutes of them, and then peace, in which everything must come to
// rest.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/fault.hpp"

namespace homeostat::sim {

inline constexpr std::uint32_t kFleet = 20;
inline constexpr Duration kFaultTime = std::chrono::minutes(10);

struct Trial {
  std::uint64_t seed = 0;
  std::vector<FaultEvent> faults;  // in order of time
  std::vector<bool> left_out;      // services that this trial does without
};

struct TrialResult {
  std::string broken;  // the invariant's name; empty: all hold
  std::string how;
  Duration at{};  // since the beginning
  std::uint64_t inputs = 0;
  Duration simulated{};
  std::uint64_t trace = 0;  // the same seed gives the same number
  std::array<std::uint64_t, kFaults> fired{};
  std::vector<std::uint64_t> tested;    // by invariant
  std::vector<engine::Record> records;  // when something broke: the journal to that point
};

Trial make_trial(std::uint64_t seed);
TrialResult run_trial(const Trial& trial);
/// The invariants in the order of TrialResult::tested.
std::vector<std::string_view> invariant_names();

/// The fleet of a seed; `variant` changes thresholds, counts and which services there are, as a reload would.
engine::Plan fleet_of(const Trial& trial, std::uint64_t variant);

/// The smallest trial found, by leaving out faults and services, that breaks the same invariant.
Trial shrink(const Trial& trial, const std::string& broken);
/// Its faults, one a line.
std::string trace_of(const Trial& trial);

}  // namespace homeostat::sim
