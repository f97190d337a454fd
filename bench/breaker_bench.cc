// What one call through the circuit breaker costs: through the public header, events on, a live ticker. In the same
// program: the floor (a counter on a line of one's own) and a breaker of the classic design (a mutex, two readings of
// the steady clock). Medians of interleaved rounds, CPU time:
//
//   breaker_bench --benchmark_repetitions=11 --benchmark_enable_random_interleaving=true
//     --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "classic_breaker.hpp"
#include "homeostat/breaker_registry.hpp"

namespace {

using namespace homeostat;
using namespace std::chrono_literals;

constinit thread_local std::uint64_t allocations = 0;

/// Shows how much was allocated a call.
class Allocations {
 public:
  explicit Allocations(benchmark::State& state) : state_(state), before_(allocations) {}
  ~Allocations() {
    state_.counters["allocations"] =
        benchmark::Counter(static_cast<double>(allocations - before_), benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  std::uint64_t before_;
};

BreakerOptions calls_window() { return {}; }
BreakerOptions time_window() {
  BreakerOptions options;
  options.window_time = 10s;
  return options;
}
BreakerOptions slow_calls() {
  BreakerOptions options = time_window();
  options.slow_rate = 50;
  options.slow_above = 1s;
  return options;
}

/// Events are on: somebody listens.
template <class Clock = SharedTick>
std::unique_ptr<BasicBreaker<Clock>> made(const BreakerOptions& options) {
  return *BasicBreaker<Clock>::make("bench", options,
                                    [](const BreakerEvent& event) { benchmark::DoNotOptimize(event.at); });
}

template <class Clock>
void succeed(benchmark::State& state, BasicBreaker<Clock>& breaker) {
  for (int i = 0; i < 1000; ++i) breaker.try_acquire()->success();
  const Allocations counted(state);
  for (auto _ : state) {
    auto permit = breaker.try_acquire();
    if (permit) [[likely]]
      permit->success();
  }
}

void floor_line(benchmark::State& state) {
  alignas(64) static std::atomic<std::uint64_t> lines[64][8];
  std::atomic<std::uint64_t>& line = lines[state.thread_index()][0];
  for (auto _ : state) line.store(line.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void classic_closed(benchmark::State& state) {
  static bench::ClassicBreaker breaker;
  for (auto _ : state) {
    std::uint64_t generation = 0;
    if (breaker.allow(generation)) breaker.done(generation, true);
  }
}

void closed_calls(benchmark::State& state) {
  static const auto breaker = made(calls_window());
  succeed(state, *breaker);
}
void closed_time(benchmark::State& state) {
  static const auto breaker = made(time_window());
  succeed(state, *breaker);
}
void closed_slow_calls(benchmark::State& state) {
  static const auto breaker = made(slow_calls());
  succeed(state, *breaker);
}
void closed_calls_coarse(benchmark::State& state) {
  static const auto breaker = made<CoarseClock>(calls_window());
  succeed(state, *breaker);
}
void closed_time_coarse(benchmark::State& state) {
  static const auto breaker = made<CoarseClock>(time_window());
  succeed(state, *breaker);
}

void closed_call_of_a_function(benchmark::State& state) {
  static const auto breaker = made(time_window());
  const Allocations counted(state);
  int n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(breaker->call([&] { return ++n; }));
}

template <class Clock>
void reject(benchmark::State& state) {
  static const auto breaker = made<Clock>(time_window());
  breaker->force(BreakerState::open);
  const Allocations counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(breaker->try_acquire().has_value());
}
void open_rejected(benchmark::State& state) { reject<SharedTick>(state); }
void open_rejected_coarse(benchmark::State& state) { reject<CoarseClock>(state); }

void failed(benchmark::State& state, BreakerOptions options) {
  const auto breaker = made(options);
  breaker->force(BreakerState::metrics_only);  // every rule is judged, and it goes on
  const Allocations counted(state);
  for (auto _ : state) breaker->try_acquire()->failure();
}
void failure_calls(benchmark::State& state) { failed(state, calls_window()); }
void failure_time(benchmark::State& state) { failed(state, time_window()); }

void registry_look_up(benchmark::State& state) {
  static BreakerRegistry registry;
  for (int i = 0; i < 500; ++i) (void)registry.get("https://service-" + std::to_string(i) + ".example.org/v1");
  const std::string key = "https://service-123.example.org/v1";
  const Allocations counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(registry.get(key).has_value());
}

BENCHMARK(floor_line)->Threads(1)->Threads(2);
BENCHMARK(classic_closed)->Threads(1)->Threads(2);
BENCHMARK(closed_calls)->Threads(1)->Threads(2)->Threads(48);
BENCHMARK(closed_time)->Threads(1)->Threads(2)->Threads(48);
BENCHMARK(closed_slow_calls)->Threads(1)->Threads(2);
BENCHMARK(closed_calls_coarse)->Threads(1)->Threads(2);
BENCHMARK(closed_time_coarse)->Threads(1)->Threads(2);
BENCHMARK(closed_call_of_a_function)->Threads(1);
BENCHMARK(open_rejected)->Threads(1)->Threads(2);
BENCHMARK(open_rejected_coarse)->Threads(1)->Threads(2);
BENCHMARK(failure_calls)->Threads(1);
BENCHMARK(failure_time)->Threads(1);
BENCHMARK(registry_look_up)->Threads(1)->Threads(2);

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char** argv) {
  const Ticker ticker;  // a thousand times a second
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
