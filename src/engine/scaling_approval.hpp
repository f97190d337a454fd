// In mode `approve` the autoscaler asks first: a change of the number waits for somebody, for what it was asked for and
// for nothing else, and not for ever.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// What the autoscaler would do now.
struct ScalingWish {
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::vector<Slot> spare;
  std::string reason;
};

/// Asks for it once; what was asked for before, and is another, is taken back. The result is what has been approved and
/// may be done: no more than what is wished for.
std::optional<ScalingAsked> ask_for_scaling(Turn& t, ServiceId id, const ScalingWish& wish);

/// Takes back what was asked for, if anything was.
void drop_scaling(Turn& t, ServiceId id, const std::string& why);

/// Takes it back when nobody has approved it in time, and calls somebody, once until there is an answer.
void expire_scaling(Turn& t, ServiceId id);

/// False: `id` is no change of a number. It is made with the next decision, if that still goes as far.
bool approve_scaling(Turn& t, CommandId id, const std::string& by);

}  // namespace homeostat::engine
