// Whether those who run instances for us have what they are told to run.
#pragma once

#include <vector>

#include "config/config.hpp"

namespace homeostat::cli {

/// What could not be started if it had to be, and who does not tell. All are asked at once, and nothing is changed; who
/// does not answer takes two seconds.
std::vector<config::Problem> unfit_units(const config::Config& config);

}  // namespace homeostat::cli
