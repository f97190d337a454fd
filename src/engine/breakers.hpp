// Circuit breakers between the engine and what it depends on: the commands of exec services, the notifiers, and the
// sources of metrics. What fails again and again is left alone for a while, and then asked once. Those before the
// requests that a proxy leads to an instance are here, too; what they decide is in ejection.hpp.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

inline constexpr std::string_view kBreakerGate = "breaker";

/// The command that does this; nothing where there is none: process services are started by ourselves, and the
/// commands of a ladder are bounded by their rung.
std::optional<Dependency> command_behind(const ServicePlan& service, Op op);
Dependency dependency_of(const NotifierPlan& notifier);
/// The requests that the service's proxy leads to this place; nothing: nobody counts them.
std::optional<Dependency> requests_to(const Plan& plan, const ServicePlan& service, Slot slot);
/// … and to all places of a version together.
std::optional<Dependency> requests_to(const Plan& plan, const ServicePlan& service, std::string_view version);
/// The proxy that leads its requests; nothing: there is none that the engine asks.
std::optional<Dependency> proxy_before(const Plan& plan, const ServicePlan& service);
/// All that a plan depends on, by name, with identity.
std::map<std::string, std::uint64_t> dependencies(const Plan& plan);
/// How the breaker of that name is set.
BreakerOptions breaker_options(const Plan& plan, std::string_view name);

/// After another configuration, or a restart: what is open stays open, unless what is behind it has changed or gone.
void configure_breakers(Turn& t);

/// Why the command would not be admitted now.
std::optional<Hold> breaker_gate(Turn& t, const Ask& ask);

/// Admits the call `id`, or says when to ask again. What became of it is told by breaker_result.
std::expected<void, Rejected> breaker_admits(Turn& t, const Dependency& behind, CommandId id);
/// Calls that were admitted and have not ended.
std::size_t calls_under_way(const Turn& t, const Dependency& behind);
/// What a person asks for is tried, whatever became of the calls before it.
void close_by_hand(Turn& t, const Dependency& behind);
/// Calls that nobody asked to be admitted: so many of others have been made, and so many of them failed.
void breaker_saw(Turn& t, const Dependency& behind, std::uint64_t calls, std::uint64_t failed);
/// An open one admits probes from now on.
void breaker_probes(Turn& t, const Dependency& behind);
/// What stands behind it is gone for now.
void forget_breaker(Turn& t, const Dependency& behind);
/// Calls that were not admitted here (before a restart, say) are nothing to it.
void breaker_result(Turn& t, CommandId id, CallOutcome outcome);
/// What came of an action, as a call.
inline CallOutcome call_outcome(OutcomeKind outcome) {
  if (outcome == OutcomeKind::succeeded) return CallOutcome::success;
  return outcome == OutcomeKind::not_started ? CallOutcome::ignored : CallOutcome::failure;
}

}  // namespace homeostat::engine
