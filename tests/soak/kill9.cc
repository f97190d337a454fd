// Kills the real daemon again and again and prints what became of it.
#include <iostream>
#include <random>

#include "kept_kills.hpp"
#include "kills.hpp"
#include "options.hpp"

namespace {

using namespace homeostat::soak;

template <typename Report>
int tell(const Report& report) {
  std::cout << report;
  return report.problem.empty() ? 0 : 1;
}

int kill_beside(const std::unique_ptr<KeptWorld>& world, const Options& options) {
  if (const std::string why = world->begin(); !why.empty()) {
    std::cerr << why << "\n";
    return 2;
  }
  return tell(run_kept_kills(*world, options.seed, options.count, progress_of(options.count)));
}

}  // namespace

int main(int argc, char** argv) {
  Options options{.count = 200, .seed = std::random_device{}(), .runtimes = {"process", "systemd", "podman"}};
  const auto end = read_options(
      argc, argv,
      "Kills the real daemon (-9) at random points while its instances crash and fail, and starts it again. Instances "
      "and hooks write down each start themselves, durably, with a nonce. Prints how often each phase of an action was "
      "hit. Ends with 1 when an action was carried out twice, a confirmed record was lost, two processes of an "
      "instance "
      "lived at once, or one was lost.\n\n"
      "  kill9 --count 2000\n"
      "  kill9 --runtime systemd --count 1000   units of a real systemd, which note their starts\n"
      "  kill9 --runtime podman --count 1000    containers of a real podman, which do the same",
      options);
  if (end) return *end;
  if (options.runtimes.front() == "systemd") return kill_beside(systemd_world(HOMEOSTAT_IN_SYSTEMD), options);
  if (options.runtimes.front() == "podman") return kill_beside(podman_world(HOMEOSTAT_IN_CONTAINERS), options);
  return tell(run_kills(options.seed, options.count, progress_of(options.count)));
}
