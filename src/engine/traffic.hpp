// How the requests of a service are divided where a proxy leads them, while a new version takes over and while an
// instance is taken out because it fails them: what the proxy is to do, whether it does so, and what it counts. Telling
// it is an action like others; it may be repeated at any time.
#pragma once

#include <string>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// A proxy leads the requests of this service's rollouts.
bool is_routed(Turn& t, ServiceId id);

/// The proxy was told what is wanted now, and does so.
bool route_holds(Turn& t, ServiceId id);

/// As the proxy sees it, the place gets requests once it has a weight.
bool takes_requests(Turn& t, ServiceId id, Slot slot);

/// Of a rollout under way: why the proxy is of no use at the moment; empty: it is.
std::string route_fault(Turn& t, ServiceId id);

/// Why what was measured of both versions must not be believed: the requests are not divided as they should be, or too
/// few have been seen to tell. Empty: it may be.
std::string split_doubt(Turn& t, ServiceId id, const rollout::State& state);

/// No place of the new version may run before the proxy keeps requests from it …
bool start_waits(Turn& t, ServiceId id, Slot slot);
/// … and none may go to which it still leads them.
bool stop_waits(Turn& t, ServiceId id, Slot slot);

/// Why a planned stop of this place has to wait: of those that run, the proxy leads requests to no other, or it has not
/// said yet to whom. Empty: it may be stopped. A proxy that is of no use holds nothing up.
std::string only_one_served(Turn& t, ServiceId id, Slot slot);

/// A repair has taken it out of the traffic.
bool is_drained(Turn& t, ServiceId id, Slot slot);
/// How many others are well and get requests.
std::uint32_t others_serving(Turn& t, ServiceId id, Slot slot);

/// Part of a service's evaluation.
void progress_traffic(Turn& t, ServiceId id);
/// Nobody looks at it any more, and an answer that comes is for nobody.
void give_up_traffic(Turn& t, ServiceId id);
void traffic_seen(Turn& t, const TrafficSeen& in);
/// The end of an action of kind `route`; its outcome has been recorded.
void route_done(Turn& t, ServiceId id, Place& place, const Intent& intent, const ActionDone& in);

}  // namespace homeostat::engine
