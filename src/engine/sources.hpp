// What stands between the autoscaler and its sources: a circuit breaker for each that lies outside, and how old a
// number may be that is used.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/breakers.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// Nothing for what we measure ourselves.
std::optional<Dependency> source_behind(const ServicePlan& service, std::size_t metric);

/// Begins a round: the metrics that are not to be asked now, a bit each.
std::uint64_t hold_sources(Turn& t, ServiceId id);

/// Ends the round: the breakers hear what became of it; what was not asked, and what is too old, is a fault with its
/// reason. `told` is empty when nobody has answered.
void judge_sources(Turn& t, ServiceId id, std::vector<MeasuredMetric>& told);

/// The round will not be answered.
void give_up_sources(Turn& t, ServiceId id);

}  // namespace homeostat::engine
