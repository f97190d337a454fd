// What one check result costs the engine: every check runs once a second, one in a hundred instances fails (and is
// repaired, under gates and budgets), the shell answers every command. Prints results a second on one core and bytes a
// check. Usage: engine_bench [checks…]
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "engine/engine.hpp"
#include "sim/plans.hpp"

namespace {

using namespace homeostat;
using namespace homeostat::engine;
using namespace std::chrono_literals;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Plan plan_with(std::uint32_t checks) {
  std::vector<ServicePlan> services;
  for (std::uint32_t i = 0; i < checks / 10; ++i) {
    ServicePlan service = sim::web("service-" + std::to_string(i), 10);
    service.checks.erase(service.checks.begin());  // the HTTP check only: one check an instance
    service.min_healthy = 5;
    services.push_back(std::move(service));
  }
  Plan plan = sim::plan_of(std::move(services));
  plan.doubt_roots = 1'000'000;  // a hundredth of a fleet that fails for good is the load here, not our own fault
  return plan;
}

/// Answers what the engine asks: one in a hundred instances always fails, starts succeed, the journal is instant.
struct Shell {
  Engine& engine;
  Commands out;
  std::vector<Command> commands;
  std::uint64_t results = 0;
  std::uint64_t pid = 1;

  void step(const Input& input, Instant now) {
    engine.step(input, now, out);
    if (!out.records.empty()) {
      const std::uint64_t seq = out.records.back().seq;
      out.records.clear();
      engine.step(JournalDurable{seq}, now, out);
      out.records.clear();
    }
  }

  void answer(Instant now) {
    while (!out.commands.empty()) {
      commands.swap(out.commands);
      out.commands.clear();
      for (const Command& command : commands) answer_one(command, now);
    }
  }

  void answer_one(const Command& command, Instant now) {
    if (const auto* probe = std::get_if<Probe>(&command)) {
      ++results;
      const Target& target = engine.state().targets[probe->target];
      const bool fails = target.slot == 0 && target.service % 10 == 0;
      step(Observed{probe->target, probe->run,
                    fails ? Observation{Result::failure, Reason::wrong_status, 500, 1ms}
                          : Observation{Result::success, Reason::none, 200, 1ms}},
           now);
    } else if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
      step(ActionDone{dispatch->id, OutcomeKind::succeeded, Incarnation{++pid, pid, 1}, 0, "", ""}, now);
    } else if (const auto* check = std::get_if<SelfCheck>(&command)) {
      step(SelfChecked{check->round, true}, now);
    }
  }
};

void measure(std::uint32_t checks) {
  const std::size_t before = mallinfo2().uordblks;
  Engine engine;
  Shell shell{engine, {}, {}};
  Instant now(std::chrono::hours(1));
  engine.start(plan_with(checks), "bench", now, shell.out);
  shell.step(Recovered{}, now);
  shell.answer(now);
  const auto turn_until = [&](Instant end) {
    while (now < end) {
      now = std::max(now, engine.next_deadline().value_or(end));
      shell.step(Tick{}, now);
      shell.answer(now);
    }
  };
  turn_until(now + 30s);  // everything has come up, failing instances are being repaired
  const std::size_t bytes = mallinfo2().uordblks - before;
  shell.results = 0;
  const double began = cpu_seconds();
  const auto most = std::chrono::seconds(20'000'000 / checks);
  turn_until(now + most);
  const double took = cpu_seconds() - began;
  std::printf("%8u checks  %6.2f million results/s  %5.0f ns/result  %4zu bytes/check\n", checks,
              static_cast<double>(shell.results) / took / 1e6, took / static_cast<double>(shell.results) * 1e9,
              bytes / checks);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::uint32_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(static_cast<std::uint32_t>(std::atoi(argv[i])));
  if (sizes.empty()) sizes = {10'000, 100'000};
  for (const std::uint32_t size : sizes) measure(size);
}
