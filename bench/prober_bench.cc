// What a check costs: N plain HTTP targets, each once a second on its own phase, against servers on this machine.
// Prints the CPU time of this process (its own system calls included) for 1000 checks, and how evenly the checks began.
//
//   prober_bench FIRST_PORT TARGETS SECONDS reuse|fresh
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "os/loop.hpp"
#include "probe/prober.hpp"

namespace {

using namespace homeostat;
using namespace std::chrono_literals;

Instant steady_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Tally {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  std::string last_fault;
};

probe::HttpSpec spec_for(int port, bool fresh) {
  probe::HttpSpec spec;
  spec.host = "127.0.0.1";
  spec.port = std::to_string(port);
  spec.connection = fresh ? probe::Connection::fresh : probe::Connection::reuse;
  return spec;
}

int run(int first_port, std::uint32_t targets, int seconds, bool fresh) {
  auto loop = os::Loop::open();
  if (!loop) return 1;
  Tally tally;
  probe::Prober::Hooks hooks;
  hooks.now = steady_now;
  hooks.wall_ns = [] { return std::int64_t{0}; };
  hooks.known = [](std::uint32_t) { return probe::Finding{}; };
  hooks.done = [&tally](std::uint32_t, std::uint32_t, const Observation& seen, std::string_view detail) {
    ++(seen.good() ? tally.good : tally.bad);
    if (!seen.good()) tally.last_fault = detail;
  };
  auto prober = probe::Prober::open(*loop, hooks);
  if (!prober) return 1;
  for (std::uint32_t i = 0; i < targets; ++i) {
    (*prober)->prepare(i, spec_for(first_port + static_cast<int>(i), fresh), {});
  }
  // A hundred ticks of 10 ms a second; each starts its share of the targets. A tick that is more than half a second
  // late is left out, as the engine would.
  const double before = cpu_seconds();
  const Instant begin = steady_now();
  std::vector<Duration> lateness;
  for (int tick = 0; tick < seconds * 100; ++tick) {
    const Instant due = begin + tick * 10ms;
    for (Instant now = steady_now(); now < due; now = steady_now()) {
      loop->run_once(due - now);
      (*prober)->advance(now);
    }
    loop->run_once(0ms);
    const Instant now = steady_now();
    lateness.push_back(now - due);
    if (now - due > 500ms) continue;
    for (auto i = static_cast<std::uint32_t>(tick % 100); i < targets; i += 100) {
      (*prober)->start(i, static_cast<std::uint32_t>(tick), 2s, now);
    }
  }
  while ((*prober)->next_deadline()) {
    loop->run_once(10ms);
    (*prober)->advance(steady_now());
  }
  const double spent = cpu_seconds() - before;
  std::ranges::sort(lateness);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{} targets, {}: {} good of {}, {} bad {}; {:.4f} CPU s per 1000 checks; start p99 {:.2f} ms late; {} MB\n",
      targets, fresh ? "fresh" : "reuse", tally.good, std::uint64_t{targets} * static_cast<std::uint64_t>(seconds),
      tally.bad, tally.last_fault, spent * 1000 / static_cast<double>(tally.good + tally.bad),
      std::chrono::duration<double, std::milli>(lateness[lateness.size() * 99 / 100]).count(), usage.ru_maxrss / 1024);
  return tally.bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: prober_bench FIRST_PORT TARGETS SECONDS reuse|fresh\n");
    return 2;
  }
  return run(std::atoi(argv[1]), static_cast<std::uint32_t>(std::atoi(argv[2])), std::atoi(argv[3]),
             std::string_view(argv[4]) == "fresh");
}
