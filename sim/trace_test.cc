// A recorded run: the same inputs and the same seed give the same trace, on every compiler; and a replay of the logged
// inputs gives the same engine. HOMEOSTAT_UPDATE=1 writes the trace anew after a change of behaviour that is meant.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "engine/input_codec.hpp"
#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

Plan mixed_plan() {
  std::vector<ServicePlan> services;
  for (int i = 0; i < 6; ++i) {
    services.push_back(web("web" + std::to_string(i), static_cast<std::uint32_t>(1 + i % 3)));
    if (i > 3) services.back().depends_on = {0};
  }
  services[2].runtime.releases = true;
  services[2].release = "v1";
  services[2].stable_after = 5s;
  services[2].ladder.change([&](auto& rungs) { rungs.insert(rungs.begin(), rung(StrategyKind::rollback)); });
  return plan_of(std::move(services));
}

void story(World& world) {
  world.crash("web0", 0);
  world.run_for(3s);
  world.behave("web1", 1, Behaviour::error500);
  world.behave("web3", 0, Behaviour::hang);
  world.run_for(20s);
  world.release_behaves("bad", Behaviour::error500);
  Operator deploy;
  deploy.verb = Verb::deploy;
  deploy.service = "web2";
  deploy.version = "bad";
  deploy.by = "test";
  world.input(deploy);
  world.run_for(30s);
  world.network_cut(true);
  world.run_for(1min);
  world.network_cut(false);
  world.dies_after_start("web5", 300ms);
  world.crash("web5", 1);
  world.run_for(5min);
}

std::string text(std::uint64_t hash) {
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> shift) & 15];
  return digits;
}

TEST(Trace, OfTheRecordedRunIsTheSameOnEveryCompiler) {
  Started world(mixed_plan(), WorldOptions{.seed = 42});
  story(world);
  const std::string now = text(world.trace_hash()) + " " + text(world.engine().hash());
  const std::string path = HOMEOSTAT_SOURCE "/sim/recorded_trace.txt";
  if (std::getenv("HOMEOSTAT_UPDATE") != nullptr) std::ofstream(path) << now << "\n";
  std::string recorded;
  std::getline(std::ifstream(path) >> std::ws, recorded);
  EXPECT_EQ(now, recorded) << "if the change of behaviour is meant: HOMEOSTAT_UPDATE=1 sim_test";
}

TEST(Trace, SameSeedSameTraceOtherSeedOtherTrace) {
  const auto run = [](std::uint64_t seed) {
    Started world(mixed_plan(), WorldOptions{.seed = seed});
    story(world);
    return world.trace_hash();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Trace, ReplayOfTheInputLogGivesTheSameEngine) {
  World world(mixed_plan(), WorldOptions{.seed = 7});
  world.boot();
  const std::string before = world.engine().save();
  const std::size_t skip = world.inputs().size();
  world.run_for(10s);
  story(world);
  Engine replayed;
  ASSERT_TRUE(replayed.load(before, world.engine().plan()));
  for (std::size_t i = skip; i < world.inputs().size(); ++i) {
    const auto input = decode_input(world.inputs()[i]);
    ASSERT_TRUE(input);
    Commands out;
    replayed.step(input->input, input->at, out);
  }
  EXPECT_EQ(replayed.hash(), world.engine().hash());
}

}  // namespace
}  // namespace homeostat::sim
