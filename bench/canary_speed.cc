// What the canary judge costs: ten metrics of 100,000 samples each, told and judged; and Kayenta's on one of them.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "homeostat/canary.hpp"
#include "homeostat/canary_kayenta.hpp"
#include "homeostat/canary_stats.hpp"
#include "homeostat/random.hpp"

namespace {

namespace canary = homeostat::canary;

constexpr std::size_t kMetrics = 10;

std::vector<double> latencies(std::size_t count, std::uint64_t seed) {
  homeostat::Random random(seed);
  std::vector<double> samples(count);
  for (double& x : samples) {
    const double uniform = (static_cast<double>(random.next() >> 11) + 0.5) * 0x1p-53;
    x = 0.1 * std::exp(0.5 * canary::normal_quantile(uniform));
  }
  return samples;
}

/// `samples` of each metric, half of them of each side, spread over a hundred minutes.
void judge_all(benchmark::State& state, canary::Kind kind) {
  const auto samples = static_cast<std::size_t>(state.range(0));
  const std::vector<double> values = latencies(samples, 1);
  const std::vector<canary::Metric> metrics(kMetrics, {.name = "metric", .kind = kind});
  for (auto _ : state) {
    auto judge = canary::Judge::make({}, metrics);
    const auto step = std::chrono::nanoseconds(std::chrono::minutes(100)) / static_cast<std::int64_t>(samples);
    for (std::size_t metric = 0; metric < kMetrics; ++metric) {
      homeostat::Instant at{};
      for (std::size_t i = 0; i < samples; ++i, at += step) {
        const canary::Arm arm = i % 2 == 0 ? canary::Arm::canary : canary::Arm::baseline;
        if (kind == canary::Kind::errors) {
          judge->count(metric, arm, values[i] > 0.3 ? 1 : 0, 1, at);
        } else {
          judge->sample(metric, arm, values[i], at);
        }
      }
    }
    benchmark::DoNotOptimize(judge->judge(homeostat::Instant(std::chrono::minutes(100))));
  }
}

void latency(benchmark::State& state) { judge_all(state, canary::Kind::latency); }
void value(benchmark::State& state) { judge_all(state, canary::Kind::value); }
void errors(benchmark::State& state) { judge_all(state, canary::Kind::errors); }

void one_verdict(benchmark::State& state) {
  auto judge = canary::Judge::make({}, {{.name = "metric"}});
  const std::vector<double> values = latencies(2000, 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    judge->sample(0, i % 2 == 0 ? canary::Arm::canary : canary::Arm::baseline, values[i], homeostat::Instant{});
  }
  for (auto _ : state) benchmark::DoNotOptimize(judge->judge(homeostat::Instant{}));
}

void kayenta(benchmark::State& state) {
  const auto samples = static_cast<std::size_t>(state.range(0));
  const std::vector<double> experiment = latencies(samples / 2, 3);
  const std::vector<double> control = latencies(samples / 2, 4);
  for (auto _ : state) benchmark::DoNotOptimize(canary::kayenta::classify(experiment, control, {}));
}

BENCHMARK(latency)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(value)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(errors)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(one_verdict)->Unit(benchmark::kMicrosecond);
BENCHMARK(kayenta)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
