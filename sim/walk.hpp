// One random walk: faults and operators at random over a small fleet, then peace; and the promises to be checked.
#pragma once

#include <string>

#include "homeostat/random.hpp"
#include "sim/world.hpp"

namespace homeostat::sim {

class Walk {
 public:
  explicit Walk(std::uint64_t seed);
  void run();
  /// The first promise that does not hold, in words; empty: all hold.
  std::string broken() const { return broken_; }
  const World& world() const { return world_; }

 private:
  void fault();
  void fault_of_world();
  void fault_of_engine();
  void operate();
  void reload();
  void make_peace();
  void check();
  void check_rest();
  void check_budgets();
  void check_actions();
  void expect(bool holds, const std::string& promise);
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  std::string any_service();
  Slot any_slot() { return static_cast<Slot>(random_.below(3)); }

  Random random_;
  World world_;
  std::string broken_;
  std::size_t records_seen_ = 0;
};

/// The fleet of the walk; `variant` changes thresholds, counts and which services there are.
engine::Plan walk_plan(std::uint64_t variant);

}  // namespace homeostat::sim
