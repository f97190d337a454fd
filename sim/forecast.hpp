// What to expect of a configuration: its own services in the simulated world, with faults at a given rate.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "sim/arena.hpp"

namespace homeostat::sim {

/// What goes wrong, and how often. Times between faults are spread evenly over (0, 2 x mean).
struct Weather {
  Duration span = std::chrono::hours(24);
  Duration mtbf = std::chrono::hours(24);  // of one instance
  Duration heals_after =
      std::chrono::hours(1);            // a hang or a wrong answer ends by itself then, if nothing helps before
  std::uint32_t stubborn_percent = 10;  // faults that a restart does not cure
  Duration network_mtbf{};              // between cuts of our own network; 0: none
};

inline constexpr std::array<std::string_view, 4> kWeatherFaults{"crash", "hang", "wrong answer", "crash loop"};

struct ServiceForecast {
  std::uint64_t faults = 0;
  std::uint64_t detected = 0;
  std::uint64_t repaired = 0;
  Duration to_detect{};  // all of them together
  Duration to_repair{};
  Duration watched{};
  Duration down{};  // in truth: fewer well than min_healthy
  std::uint64_t actions = 0;
  std::uint64_t escalations = 0;
  std::uint64_t loops = 0;        // runs of actions without a verified recovery between them, as long as kLoop
  std::uint32_t most_rounds = 0;  // how often one ladder began again
};

struct Forecast {
  std::uint64_t seeds = 0;
  std::uint64_t inputs = 0;
  std::array<std::uint64_t, kWeatherFaults.size()> faults{};
  std::uint64_t network_cuts = 0;
  std::map<std::string, ServiceForecast> services;
  void add(const Forecast& other);
};

/// So many actions on one place without a verified recovery look like a loop.
inline constexpr std::uint32_t kLoop = 6;

Forecast forecast_one(const engine::Plan& plan, const Weather& weather, std::uint64_t seed);
/// Seeds from `first` on, on so many threads; `done` counts them.
Forecast forecast(const engine::Plan& plan, const Weather& weather, std::uint64_t first, std::uint64_t count,
                  unsigned threads, std::atomic<std::uint64_t>& done);

}  // namespace homeostat::sim
