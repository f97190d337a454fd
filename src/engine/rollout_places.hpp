// Which places run which version, and how well.
#pragma once

#include <map>
#include <set>
#include <string>

#include "engine/turn.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::engine {

struct RolloutPlaces {
  std::set<Slot> spare;
  std::map<Slot, std::string> versions;  // other than the service's own
  std::set<Slot> baseline;               // of the old version, for the comparison
  friend bool operator==(const RolloutPlaces&, const RolloutPlaces&) = default;
};

RolloutPlaces rollout_places(Turn& t, ServiceId id);

/// The same with so many of each version, and to compare with: what is not well goes first, of the rest the newest.
RolloutPlaces assign_places(Turn& t, ServiceId id, const rollout::State& state, const rollout::Split& to);

/// So many instances of the version run, whether they should or not.
std::uint32_t running_of(Turn& t, ServiceId id, const std::string& version);

/// So many are needed to carry all of the traffic.
std::uint32_t needed_of(Turn& t, ServiceId id);
/// Places that people have not stopped.
std::uint32_t room_of(Turn& t, ServiceId id);

rollout::Seen look_at(Turn& t, ServiceId id, const rollout::State& state);

/// What the step asks for is so: what shall run does, and is ready where it has to be; what shall not has stopped.
bool is_so(Turn& t, ServiceId id, const rollout::State& state);

/// Nobody can see, and it goes on all the same: on the way back, or because a person wants it.
bool trusts_unseen(Turn& t, ServiceId id, const rollout::State& state);
bool is_ready(Turn& t, ServiceId id, const Place& place);
bool runs_new(Turn& t, ServiceId id, Slot slot, const rollout::State& state);

}  // namespace homeostat::engine
