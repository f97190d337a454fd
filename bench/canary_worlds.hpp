// Two versions in a made-up world, a minute at a time: what a canary judge sees. Everything follows from the seed.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "homeostat/canary_stats.hpp"
#include "homeostat/random.hpp"

namespace canary_bench {

constexpr int kMinutes = 100;

/// How the two sides differ and how the world moves.
struct World {
  enum class Data : std::uint8_t { points, latencies, errors };
  Data data = Data::latencies;
  double harm = 0;              // of the canary, as a share
  double per_minute = 60;       // requests a minute, both sides together when `ramp`, else each
  double error_rate = 0.01;     // of the baseline
  bool drift_and_ramp = false;  // everybody gets 20 % slower while the canary's share goes from 5 % to 50 %
};

/// What one minute brings. Point metrics are one sample a side; errors come in twelve readings of a counter.
struct Minute {
  std::array<std::vector<double>, 2> samples;  // canary, baseline
  std::array<std::vector<double>, 2> errors;
  double requests = 0;  // of each reading
};

class Generator {
 public:
  Generator(const World& world, std::uint64_t seed) : world_(world), random_(seed) {}

  Minute next() {
    Minute minute;
    const double progress = static_cast<double>(minute_++) / (kMinutes - 1);
    for (const std::size_t side : {0U, 1U}) {
      const double harm = side == 0 ? 1 + world_.harm : 1;
      if (world_.data == World::Data::points) {
        minute.samples[side].push_back(100 * harm * (1 + 0.1 * normal()));
      } else if (world_.data == World::Data::latencies) {
        latencies(minute.samples[side], side, progress, harm);
      } else {
        errors(minute, side, world_.error_rate * harm);
      }
    }
    return minute;
  }

 private:
  double uniform() { return (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1p-53; }
  double normal() { return homeostat::canary::normal_quantile(uniform()); }

  void latencies(std::vector<double>& out, std::size_t side, double progress, double harm) {
    constexpr double kSpread = 0.5;  // standard deviation of the logarithm
    double base = 0.1 * harm;
    double requests = world_.per_minute;
    if (world_.drift_and_ramp) {
      const double share = 0.05 + 0.45 * progress;
      base *= 1 + 0.2 * progress;
      requests = std::round(world_.per_minute * (side == 0 ? share : 1 - share));
    }
    for (int i = 0; i < static_cast<int>(requests); ++i) out.push_back(base * std::exp(kSpread * normal()));
  }

  void errors(Minute& minute, std::size_t side, double rate) {
    constexpr int kReadings = 12;
    minute.requests = world_.per_minute / kReadings;
    for (int reading = 0; reading < kReadings; ++reading) {
      double failed = 0;
      for (int i = 0; i < static_cast<int>(minute.requests); ++i) failed += uniform() < rate ? 1 : 0;
      minute.errors[side].push_back(failed);
    }
  }

  World world_;
  homeostat::Random random_;
  int minute_ = 0;
};

}  // namespace canary_bench
