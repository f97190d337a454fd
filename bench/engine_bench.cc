// What one check result costs the engine, and what recovery costs for each record of the journal: every check runs once
// a second, one in a hundred instances fails for a while and is repaired under gates and budgets, the shell answers
// every command at once. Prints results a second on one core and bytes a check, and how much really happened meanwhile.
// Usage: engine_bench [checks…]
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <vector>

#include "engine/engine.hpp"
#include "sim/plans.hpp"

namespace {

std::size_t allocated = 0;  // what is held of the heap now, the allocator's own rounding included

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  allocated += malloc_usable_size(memory) + sizeof(std::size_t);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) allocated -= malloc_usable_size(memory) + sizeof(std::size_t);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using namespace homeostat;
using namespace homeostat::engine;
using namespace std::chrono_literals;

constexpr std::uint32_t kInstances = 10;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Services of ten instances, each with as many HTTP checks: the first may repair, others only show.
Plan plan_with(std::uint32_t checks, std::uint32_t checks_an_instance) {
  std::vector<ServicePlan> services;
  services.reserve(checks / kInstances / checks_an_instance);
  for (std::uint32_t i = 0; i < checks / kInstances / checks_an_instance; ++i) {
    ServicePlan service = sim::web("service-" + std::to_string(i), kInstances);
    service.checks = {sim::http_check()};
    for (std::uint32_t more = 1; more < checks_an_instance; ++more) {
      service.checks.push_back(sim::http_check());
      service.checks.back().name = "ready";
      service.checks.back().role = Role::ready;
    }
    service.min_healthy = kInstances / 2;
    services.push_back(std::move(service));
  }
  Plan plan = sim::plan_of(std::move(services));
  plan.doubt_roots = 1'000'000;  // a hundredth of a fleet that fails for good is the load here, not our own fault
  return plan;
}

/// What the engine did while it was measured.
struct Tally {
  std::uint64_t results = 0;
  std::uint64_t bad = 0;
  std::uint64_t records = 0;
  std::uint64_t actions = 0;
  std::uint64_t held = 0;
  std::uint64_t incidents = 0;
  std::uint64_t recovered = 0;
  std::uint64_t escalations = 0;
  std::uint64_t rounds = 0;  // of doubt

  void count(const Record& record) {
    ++records;
    held += std::holds_alternative<Held>(record.body) ? 1 : 0;
    incidents += std::holds_alternative<IncidentFailing>(record.body) ? 1 : 0;
    recovered += std::holds_alternative<IncidentRecovering>(record.body) ? 1 : 0;
    escalations += std::holds_alternative<Escalated>(record.body) ? 1 : 0;
  }
};

/// Answers what the engine asks. In every minute another hundredth of the instances fails, half of them with a 500,
/// half with a time-out; starts succeed, the journal and the notifier are instant.
struct Shell {
  Engine& engine;
  Commands out;
  std::vector<Command> commands;
  Tally tally;
  std::vector<Record>* kept = nullptr;  // of all that was recorded, when somebody wants it
  std::uint64_t pid = 1;

  void step(const Input& input, Instant now) {
    engine.step(input, now, out);
    if (!out.records.empty()) {
      const std::uint64_t seq = out.records.back().seq;
      for (const Record& record : out.records) tally.count(record);
      if (kept != nullptr) kept->insert(kept->end(), out.records.begin(), out.records.end());
      out.records.clear();
      step(JournalDurable{seq}, now);
    }
  }

  void answer(Instant now) {
    while (!out.commands.empty()) {
      commands.swap(out.commands);
      out.commands.clear();
      for (const Command& command : commands) answer_one(command, now);
    }
  }

  Observation look(TargetId id, Instant now) {
    const Target& target = engine.state().targets[id];
    const auto minute = static_cast<std::uint32_t>(now.time_since_epoch() / 1min);
    const std::uint32_t instance = target.service * kInstances + static_cast<std::uint32_t>(target.slot);
    if ((instance + minute * 37) % 100 != 0) return {Result::success, Reason::none, 200, 1ms};
    ++tally.bad;
    if (target.service / 10 % 2 == 0) return {Result::failure, Reason::wrong_status, 500, 1ms};
    return {Result::timeout, Reason::timed_out, 0, 500ms};
  }

  void answer_one(const Command& command, Instant now) {
    if (const auto* probe = std::get_if<Probe>(&command)) {
      ++tally.results;
      step(Observed{probe->target, probe->run, look(probe->target, now)}, now);
    } else if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
      ++tally.actions;
      step(ActionDone{dispatch->id, OutcomeKind::succeeded, Incarnation{++pid, pid, 1}, 0, "", ""}, now);
    } else if (const auto* check = std::get_if<SelfCheck>(&command)) {
      ++tally.rounds;
      step(SelfChecked{check->round, true}, now);
    } else if (const auto* notify = std::get_if<Notify>(&command)) {
      step(NotifyDone{notify->escalation, true, ""}, now);
    }
  }
};

void report(const Tally& t, Duration virtual_time) {
  std::printf(
      "          in %lld s: %.2f %% bad, %llu incidents, %llu recoveries, %llu actions, %llu holds, "
      "%llu escalations, %llu rounds of doubt, %llu records\n",
      static_cast<long long>(virtual_time / 1s), static_cast<double>(t.bad) * 100 / static_cast<double>(t.results),
      static_cast<unsigned long long>(t.incidents), static_cast<unsigned long long>(t.recovered),
      static_cast<unsigned long long>(t.actions), static_cast<unsigned long long>(t.held),
      static_cast<unsigned long long>(t.escalations), static_cast<unsigned long long>(t.rounds),
      static_cast<unsigned long long>(t.records));
}

/// A fleet that has come up; the first failing instances are being repaired.
struct Fleet {
  Engine engine;
  Shell shell{engine, {}, {}, {}};
  Instant now{std::chrono::hours(1)};

  Fleet(std::uint32_t checks, std::uint32_t checks_an_instance, std::vector<Record>* kept = nullptr) {
    shell.kept = kept;
    engine.start(plan_with(checks, checks_an_instance), "bench", now, shell.out);
    shell.step(Recovered{}, now);
    shell.answer(now);
    turn(30s);
    shell.tally = {};
  }

  void turn(Duration span) {
    for (const Instant end = now + span; now < end;) {
      now = std::max(now, engine.next_deadline().value_or(end));
      shell.step(Tick{}, now);
      shell.answer(now);
    }
  }
};

void measure(std::uint32_t checks, std::uint32_t checks_an_instance) {
  const std::size_t before = allocated;
  const auto fleet = std::make_unique<Fleet>(checks, checks_an_instance);
  const double began = cpu_seconds();
  const auto span = std::chrono::seconds(20'000'000 / checks);
  fleet->turn(span);
  const double took = cpu_seconds() - began;
  Shell& shell = fleet->shell;
  shell.out = {};
  shell.commands.clear();
  shell.commands.shrink_to_fit();
  const std::size_t bytes = allocated - before;
  const auto results = static_cast<double>(shell.tally.results);
  std::printf("%8u checks, %u an instance  %6.2f million results/s  %5.0f ns/result  %4zu bytes/check\n", checks,
              checks_an_instance, results / took / 1e6, took / results * 1e9, bytes / checks);
  report(shell.tally, span);
}

/// Recovery reads every record of the journal and folds it into the state.
void measure_fold() {
  std::vector<Record> kept;
  Fleet(10'000, 2, &kept).turn(10min);
  std::vector<std::pair<std::string_view, std::string>> texts;
  for (const Record& record : kept) texts.emplace_back(type_of(record.body), encode(record.body));
  std::uint64_t folded = 0;
  const double began = cpu_seconds();
  while (folded < 1'000'000) {
    Durable durable;
    for (std::size_t i = 0; i < texts.size(); ++i, ++folded) {
      auto body = decode(texts[i].first, texts[i].second);
      if (!body) std::abort();
      durable.apply(Record{kept[i].seq, kept[i].at, kept[i].generation, std::move(*body)});
    }
  }
  const double took = cpu_seconds() - began;
  std::printf("recovery: decode and apply %.2f million records/s (%zu different ones)\n",
              static_cast<double>(folded) / took / 1e6, texts.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::uint32_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(static_cast<std::uint32_t>(std::atoi(argv[i])));
  if (sizes.empty()) sizes = {10'000, 100'000};
  for (const std::uint32_t size : sizes) {
    measure(size, 2);
    measure(size, 1);
  }
  measure_fold();
}
