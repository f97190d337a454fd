// Doubt: before acting on evidence that could as well be a fault of our own, look at ourselves and at others.
#pragma once

#include <optional>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// Passes after a round of self-check and sample that found nothing; begins one when there is none that is fresh and
/// newer than the verdict on which is acted. What was `seen` while in doubt is no evidence.
std::optional<Hold> doubt_gate(Turn& t, ServiceId asking, Instant verdict, Instant seen);
/// Our own network is in doubt, or time has jumped and not all has been seen since.
inline bool unsure(const State& s) { return s.doubt.doubtful || s.tilt_since; }
/// As it is now it was when we could still see.
inline bool ran_before(const State& s, const InstanceState& instance) {
  return !s.unsure_since || instance.since <= *s.unsure_since;
}
/// It has answered badly: from now on rounds look at its place, until that has been well for long.
void suspect(Turn& t, const Target& target, const Observation& seen);
/// The same for a state that was put together anew.
void find_suspects(State& s);

/// A target of the sample is not looked at any more.
void doubt_gone(Turn& t, TargetId id);
/// What was found out about ourselves is void.
void forget_doubt(Turn& t, const std::string& why);
/// Another configuration says nothing of our network: a doubt is judged anew, at once, over what is configured now.
void restart_doubt(Turn& t);
void doubt_observed(Turn& t, TargetId id);
void self_checked(Turn& t, const SelfChecked& in);
/// Keeps looking while in doubt; part of the engine's own wake.
void doubt_due(Turn& t);

/// Time has jumped: everything seen is void until one fresh round, and for at least Plan::tilt_least.
void begin_tilt(Turn& t, Duration gap);
void tilt_due(Turn& t);

}  // namespace homeostat::engine
