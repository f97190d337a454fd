// What the services show: what the diagnosis judges by.
#pragma once

#include "engine/turn.hpp"
#include "homeostat/diagnosis.hpp"

namespace homeostat::engine {

/// So many bad looks are a verdict, whatever a check asks for.
constexpr std::uint32_t kVerdictLooks = 3;

diagnosis::Evidence evidence_of(Turn& t, ServiceId id);

/// Something has been begun, and is not known to help or not to.
bool is_being_repaired(Turn& t, ServiceId id);
/// A whole ladder has been gone through.
bool was_all_tried(Turn& t, ServiceId id);
/// Somebody has stopped all of it.
bool is_stopped(Turn& t, ServiceId id);
/// A check says whether it is well.
bool has_alive_check(const ServicePlan& plan);

}  // namespace homeostat::engine
