// A world whose services have come up.
#pragma once

#include "sim/world.hpp"

namespace homeostat::sim {

struct Started : World {
  explicit Started(engine::Plan plan, WorldOptions options = {}) : World(std::move(plan), options) {
    boot();
    run_for(std::chrono::seconds(5));
  }
};

}  // namespace homeostat::sim
