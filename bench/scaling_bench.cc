// What one round of the autoscaler costs: a thousand services with three metrics each are decided. Usage: scaling_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include "homeostat/random.hpp"
#include "homeostat/scaling.hpp"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  ++allocations;
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace homeostat;
using namespace std::chrono_literals;

constexpr std::size_t kServices = 1000;

/// One service: processor use and sessions by instance, and a queue.
struct Service {
  ScalingPolicy policy;
  ScalingHistory history;
  std::vector<ScalingInstance> instances;
  std::vector<MetricSample> cpu;
  std::vector<MetricSample> sessions;
  std::array<std::int64_t, 2> queue{};
  std::array<MetricReading, 3> readings;
  std::int32_t wanted = 0;

  Service(std::int32_t count, Instant now) : wanted(count) {
    policy.range = {1, 100};
    MetricRule use{"cpu", MetricKind::utilization, 70};
    use.cpu = true;
    policy.metrics = {use, {"sessions", MetricKind::average, 50'000}, {"queue", MetricKind::drain, 0}};
    resize(now);
  }

  void resize(Instant now) {
    const auto count = static_cast<std::size_t>(wanted);
    while (instances.size() < count) {
      ScalingInstance instance;
      instance.started = now - 1h;
      instance.ready_changed = now - 1h;
      instance.request = 1000;
      instances.push_back(instance);
    }
    instances.resize(count);
    cpu.resize(count);
    sessions.resize(count);
  }

  void measure(Random& random, Instant now) {
    for (std::uint32_t i = 0; i < instances.size(); ++i) {
      cpu[i] = {i, static_cast<std::int64_t>(400 + random.below(600)), now, 15s};
      sessions[i] = {i, static_cast<std::int64_t>(20'000 + random.below(50'000)), now, 15s};
    }
    const auto arrived = static_cast<std::int64_t>(450'000 + random.below(900'000));  // 30 to 90 a second
    const std::int64_t done = std::min(queue[0] + arrived, wanted * std::int64_t{150'000});
    queue[0] += arrived - done;
    queue[1] += done;
    readings = {MetricReading{MetricFault::none, cpu, {}}, MetricReading{MetricFault::none, sessions, {}},
                MetricReading{MetricFault::none, {}, queue}};
  }
};

struct Fleet {
  std::vector<Service> services;
  ScalingDecision decision;
  Random random{1};
  Instant now{1000h};
  std::size_t allocated = 0;  // in decisions

  explicit Fleet(std::int32_t instances) {
    services.reserve(kServices);
    for (std::size_t i = 0; i < kServices; ++i) services.emplace_back(instances, now);
  }

  void measure() {
    now += 15s;
    for (Service& service : services) service.measure(random, now);
  }

  void decide() {
    const std::size_t before = allocations;
    for (Service& service : services) {
      const ScaleCounts counts{service.wanted, service.wanted};
      homeostat::decide(service.policy, service.history, {service.readings, service.instances, counts, {}, {}}, now,
                        decision);
      note_scaled(service.policy, service.history, decision, now);
      service.wanted = decision.desired;
    }
    allocated += allocations - before;
  }
};

void decide_a_thousand(benchmark::State& state) {
  Fleet fleet(5);
  // Until every window is full: then nothing is allocated any more.
  for (int i = 0; i < 300; ++i) {
    fleet.measure();
    fleet.decide();
    for (Service& service : fleet.services) service.resize(fleet.now);
  }
  fleet.allocated = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (Service& service : fleet.services) service.resize(fleet.now);
    fleet.measure();
    state.ResumeTiming();
    fleet.decide();
  }
  state.counters["allocations_a_round"] =
      benchmark::Counter(static_cast<double>(fleet.allocated), benchmark::Counter::kAvgIterations);
  std::size_t instances = 0;
  for (const Service& service : fleet.services) instances += service.instances.size();
  state.counters["instances_a_service"] = static_cast<double>(instances) / kServices;
  state.counters["a_service"] = benchmark::Counter(
      static_cast<double>(kServices), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK(decide_a_thousand)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
