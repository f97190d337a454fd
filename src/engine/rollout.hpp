// The rollout's part of the engine: what is so, which places run which version, what speaks against the new one. When
// to go on or back is the core's decision (homeostat/rollout.hpp). Every step becomes starts and stops of places, each
// an action of its own.
#pragma once

#include "engine/turn.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::engine {

/// A rollout of this service has begun and not ended.
bool rollout_active(Turn& t, ServiceId id);
/// … and does more than watch what it has done.
bool moves_on(Turn& t, ServiceId id);

/// What fails in this place speaks against the new version, and is no case for the ladder.
bool rollout_judges(Turn& t, ServiceId id, Slot slot);

/// So many instances are needed from now on, if that is more than before: the old version gets them.
void raise_need(Turn& t, ServiceId id, std::uint32_t needed);

/// The place was meant to run the new version: what ended while nobody looked says nothing against it.
bool rollout_starts_again(Turn& t, ServiceId id, Slot slot);

/// As many places beyond those that are needed as the rollout may use: after a start and after a reload.
void fit_rollouts(Turn& t);

/// Nobody looked while we were away.
void rollouts_interrupted(Turn& t);
/// We can see again: the time in the dark counts for nothing that is under way.
void rollouts_seen_again(Turn& t, Duration dark);
/// Where a rollout stands, and what it waits for, in one sentence.
std::string words_of(const State& s, ServiceId id, const rollout::State& state);
/// The configuration changes, and has changed: what was seen of a version goes on to count where it still can.
void put_rollouts_away(Turn& t);
void take_rollouts_up(Turn& t);

/// A deployment of a service that has a rollout. False: there is nothing it could be compared with.
bool deploy_by_rollout(Turn& t, ServiceId id, const Operator& in);

/// What an operator wants of a rollout: the answer, and the state after it.
rollout::Done ask_rollout(const RolloutPlan& plan, rollout::State& state, const Operator& in, Instant now,
                          std::uint32_t fresh_running = 0);
void rollout_command(Turn& t, ServiceId id, const Operator& in);

/// Part of a service's evaluation.
void progress_rollout(Turn& t, ServiceId id);

}  // namespace homeostat::engine
