// Random faults and random operators over a small fleet; whatever happens, the promises hold, and when the faults end
// everything comes to rest and works.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "sim/plans.hpp"
#include "sim/walk.hpp"

namespace homeostat::sim {
namespace {

// HOMEOSTAT_SEEDS=FIRST:COUNT walks others than the usual ones.
std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* asked = std::getenv("HOMEOSTAT_SEEDS");
  if (asked == nullptr) return {1, 120};
  char* rest = nullptr;
  const std::uint64_t first = std::strtoull(asked, &rest, 10);
  return {first, *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : 1};
}

// What happened, for whoever looks for the reason (HOMEOSTAT_WALK_RECORDS=1).
void print(const World& world) {
  for (const engine::Record& record : world.records()) {
    const auto ms = record.at.time_since_epoch() / std::chrono::milliseconds(1);
    std::printf("%lld %s %s\n", static_cast<long long>(ms), std::string(engine::type_of(record.body)).c_str(),
                engine::encode(record.body).c_str());
  }
  for (const Effect& effect : world.effects()) {
    const auto ms = effect.at.time_since_epoch() / std::chrono::milliseconds(1);
    std::printf("%lld effect %s %s/%d by %d.%d\n", static_cast<long long>(ms),
                std::string(engine::name_of(effect.op)).c_str(), effect.service.c_str(), effect.slot,
                static_cast<int>(effect.id.epoch), static_cast<int>(effect.id.counter));
  }
}

TEST(RandomWalk, PromisesHoldUnderAnyFaults) {
  const auto [first, count] = seeds();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Walk walk(seed);
    walk.run();
    const auto broken = walk.broken();
    if (!broken.empty() && std::getenv("HOMEOSTAT_WALK_RECORDS") != nullptr) print(walk.world());
    ASSERT_TRUE(broken.empty()) << "seed " << seed << ": " << broken;
  }
}

}  // namespace
}  // namespace homeostat::sim
