// When a human is called although no rung of a ladder says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// A repair that waits is no repair: somebody is told after a while, unless somebody wants it to wait, or somebody has
/// been told of what it is connected with. The while begins when that ends.
void call_about_hold(Turn& t, ServiceId id, const Place& place, const Hold& hold);

/// That this notifier was called about another one whose failure is connected with this one's, while this one failed,
/// in words: one incident is told of once, and once more when nothing has helped.
std::optional<std::string> told_already(Turn& t, ServiceId id, const std::string& notifier);

/// A spent ladder never ends in silence, also when none of its rungs calls anybody.
void call_for_help(Turn& t, ServiceId id, const Place& place);

/// What was decided waits for a person, who is told at once; unless he was told only just now that the approval before
/// this one has expired, or another instance of the service waits already.
void call_for_approval(Turn& t, ServiceId id, const Intent& intent);
inline constexpr std::string_view kApprovalExpired = " has expired; nothing was done";

/// Others need it, and nobody can tell how it is.
void call_about_unknown(Turn& t, ServiceId id);

/// Everything that may be the cause has been repaired in vain, or as much of it as may be. Once for all that is
/// connected.
void call_about_candidates(Turn& t, ServiceId id, const std::string& why);

/// `web/1`, or `web` as a whole.
std::string place_name(const Turn& t, ServiceId id, Slot slot);

}  // namespace homeostat::engine
