// Cuts the network of the real daemon again and again and prints what became of it.
#include <iostream>
#include <random>

#include "cuts.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  using namespace homeostat::soak;
  constexpr std::uint64_t kDaemons = 8;
  Options options{.count = 100, .seed = std::random_device{}()};
  const auto end = read_options(
      argc, argv,
      "Cuts the network between the real daemon and what it looks at, for random times, while all services are well; "
      "eight daemons, each with a network of its own, share the cuts. Needs root, for network namespaces. Ends with 1 "
      "when a healthy service was touched, when not everything became healthy by itself, or when a real crash was not "
      "repaired.\n\n"
      "  network_cuts --count 1000",
      options);
  if (end) return *end;
  const CutReport report = run_cuts(options.seed, options.count, kDaemons, progress_of(options.count));
  std::cout << report;
  return report.possible && report.problem.empty() ? 0 : 1;
}
