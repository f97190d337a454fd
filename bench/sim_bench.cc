// How fast the simulator goes: random seeds, all invariants checked at every input, on one core. Prints one JSON
// object.
//
//   sim_bench SEEDS
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "sim/campaign.hpp"

namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  const auto seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
  if (seeds == 0) {
    std::fputs("usage: sim_bench SEEDS\n", stderr);
    return 2;
  }
  const double began = cpu_seconds();
  const homeostat::sim::CampaignResult result = homeostat::sim::run_campaign(1, seeds, 1);
  const double took = cpu_seconds() - began;
  if (result.failed) {
    std::fputs(homeostat::sim::report_of(result, false).c_str(), stderr);
    return 1;
  }
  std::printf("{\"inputs\": %llu, \"per_second\": %.0f}\n", static_cast<unsigned long long>(result.inputs),
              static_cast<double>(result.inputs) / took);
}
