// What the services show: what the diagnosis judges by.
#pragma once

#include "engine/turn.hpp"
#include "homeostat/diagnosis.hpp"

namespace homeostat::engine {

/// So many bad looks are a verdict, whatever a check asks for.
constexpr std::uint32_t kVerdictLooks = 3;

diagnosis::Evidence evidence_of(Turn& t, ServiceId id);

/// Somebody has stopped all of it.
bool is_stopped(Turn& t, ServiceId id);
/// A check says whether it is well.
bool has_alive_check(const ServicePlan& plan);

}  // namespace homeostat::engine
