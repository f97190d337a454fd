// How often canary judges are wrong and how soon they are right, over seeded runs of a made-up world.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "canary_judges.hpp"

namespace canary_bench {
namespace {

/// What became of one run; the minute of the first time each was said.
struct Run {
  std::optional<int> failed;
  std::optional<int> passed;
};

template <class Judge>
Run run(const World& world, std::uint64_t seed, bool wait_for_pass) {
  Generator generator(world, seed);
  Judge judge(world);
  Run result;
  for (int minute = 1; minute <= kMinutes; ++minute) {
    const Verdict verdict = judge.minute(generator.next());
    if (verdict == Verdict::fail) {
      result.failed = minute;
      break;
    }
    if (verdict == Verdict::pass && !result.passed) result.passed = minute;
    if (wait_for_pass && result.passed) break;
  }
  return result;
}

struct Share {
  double share = 0;
  double low = 0;
  double high = 0;
};

/// Wilson's 95 % interval.
Share share_of(std::size_t count, std::size_t all) {
  constexpr double kZ = 1.96;
  const auto n = static_cast<double>(all);
  const double p = static_cast<double>(count) / n;
  const double centre = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

std::string show(const Share& s) {
  return fmt::format("{:.1f} % [{:.1f}, {:.1f}]", 100 * s.share, 100 * s.low, 100 * s.high);
}

/// The median over all runs and its 95 % interval from order statistics; never counts as later than all.
std::string median(std::vector<int> minutes) {
  std::sort(minutes.begin(), minutes.end());
  const auto n = static_cast<double>(minutes.size());
  const double half = 1.96 * std::sqrt(n) / 2;
  const auto at = [&](double place) {
    const auto i = static_cast<std::size_t>(std::clamp(place, 0.0, n - 1));
    return minutes[i] > kMinutes ? std::string("never") : std::to_string(minutes[i]);
  };
  return fmt::format("{} min [{}, {}]", at((n - 1) / 2), at((n - 1) / 2 - half), at((n - 1) / 2 + half));
}

enum class Asks : std::uint8_t { failed, failed_when, passed_when, passed };

struct Cell {
  std::string_view name;
  World world;
  Asks asks;
  std::string_view goal;
};

template <class Judge>
std::string measure(const Cell& cell, std::size_t runs, std::uint64_t seed) {
  std::size_t count = 0;
  std::vector<int> minutes;
  for (std::size_t i = 0; i < runs; ++i) {
    const bool promote = cell.asks == Asks::passed || cell.asks == Asks::passed_when;
    const Run result = run<Judge>(cell.world, homeostat::Random::mix(seed + i), promote);
    const auto& when = promote ? result.passed : result.failed;
    if (when) ++count;
    minutes.push_back(when.value_or(kMinutes + 1));
  }
  if (cell.asks == Asks::failed || cell.asks == Asks::passed) return show(share_of(count, runs));
  return median(std::move(minutes)) + fmt::format(", {:.1f} %", 100 * share_of(count, runs).share);
}

constexpr World kPoints{.data = World::Data::points};
constexpr World kLatencies{};
constexpr World kErrors{.data = World::Data::errors, .per_minute = 600};
constexpr World kDrift{.per_minute = 120, .drift_and_ramp = true};

constexpr World harmed(World world, double harm) {
  world.harm = harm;
  return world;
}

constexpr std::array kCells{
    Cell{"false rollback, point metrics", kPoints, Asks::failed, "<= 5 %"},
    Cell{"false rollback, request latencies", kLatencies, Asks::failed, "<= 5 %"},
    Cell{"false rollback, error rates", kErrors, Asks::failed, "<= 5 %"},
    Cell{"false rollback, drift + ramp", kDrift, Asks::failed, "<= 5 %"},
    Cell{"latency +20 % caught", harmed(kLatencies, 0.2), Asks::failed_when, "<= 3 min"},
    Cell{"latency +5 % caught, promotion off", harmed(kLatencies, 0.05), Asks::failed_when, "<= 22 min"},
    Cell{"errors 1 % -> 2 % caught", harmed(kErrors, 1), Asks::failed_when, "<= 4 min"},
    Cell{"good canary promoted", kLatencies, Asks::passed_when, "<= 10 min"},
    Cell{"latency +10 % promoted", harmed(kLatencies, 0.1), Asks::passed, "<= 5 %"},
    Cell{"errors 1 % -> 1.5 % promoted", harmed(kErrors, 0.5), Asks::passed, "<= 5 %"},
    Cell{"latency +20 % promoted", harmed(kLatencies, 0.2), Asks::passed, "0 %"},
};

int usage() {
  std::fputs(
      "usage: canary_table [--runs N] [--seed N] [--native] [--only TEXT]\n\n"
      "Prints how often each judge is wrong and how soon it is right; 95 % intervals in brackets.\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 2000;
  std::uint64_t seed = 1;
  bool peers = true;
  std::string_view only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--native") {
      peers = false;
    } else if (i + 1 >= argc) {
      return usage();
    } else if (option == "--runs") {
      runs = std::stoul(argv[++i]);
    } else if (option == "--seed") {
      seed = std::stoull(argv[++i]);
    } else if (option == "--only") {
      only = argv[++i];
    } else {
      return usage();
    }
  }
  fmt::print("{} runs a cell, seed {}, {} looks, one a minute\n\n", runs, seed, kMinutes);
  fmt::print("| case | goal | Homeostat | Mann-Whitney every minute | Kayenta every 5 minutes | pooled means |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const Cell& cell : kCells) {
    if (cell.name.find(only) == std::string_view::npos) continue;
    const bool promotes = cell.asks == Asks::passed || cell.asks == Asks::passed_when;
    fmt::print("| {} | {} | {} |", cell.name, cell.goal, measure<Native>(cell, runs, seed));
    std::fflush(stdout);
    fmt::print(" {} |", !peers || promotes ? "-" : measure<MannWhitney>(cell, runs, seed));
    fmt::print(" {} |", !peers ? "-" : measure<Kayenta>(cell, runs, seed));
    fmt::print(" {} |\n", peers && cell.world.drift_and_ramp ? measure<PooledMeans>(cell, runs, seed) : "-");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace canary_bench

int main(int argc, char** argv) { return canary_bench::main(argc, argv); }
