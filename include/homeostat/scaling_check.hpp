// What is wrong with a policy before it is used, and what it will do that nobody wants.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "homeostat/scaling_policy.hpp"

namespace homeostat {

/// Nothing, or what is wrong: the field, and what it may be. `decide` takes valid policies only.
std::expected<void, std::string> validate(const ScalingPolicy& policy);

/// Of a valid policy: a metric that makes it swing under a constant load, a limit that can never bind, one that never
/// lets it move. Each with the numbers.
std::vector<std::string> warnings(const ScalingPolicy& policy);

}  // namespace homeostat
