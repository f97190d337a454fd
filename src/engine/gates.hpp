// The guardrails: what must hold before an action begins, and again before it is dispatched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// What a call goes to, behind a circuit breaker (breakers.hpp). Another identity is another thing, and no breaker of
/// the one before holds it up.
struct Dependency {
  std::string name;
  std::uint64_t identity = 0;
};

/// What somebody wants to do.
struct Ask {
  ServiceId service = 0;
  Slot slot = kWhole;
  bool automatic = true;              // not an operator's own command
  bool direct = false;                // wanted on direct evidence, or none is needed
  bool disruptive = false;            // takes a running process away
  bool step = false;                  // of a rolling operation
  bool bring_up = false;              // a first start: dependencies must be known to be well
  bool counted = false;               // the budgets have been charged for it already
  std::optional<Dependency> command;  // of the user's, that would do it
  bool take_down = false;  // the stop of what should not run: also while Homeostat is ending, also of what is locked
};

/// Why not now.
struct Hold {
  std::string gate;
  std::string detail;
  Instant retry = kNever;            // worth asking again then, whatever else happens
  bool planned = false;              // somebody works on what comes first: nobody is called meanwhile
  std::optional<ServiceId> first{};  // what comes first
};

/// Why people leave a service alone, such as "was stopped by root"; empty: they do not.
struct Left {
  std::string why;
  bool planned = false;  // they work on it
};
Left left_alone(Turn& t, ServiceId id);
/// Another waits for it: how it is, or why it is left alone.
Hold wait_for(Turn& t, ServiceId first);

/// When the place was found failing; kLongAgo: it was not.
Instant verdict_of(Turn& t, const Ask& ask);

std::optional<Hold> check_gates(Turn& t, const Ask& ask);

/// Actions used of a budget in its window that ends now, and the instant when one becomes free again.
struct BudgetUse {
  std::uint32_t used = 0;
  std::uint32_t limit = 0;
  Duration per{};
  Instant frees_at = kNever;
};
/// Absent: there is none. What was done to a group counts for it, whatever the group is made of now.
std::optional<BudgetUse> instance_budget(const State& s, ServiceId id, Slot slot, Instant now);
std::optional<BudgetUse> group_budget(const State& s, ServiceId id, Instant now);
BudgetUse service_budget(const State& s, ServiceId id, Instant now);
BudgetUse fleet_budget(const State& s, Instant now);

/// The pauses that govern this service now: its own, and that of everything.
std::vector<const PauseState*> pauses_of(const Durable& durable, const std::string& service, Instant now);
/// Their end; nothing when there is none.
std::optional<Instant> paused_until(const State& s, ServiceId id, Instant now);

}  // namespace homeostat::engine
