// Traffic led by weights, through a real HAProxy: whole swaps between two servers while clients keep asking, and shares
// of a group of servers against what was wanted. Failures are counted by the clients.
// Usage: traffic_bench [swaps]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "traffic/test_kit.hpp"

namespace {

using namespace homeostat;
using namespace homeostat::traffic;
using namespace homeostat::traffic::testing;
using namespace std::chrono_literals;

constexpr int kClients = 8;
constexpr std::uint64_t kBetween = 100;  // requests between two swaps, at least

void demand(const std::expected<void, Error>& done) {
  if (done) return;
  fmt::print(stderr, "{}\n", done.error().text);
  std::exit(1);
}

struct Swaps {
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
};

Swaps swap(int swaps) {
  RealHaproxy haproxy(2);
  Desk desk(haproxy.place());
  Crowd crowd(haproxy.port(), kClients);
  for (int i = 0; i < swaps; ++i) {
    demand(desk.weights({{"s1", i % 2 == 0 ? 0 : kMostWeight}, {"s2", i % 2 == 0 ? kMostWeight : 0}}));
    const std::uint64_t before = crowd.answered() + crowd.failed();
    while (crowd.answered() + crowd.failed() < before + kBetween) std::this_thread::sleep_for(1ms);
  }
  crowd.end();
  return {crowd.answered(), crowd.failed()};
}

/// The largest difference between the wanted and the real share of a canary of one beside a stable group of three.
double worst_split(int requests) {
  RealHaproxy haproxy(4);
  Desk desk(haproxy.place());
  double worst = 0;
  for (const std::uint32_t share :
       {10'000U, 11'700U, 50'000U, 100'000U, 250'000U, 333'300U, 500'000U, 750'000U, 990'000U}) {
    const std::vector<Group> groups{{3, 1'000'000 - share}, {1, share}};
    const auto weights = *weights_of(groups);
    demand(desk.weights(spread(weights)));
    const std::uint64_t before = desk.look()->at(3).requests;
    Client client(haproxy.port());
    for (int i = 0; i < requests; ++i) client.ask();
    const auto got = static_cast<double>(desk.look()->at(3).requests - before) / requests;
    worst = std::max(worst, std::abs(got - share / 1e6));
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  const Swaps swaps = swap(argc > 1 ? std::atoi(argv[1]) : 1000);
  fmt::print("{{\"answered\": {}, \"failed\": {}, \"worst_split_points\": {:.4f}}}\n", swaps.answered, swaps.failed,
             100 * worst_split(20'000));
  return 0;
}
