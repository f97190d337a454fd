// A new version takes over step by step, and gives way again when it does harm. A pure machine: it is told the time and
// what is so, and says what shall be so next; whoever embeds it does the steps and confirms them.
//
//   auto state = rollout::begin("v1", "v2", /*needed=*/6, now);
//   while (!rollout::ended(state)) {
//     rollout::advance(policy, state, look(), now);                        // may ask for a step, state.step
//     if (state.step && done(*state.step)) rollout::confirm(state, state.step->id, now);
//     rollout::gate(state, "errors", GateResult::passed, "as few as before");
//   }
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/rollout_types.hpp"

namespace homeostat::rollout {

State begin(std::string from, std::string to, std::uint32_t needed, Instant now, std::string by = {});
/// Promoted or rolled back.
bool ended(const State& state);
/// On the way to more of the new version, or watching it.
bool rising(const State& state);

/// Goes on as far as it may: begins the next step, passes a stage whose gates have passed, turns back from harm.
/// True when anything changed. To be called whenever something has happened, and at next_deadline.
bool advance(const Policy& policy, State& state, const Seen& seen, Instant now);
Instant next_deadline(const Policy& policy, const State& state);

/// The step is done: what it asked for is so. False: it is not the one under way.
bool confirm(State& state, std::uint32_t step, Instant now);

/// What a gate of the present stage says now; `by` when a person says it. False: nothing new, or no such gate.
bool gate(State& state, std::string_view name, GateResult result, std::string_view why, std::string_view by = {});
/// Proof against the new version, from wherever: it is rolled back, unless it has been promoted for good.
bool harm(State& state, std::string_view why);
/// Nobody has looked for a while: the stage begins to bake anew, and only what a person said still holds.
void interrupted(State& state, Instant now);
/// For so long, until now, what was under way could not be seen: that time counts for no step, no bake and no deadline.
/// False: nothing was under way.
bool unseen(State& state, Duration length, Instant now);
/// What divides the traffic cannot be told, or does not do as it was told: nothing moves, and nothing is held against
/// the new version, until it does again (`why` is empty). True when that is news.
bool block(State& state, std::string_view why, Instant now);

// What people may want at any time. An error says why it cannot be.
using Done = std::expected<void, std::string>;
/// Ends the bake or the pause of this stage where its gates have passed. `skip_gates`: waives all that is left.
Done promote(const Policy& policy, State& state, std::string_view by, bool skip_gates, Instant now);
Done abort(State& state, std::string_view by);
/// Nothing moves, in either direction, until it is resumed.
Done freeze(State& state, std::string_view why);
/// Ends a freeze, or the pause of a stage. `fresh_running`: so many of the new version run; where a step back that was
/// not done wanted them gone, they stay until the next one is decided from how it is now.
Done resume(State& state, Instant now, std::uint32_t fresh_running = 0);
/// Once more: this stage's gates, or all of it after a rollback.
Done retry(State& state, std::string_view by, Instant now);
/// Another version instead: this one gives way first.
Done supersede(State& state, std::string_view version);
/// What follows one that has ended, where something does: the version that superseded it, or itself once more.
std::optional<State> successor(const State& state, Instant now);

/// Whole numbers that add up to `total`, as near to the shares as can be (largest remainder; ties to the first).
std::vector<std::uint32_t> apportion(std::uint32_t total, std::span<const std::uint32_t> shares);
/// So many instances must be ready to carry so much of the traffic.
std::uint32_t capacity_for(std::uint32_t needed, std::uint32_t weight);
/// So many may run besides those that are needed while it goes on.
std::uint32_t surge_of(const Policy& policy, std::uint32_t needed);
/// What a rollout makes do with where no more than `room` instances can run: with less surge, down to one, and then
/// with fewer that are needed, down to one.
struct Fitted {
  std::uint32_t needed = 1;
  std::uint32_t surge = 0;  // of blue_green as many as are needed, whatever this says
};
Fitted fit(const Policy& policy, std::uint32_t needed, std::uint32_t room);
/// With less room than this there is no way to the new version.
std::uint32_t least_room(const Policy& policy);

/// A share of the traffic in words: `12.5 %`.
std::string percent(std::uint32_t share);
/// Where it stands, in one sentence.
std::string explain(const Policy& policy, const State& state);

}  // namespace homeostat::rollout
