// The judge of a rollout's stage: what it is told, when its word counts, and that it survives.
#pragma once

#include "engine/turn.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::engine {

/// What it says is what its gate says, where the requests have really been divided as they should be.
void ask_judge(Turn& t, ServiceId id, rollout::State& state);
/// What people and programs have measured.
void take_samples(Turn& t, ServiceId id, const Operator& in);
/// What the proxy has counted since it was looked at before.
void count_traffic(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& places);
/// What the sources told when they were asked last.
void versions_measured(Turn& t, const VersionsMeasured& in);
/// Writes down what it has seen: the configuration changes.
void put_judge_away(Turn& t, ServiceId id);
/// Goes on with what was written down before a restart or a reload. False: that is void, because something else is to
/// be compared now.
bool recall_judge(Turn& t, ServiceId id, const rollout::State& state);

}  // namespace homeostat::engine
