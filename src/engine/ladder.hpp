// Which ladder a failure is on: that of its kind, or the general one; and where it stands there.
#pragma once

#include <string>
#include <vector>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// The rungs and the limits of the ladder for this kind of failure; of the general one where there is none of that
/// name.
const std::vector<RungPlan>& rungs_of(const ServicePlan& plan, std::string_view issue);
const LadderLimits& limits_of(const ServicePlan& plan, std::string_view issue);
const IssuePlan* issue_named(const ServicePlan& plan, std::string_view issue);

/// The kind of failure that everything which fails here is part of; empty: none is.
std::string issue_of(Turn& t, ServiceId id, const Place& place);

/// Where the place stands; the beginning where it has never failed.
LadderState ladder_of(Turn& t, ServiceId id, Slot slot);
/// Writes down where it stands, on the same ladder as before.
void save_ladder(Turn& t, ServiceId id, Slot slot, const LadderState& state);

/// A person has asked for it to be walked.
bool asked_for(Turn& t, ServiceId id, Slot slot);

/// What has begun is more, or other, than the kind of failure its ladder is for: it goes on with the general one.
void leave_issue(Turn& t, ServiceId id, const Place& place);

/// Another configuration is in force: where the ladder that a place is on is made of other rungs now, it begins anew. A
/// rung that is only set otherwise keeps its place.
void leave_rungs(Turn& t, ServiceId id, const ServicePlan& former);

/// It fails (again): the ladder of its kind, from the first rung when it was another one before.
void take_ladder(Turn& t, ServiceId id, const Place& place);

/// Its ladder has ended: it is well again, or what a person asked for has been done or given up.
void end_ladder(Turn& t, ServiceId id, Slot slot, LadderState state);

/// `homeostat remediate`.
void remediate(Turn& t, ServiceId id, const Operator& in);
/// The places it would be for: those that fail, or else all of the service.
std::vector<Slot> remediated(const State& s, ServiceId id, Slot asked);

}  // namespace homeostat::engine
