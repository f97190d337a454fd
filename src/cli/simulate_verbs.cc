// simulate
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <thread>

#include "cli/context.hpp"
#include "cli/show_forecast.hpp"
#include "config/load.hpp"
#include "config/value.hpp"

namespace homeostat::cli {
namespace {

struct SimulateChoice {
  std::uint64_t seeds = 20;
  std::uint64_t start_seed = 1;
  double hours = 24;
  std::string mtbf = "24h";
  std::string heals_after = "1h";
  std::uint32_t stubborn = 10;
  std::string network_mtbf = "0s";
};

bool read_span(const std::string& text, Duration& out) {
  const auto span = config::parse_duration(text);
  if (span) out = *span;
  return span.has_value();
}

/// Draws how far it is on standard error, on a terminal only, until it is done.
void show_progress(const std::atomic<std::uint64_t>& done, std::uint64_t all) {
  if (::isatty(STDERR_FILENO) == 0) return;
  constexpr std::uint64_t kWidth = 40;
  while (done < all) {
    const std::uint64_t filled = done * kWidth / all;
    fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}/{} seeds", "", filled, "", kWidth - filled, done.load(), all);
    std::fflush(stderr);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fmt::print(stderr, "\r{:{}}\r", "", kWidth + 40);
}

int run_simulate(const Context& context, const SimulateChoice& choice) {
  sim::Weather weather;
  weather.span = Duration(static_cast<std::int64_t>(choice.hours * 3600e9));
  weather.stubborn_percent = choice.stubborn;
  const bool good = read_span(choice.mtbf, weather.mtbf) && read_span(choice.heals_after, weather.heals_after) &&
                    read_span(choice.network_mtbf, weather.network_mtbf) && weather.mtbf >= std::chrono::minutes(1);
  if (!good)
    return complain(kUsage, "--mtbf, --heals-after and --network-mtbf are durations such as 12h; mtbf is at least 1m");
  const auto config = config::load(context.config);
  if (!config) {
    for (const config::Problem& problem : config.error()) std::fprintf(stderr, "%s\n", config::render(problem).c_str());
    return kUsage;
  }
  std::atomic<std::uint64_t> done = 0;
  std::jthread progress([&done, &choice] { show_progress(done, choice.seeds); });
  const std::clock_t before = std::clock();
  const sim::Forecast forecast = sim::forecast(config->plan, weather, choice.start_seed, choice.seeds,
                                               std::max(1U, std::thread::hardware_concurrency()), done);
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  progress.join();
  const json::object answer = forecast_json(forecast, weather, cpu);
  std::fputs(context.json ? (json::serialize(answer) + "\n").c_str() : show_forecast(answer, context.color()).c_str(),
             stdout);
  return list_at(answer, "loops").empty() ? kOk : kBad;
}

}  // namespace

void add_simulate_verbs(CLI::App& app, Context& context) {
  const auto choice = std::make_shared<SimulateChoice>();
  CLI::App* verb =
      add_verb(app, context, "simulate", "What to expect of a configuration: its services in a simulated world",
               "homeostat simulate --config homeostat.yaml --seeds 50 --hours 24 --mtbf 6h",
               [&context, choice] { return run_simulate(context, *choice); });
  verb->add_option("--seeds", choice->seeds, "How many different courses of events")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  verb->add_option("--start-seed", choice->start_seed, "The first seed; the same seeds give the same answer")
      ->capture_default_str();
  verb->add_option("--hours", choice->hours, "Simulated hours of each seed")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 100'000.0));
  verb->add_option("--mtbf", choice->mtbf, "Mean time between the faults of one instance")->capture_default_str();
  verb->add_option("--heals-after", choice->heals_after, "A hang or a wrong answer ends by itself then")
      ->capture_default_str();
  verb->add_option("--stubborn", choice->stubborn, "Percent of faults that a restart does not cure")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  verb->add_option("--network-mtbf", choice->network_mtbf, "Mean time between cuts of our own network; 0s: none")
      ->capture_default_str();
}

}  // namespace homeostat::cli
