// Damages journals and prints what became of it.
#include <iostream>

#include "damage.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  using namespace homeostat::soak;
  Options options{.count = 10'000, .seed = 1};
  const auto end = read_options(argc, argv,
                                "Damages journals of different age in random ways: each damage must be detected or do "
                                "no harm. Ends with 1 when anything acknowledged was lost or changed silently.\n\n"
                                "  journal_damage --count 100000 --seed 1",
                                options);
  if (end) return *end;
  const DamageReport report = run_damages(options.seed, options.count, progress_of(options.count));
  std::cout << report;
  if (report.silent.empty()) return 0;
  std::cout << "\nnot detected: " << report.silent << "\n";
  return 1;
}
