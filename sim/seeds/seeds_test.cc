// Thousands of seeds: random faults against everything that must hold at every input.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "sim/campaign.hpp"

namespace homeostat::sim {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// HOMEOSTAT_SEEDS=FIRST:COUNT runs others than the usual ones.
std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* asked = std::getenv("HOMEOSTAT_SEEDS");
  if (asked == nullptr) return {1, 2000};
  char* rest = nullptr;
  const std::uint64_t first = std::strtoull(asked, &rest, 10);
  return {first, *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : 1};
}

TEST(Seeds, EverythingHoldsUnderAnyFaults) {
  const auto [first, count] = seeds();
  const double before = cpu_seconds();
  const CampaignResult result = run_campaign(first, count, std::max(1U, std::thread::hardware_concurrency()));
  const double took = cpu_seconds() - before;
  const auto inputs = static_cast<double>(result.inputs);
  std::printf("%s%llu seeds, %.1f million inputs, %.0f CPU s, %.0f inputs a CPU second\n", table_of(result).c_str(),
              static_cast<unsigned long long>(result.seeds), inputs / 1e6, took, inputs / took);
  ASSERT_FALSE(result.failed) << report_of(result, std::getenv("HOMEOSTAT_SEED_RECORDS") != nullptr);
  // A fault that never fires and an invariant that is never put to the test prove nothing.
  if (count >= 1000) {
    EXPECT_EQ(never_seen(result), "");
  }
}

}  // namespace
}  // namespace homeostat::sim
