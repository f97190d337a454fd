// From a scenario to one that can be played: its configurations are loaded as the product loads them, and every name
// that it uses is looked up in them.
#pragma once

#include <expected>
#include <vector>

#include "scenario/scenario.hpp"
#include "scenario/stage.hpp"

namespace homeostat::scenario {

std::expected<Configs, std::vector<Problem>> prepare(const Scenario& scenario);

}  // namespace homeostat::scenario
