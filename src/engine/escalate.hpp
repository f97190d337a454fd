// Calling a human: durable, delivered at least once, kept in the status until somebody acknowledges it.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// In shadow nothing is done about it, and nobody is told.
bool calls_nobody(const Turn& t, ServiceId id);
/// The notifier for whatever no ladder names one for; empty: none.
std::string default_notifier(const Turn& t);
/// True when somebody has been called for this incident already.
/// Of what is an incident now: when it was over, and has come back, what was told before is old.
bool tells_of(const Turn& t, const EscalationState& call, std::uint64_t incident);
bool escalated(const Turn& t, std::uint64_t incident);
/// What comes and goes is told of once in so long.
inline constexpr Duration kCalledLately = std::chrono::minutes(10);
/// Raises an escalation for an incident of a service, once an incident and notifier.
void escalate(Turn& t, ServiceId id, std::uint64_t incident, const std::string& notifier, std::string summary);
/// The same, whoever was called for that incident before.
void escalate_anew(Turn& t, ServiceId id, std::uint64_t incident, const std::string& notifier, std::string summary);
/// Somebody is to approve that action.
void call_for_answer(Turn& t, ServiceId id, CommandId asks_for, std::string summary);
/// Raises one for the engine itself, to the default notifier.
void escalate_engine(Turn& t, std::string summary);

/// The record of an escalation is durable (or cannot become so): run its notifier.
void escalation_durable(Turn& t, CommandId id);
void notify_done(Turn& t, const NotifyDone& in);
/// Runs the notifiers that are due again.
void notify_due(Turn& t);

}  // namespace homeostat::engine
