// Places that fail too many of the requests that a proxy leads to them: each stands behind a circuit breaker, and
// during a rollout each version as a whole behind another. While it is open the place or the version gets no requests,
// half open it gets a few, and closed again all of them. How many places may be without requests is bounded, and nobody
// is restarted for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/turn.hpp"

namespace homeostat::engine {

/// A place whose breaker is not closed.
struct Ejection {
  Slot slot = 0;
  Instant since{};       // it was closed before
  bool trial = false;    // it is to prove itself with a few requests
  std::string evidence;  // "62 of 120 requests failed"
  std::string kept{};    // why it gets its requests all the same; empty: it does not
};

/// Those that get no requests already come first, then the longest that fail them.
std::vector<Ejection> ejections_of(const State& s, ServiceId id);
std::optional<Ejection> ejection_of(const State& s, ServiceId id, Slot slot);

/// The new version of a rollout under way, where its places together fail too many requests and those of the old one do
/// not. Its slot is kWhole.
std::optional<Ejection> version_ejection(const State& s, ServiceId id);

/// What the proxy has counted since it was looked at before.
void count_failures(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& now);
/// Lets whose wait is over, or who has been started anew, prove itself. Part of a service's evaluation.
void progress_ejections(Turn& t, ServiceId id);

}  // namespace homeostat::engine
