// What of `eval scaling` governs the autoscaler beyond its metrics: the hour, missing metrics, idleness, whether it
// helps.
#pragma once

#include <string>

#include "cli/members.hpp"
#include "cli/scaling_input.hpp"

namespace homeostat::cli {

/// Reads `schedules` and `local`, `fallback`, `activation`, `help` and `flap_budget`; after the metrics. Says what is
/// wrong with a part of them; empty: nothing.
std::string read_scaling_rules(Members& members, ScalingQuestion& out);

/// What they remember, of `history`: `failures`, `active`, `turns` and `help`.
std::string read_scaling_memory(Members& members, ScalingQuestion& out);

}  // namespace homeostat::cli
