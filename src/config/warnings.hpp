// What a valid configuration will do that nobody wants. Looked for only when somebody asks: it takes its time.
#pragma once

#include <vector>

#include "config/config.hpp"

namespace homeostat::config {

std::vector<Problem> warnings_of(const Config& config);

}  // namespace homeostat::config
