// Kills the real daemon again and again and prints what became of it.
#include <iostream>
#include <random>

#include "kills.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  using namespace homeostat::soak;
  Options options{.count = 200, .seed = std::random_device{}()};
  const auto end = read_options(
      argc, argv,
      "Kills the real daemon (-9) at random points while its instances crash and fail, and starts it again. Instances "
      "and hooks write down each start themselves, durably, with a nonce. Ends with 1 when an action was carried out "
      "twice, a confirmed record was lost, two processes of an instance lived at once, or one was lost.\n\n"
      "  kill9 --count 2000",
      options);
  if (end) return *end;
  const KillReport report = run_kills(options.seed, options.count, progress_of(options.count));
  std::cout << report;
  return report.problem.empty() ? 0 : 1;
}
