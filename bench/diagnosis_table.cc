// How often the diagnosis acts on the true root, and how often on something else, over seeded graphs of a made-up
// world.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diagnosis_worlds.hpp"
#include "homeostat/diagnosis.hpp"

namespace diagnosis_bench {
namespace {

namespace hd = homeostat::diagnosis;

struct Tally {
  std::uint64_t cases = 0;
  std::uint64_t roots = 0;
  std::uint64_t named = 0;  // true roots that stood first in their incident
  std::uint64_t right = 0;  // true roots that were repaired
  std::uint64_t actions = 0;
  std::uint64_t wrong = 0;        // actions on anything else
  std::uint64_t wrong_cases = 0;  // cases with such an action
  std::uint64_t abstained = 0;    // cases that ended with a root left alone
  std::uint64_t foreign = 0;      // … since it was not ours to repair
  std::uint64_t hidden = 0;       // … since nobody could look at it
};

hd::Graph graph_of(const World& world) {
  constexpr hd::Tie kTies[] = {hd::Tie::hard, hd::Tie::soft, hd::Tie::runs_on};
  std::vector<hd::Edge> edges;
  for (const Need& need : world.needs()) {
    if (!need.declared) continue;
    edges.push_back({need.from, need.to, kTies[static_cast<int>(need.way)], need.group});
  }
  return hd::Graph::make(world.size(), std::move(edges)).value();
}

std::vector<hd::Evidence> evidence_of(const World& world, const std::vector<bool>& tried) {
  std::vector<hd::Evidence> all(world.size());
  for (std::uint32_t i = 0; i < world.size(); ++i) {
    const Look& look = world.seen()[i];
    hd::Evidence& one = all[i];
    one.sign = !look.known   ? hd::Sign::unknown
               : !look.bad   ? hd::Sign::healthy
               : look.direct ? hd::Sign::direct
                             : hd::Sign::symptom;
    one.looks = static_cast<std::uint8_t>(std::min(look.looks, 3));
    one.changed = world.changed(i);
    one.untouchable = world.foreign(i);
    one.excluded = tried[i];
    const auto since = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * look.since));
    if (look.known && look.bad) one.since = homeostat::Instant(since);
  }
  return all;
}

/// The candidates and what they depend on are looked at again before anything is done.
void look_again(World& world, const hd::Diagnosis& diagnosis, const hd::Report& report) {
  std::vector<bool> again(world.size(), false);
  for (const hd::Finding& one : report.findings) {
    if (one.role == hd::Role::excused) continue;
    again[one.node] = true;
    for (const auto& link : diagnosis.graph().dependencies(one.node)) again[link.node] = true;
  }
  for (std::uint32_t i = 0; i < world.size(); ++i) {
    if (again[i]) world.look(i);
  }
}

/// A symptom is acted on when it has been seen three times in a row, as the checks do by default.
bool is_verdict(const World& world, const hd::Finding& one) {
  const Look& look = world.seen()[one.node];
  return look.direct || look.looks >= 3;
}

bool repair_roots(World& world, const hd::Report& report, std::vector<bool>& tried, Tally& tally) {
  bool acted = false;
  for (const hd::Finding& one : report.findings) {
    if (one.role != hd::Role::root || !is_verdict(world, one)) continue;
    acted = true;
    ++tally.actions;
    ++(world.repair(one.node) ? tally.right : tally.wrong);
    tried[one.node] = world.seen()[one.node].bad;
  }
  return acted;
}

void count_left(const World& world, Tally& tally) {
  if (world.roots() == 0) return;
  ++tally.abstained;
  for (std::uint32_t i = 0; i < world.size(); ++i) {
    if (!world.is_root(i)) continue;
    if (world.foreign(i)) return void(++tally.foreign);
    if (!world.seen()[i].known) return void(++tally.hidden);
  }
}

bool asks_for_a_look(const World& world, const hd::Report& report) {
  return std::ranges::any_of(report.findings, [&](const hd::Finding& one) {
    return one.role == hd::Role::look || (one.role == hd::Role::root && !is_verdict(world, one));
  });
}

void play(World world, std::uint32_t roots, Tally& tally) {
  ++tally.cases;
  tally.roots += roots;
  hd::Diagnosis diagnosis(graph_of(world));
  hd::Report report;
  std::vector<bool> tried(world.size(), false);
  std::vector<bool> named(world.size(), false);
  const std::uint64_t wrong_before = tally.wrong;
  constexpr int kRounds = 4;
  constexpr int kLooks = 2;
  constexpr int kMostLooks = 10;
  for (int round = 0; round < kRounds; ++round) {
    diagnosis.diagnose(evidence_of(world, tried), report);
    for (int look = 0; look < kLooks || (asks_for_a_look(world, report) && look < kMostLooks); ++look) {
      look_again(world, diagnosis, report);
      diagnosis.diagnose(evidence_of(world, tried), report);
    }
    for (const hd::Incident& incident : report.incidents) {
      const std::uint32_t first = report.of(incident)[0].node;
      if (world.is_root(first)) named[first] = true;
    }
    if (!repair_roots(world, report, tried, tally)) break;
  }
  tally.named += static_cast<std::uint64_t>(std::count(named.begin(), named.end(), true));
  tally.wrong_cases += tally.wrong > wrong_before;
  count_left(world, tally);
}

/// The plain walk: whatever alarms although nothing alarms that it needs, once it has been looked at again.
void play_walk(World world, std::uint32_t roots, Tally& tally) {
  ++tally.cases;
  tally.roots += roots;
  const std::uint64_t wrong_before = tally.wrong;
  std::vector<bool> tried(world.size(), false);
  for (int round = 0; round < 4; ++round) {
    std::vector<std::uint32_t> ends;
    for (int look = 0; look < 3; ++look) {
      std::vector<bool> explained(world.size(), false);
      for (const Need& need : world.needs()) {
        const Look& other = world.seen()[need.to];
        if (need.declared && other.known && other.bad) explained[need.from] = true;
      }
      ends.clear();
      for (std::uint32_t i = 0; i < world.size(); ++i) {
        const Look& own = world.seen()[i];
        if (own.known && own.bad && !explained[i] && !tried[i]) ends.push_back(i);
      }
      if (look < 2) std::ranges::for_each(ends, [&](std::uint32_t i) { world.look(i); });
    }
    bool acted = false;
    for (const std::uint32_t i : ends) {
      if (world.foreign(i)) continue;
      acted = true;
      ++tally.actions;
      tally.named += world.is_root(i);
      if (world.repair(i)) {
        ++tally.right;
      } else {
        tried[i] = true;
        ++tally.wrong;
      }
    }
    if (!acted) break;
  }
  tally.wrong_cases += tally.wrong > wrong_before;
  count_left(world, tally);
}

/// "Restart everything that alarms": every root that can be seen is among them, and so is everything else.
void play_all(World world, std::uint32_t roots, Tally& tally) {
  ++tally.cases;
  tally.roots += roots;
  const auto seen = world.seen();
  const std::uint64_t wrong_before = tally.wrong;
  for (std::uint32_t i = 0; i < world.size(); ++i) {
    if (!seen[i].known || !seen[i].bad || world.foreign(i)) continue;
    ++tally.actions;
    if (world.repair(i))
      ++tally.right;
    else
      ++tally.wrong;
  }
  tally.wrong_cases += tally.wrong > wrong_before;
  count_left(world, tally);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{:.1f} %", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void show(std::string_view set, std::uint32_t roots, std::string_view who, const Tally& t) {
  fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", set, roots, who, percent(t.named, t.roots),
             percent(t.right, t.roots), percent(t.wrong, t.actions), percent(t.wrong_cases, t.cases),
             percent(t.abstained, t.cases), percent(t.foreign, t.cases), percent(t.hidden, t.cases));
}

void table(std::uint64_t graphs, std::uint64_t seed) {
  fmt::print(
      "| set | roots | who | named first | roots repaired | wrong of all actions | cases with a wrong action "
      "| cases with a root left | … not ours | … unseen |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& [set, noise] : {std::pair("clean", kClean), std::pair("noisy", kNoisy)}) {
    for (std::uint32_t roots = 1; roots <= 3; ++roots) {
      Tally own;
      Tally walk;
      Tally all;
      for (std::uint64_t i = 0; i < graphs; ++i) {
        const auto services = static_cast<std::uint32_t>(20 + i % 101);
        const World world(seed + i, services, roots, noise);
        play(world, roots, own);
        play_walk(world, roots, walk);
        play_all(world, roots, all);
      }
      show(set, roots, "Homeostat", own);
      show(set, roots, "deepest alarm", walk);
      show(set, roots, "restart all", all);
    }
  }
}

/// Of this thread: what else the machine does meanwhile is not counted.
double milliseconds_of_work() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

void time_one(hd::Graph graph, const std::vector<hd::Evidence>& evidence, std::string_view roots) {
  hd::Diagnosis diagnosis(std::move(graph));
  hd::Report report;
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) {
    const double began = milliseconds_of_work();
    diagnosis.diagnose(evidence, report);
    times.push_back(milliseconds_of_work() - began);
  }
  std::sort(times.begin(), times.end());
  fmt::print("| {} | {} | {} | {} | {:.3f} ms | {:.3f} ms |\n", diagnosis.graph().size(), diagnosis.graph().edges(),
             roots, report.findings.size(), times[times.size() / 2], times[times.size() * 95 / 100]);
}

/// Edges in any direction: most of the services are one circle. All of them fail.
void time_circle() {
  constexpr std::uint32_t kServices = 1000;
  std::mt19937_64 random(5);
  std::set<std::pair<hd::Node, hd::Node>> known;
  std::vector<hd::Edge> edges;
  while (edges.size() < 3 * kServices) {
    const auto from = static_cast<hd::Node>(random() % kServices);
    const auto to = static_cast<hd::Node>(random() % kServices);
    if (from != to && known.emplace(from, to).second) edges.push_back({from, to});
  }
  const hd::Evidence fails{.sign = hd::Sign::symptom, .looks = 3, .since = homeostat::Instant{}};
  time_one(hd::Graph::make(kServices, std::move(edges)).value(), std::vector(kServices, fails), "a circle");
}

/// 1,000 services and about 3,000 edges, with from one to a hundred roots.
void speed() {
  fmt::print(
      "\n| services | edges | roots | alarms | one diagnosis: median | 95 of 100 |\n|---|---|---|---|---|---|\n");
  for (const std::uint32_t roots : {1U, 3U, 30U, 300U}) {
    const World world(roots, 1000, roots, kNoisy);
    time_one(graph_of(world), evidence_of(world, std::vector<bool>(world.size(), false)), std::to_string(roots));
  }
  time_circle();
}

int run(int argc, char** argv) {
  std::uint64_t graphs = 10'000;
  std::uint64_t seed = 1'000'000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool number = (word == "--graphs" || word == "--seed") && i + 1 < argc;
    if (!number) {
      fmt::print(stderr, "usage: bench/diagnosis [--graphs N] [--seed N]\n");
      return 2;
    }
    (word == "--graphs" ? graphs : seed) = std::strtoull(argv[++i], nullptr, 10);
  }
  table(graphs, seed);
  speed();
  return 0;
}

}  // namespace
}  // namespace diagnosis_bench

int main(int argc, char** argv) { return diagnosis_bench::run(argc, argv); }
