// Which of the failing services is the cause: only that one is repaired, and the others wait until it is well.
#pragma once

#include <optional>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// So long a change makes a service a likelier cause.
constexpr Duration kChangeCounts = std::chrono::minutes(30);

/// Passes for a service that is a root, or that is not part of any failure. Where no service needs another, nothing is
/// ever held.
std::optional<Hold> diagnosis_gate(Turn& t, const Ask& ask);

/// Another service explains its failure, or has just recovered: it may neither be repaired nor lose an instance.
bool is_excused(const Turn& t, ServiceId id);

/// Its incident has ended: whoever explained it says nothing about the next one.
void forget_diagnosis(Turn& t, ServiceId id);

/// What may be the cause of its failure, the likeliest first, as far as that was asked in this step.
std::string candidates_of(const Turn& t, ServiceId id);

/// Whose failures are one incident with this one's, itself among them.
std::vector<ServiceId> connected_with(Turn& t, ServiceId id);

}  // namespace homeostat::engine
