// Many seeds, side by side, and what they come to.
#pragma once

#include <optional>
#include <string>

#include "sim/trial.hpp"

namespace homeostat::sim {

struct CampaignResult {
  std::uint64_t seeds = 0;
  std::uint64_t inputs = 0;
  Duration simulated{};
  std::array<std::uint64_t, kFaults> fired{};
  std::vector<std::uint64_t> tested;  // by invariant; the last is that the same seed gives the same trace
  std::optional<Trial> failed;        // of the lowest seed that failed
  TrialResult failure;
};

inline constexpr std::string_view kSameTrace = "same_seed_same_trace";

/// Runs the seeds from `first` on, on so many threads; every 25th twice. Stops at the first that fails.
CampaignResult run_campaign(std::uint64_t first, std::uint64_t count, unsigned threads);

/// How often each fault fired and how often each invariant was put to the test, as a table.
std::string table_of(const CampaignResult& result);
/// The names of faults and invariants that never came up.
std::string never_seen(const CampaignResult& result);
/// The failing seed, what broke, and the smallest trial that still breaks it; with its journal, if wanted.
std::string report_of(const CampaignResult& result, bool with_records);

}  // namespace homeostat::sim
