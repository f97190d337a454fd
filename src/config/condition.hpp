// A condition on a number, as it is written in a configuration.
#pragma once

#include <string>

#include "config/types.hpp"

namespace homeostat::config {

/// Read as `< 0.05`, with one blank between.
Type<std::string> condition_type();

}  // namespace homeostat::config
