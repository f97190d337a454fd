#include "engine/status.hpp"

#include <array>

#include "core/planted.hpp"
#include "engine/engine.hpp"

namespace homeostat::engine {
namespace {

// How a place counts. `waiting`: it failed before Homeostat was restarted and has not been seen since; its downtime
// goes on, but nobody can say how it is.
enum class State : std::uint8_t { up, slow, failing, recovering, waiting, unknown };

struct Tally {
  std::uint32_t total = 0;
  std::array<std::uint32_t, 6> counts{};
  std::optional<State> whole;  // of the service as a whole, where it is looked at
  Instant whole_up_since = kLongAgo;
  bool critical = false;
  std::vector<Instant> first_failures;  // of the instances that are down
  std::vector<Instant> up_since;        // of those that are up

  std::uint32_t of(State state) const { return counts[static_cast<std::size_t>(state)]; }
  std::uint32_t up() const { return of(State::up) + of(State::slow); }
};

const FailingState* failing_of(Turn& t, ServiceId id, Slot slot) {
  const auto incident = t.s.durable.incidents.find(t.durable(id).incident);
  if (incident == t.s.durable.incidents.end()) return nullptr;
  const auto found = incident->second.failing.find(slot);
  return found == incident->second.failing.end() || found->second.first_success ? nullptr : &found->second;
}

// A place of an open incident is down until its recovery is verified, unless we cannot see it.
State state_of(Turn& t, const View& view, const FailingState* failing) {
  if (view.failing) return view.recovering ? State::recovering : State::failing;
  const bool unknown = view.unknown || !view.checked;
  if (failing == nullptr) return unknown ? State::unknown : view.degraded ? State::slow : State::up;
  if (!unknown) return view.confirmed ? State::up : State::recovering;
  if (view.blind || t.s.tilt_since) return State::unknown;
  return view.starting ? State::failing : State::waiting;
}

bool is_down(State state) { return state == State::failing || state == State::recovering || state == State::waiting; }

void count(Turn& t, ServiceId id, const Place& place, Tally& tally) {
  const View view = doubted_view(t, id, place.slot);
  if (!view.checked && (place.slot < 0 || tally.whole)) return;  // only the service as a whole is looked at
  const FailingState* failing = failing_of(t, id, place.slot);
  const State state = state_of(t, view, failing);
  if (is_down(state)) tally.first_failures.push_back(view.failing ? view.first_failure : failing->first_failure);
  if (place.slot < 0) {
    tally.whole = state;
    tally.whole_up_since = place.up_since;
    return;
  }
  ++tally.total;
  ++tally.counts[static_cast<std::size_t>(state)];
  if (state == State::up || state == State::slow) tally.up_since.push_back(place.up_since);
}

Tally tally_of(Turn& t, ServiceId id) {
  Tally tally;
  const ServiceState& state = t.durable(id);
  const auto& places = t.live(id).places;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {  // the service as a whole comes first
    if (!t.wanted(id, place->slot)) continue;
    count(t, id, *place, tally);
    const View view = doubted_view(t, id, place->slot);
    const auto ladder = state.ladders.find(place->slot);
    const bool spent =
        ladder != state.ladders.end() && (ladder->second.rounds > 0 || ladder->second.rung >= t.plan(id).ladder.size());
    tally.critical = tally.critical || (view.failing && (view.critical || spent));
  }
  return tally;
}

// Down is what is below the least number of healthy instances, of those that should run at all.
bool below(const Tally& tally, std::uint32_t down, std::uint32_t min_healthy) {
  return tally.total > 0 && down > tally.total - std::min(min_healthy, tally.total);
}

Status fold(const Tally& tally, std::uint32_t min_healthy) {
  if (below(tally, tally.of(State::failing), min_healthy) || tally.whole == State::failing) return Status::unhealthy;
  if (tally.total == 0 && !tally.whole) return Status::unknown;
  if (tally.whole == State::unknown || tally.whole == State::waiting) return Status::unknown;
  // Too few are seen: whether it is down is what we do not know.
  if (tally.up() + tally.of(State::recovering) < std::min(min_healthy, tally.total)) return Status::unknown;
  const bool well = tally.of(State::up) == tally.total && (!tally.whole || tally.whole == State::up);
  return well ? Status::healthy : Status::degraded;
}

/// The `nth` smallest (from 1); `otherwise` when there are fewer.
Instant nth_smallest(std::vector<Instant> times, std::size_t nth, Instant otherwise) {
  if (nth == 0 || times.size() < nth) return otherwise;
  std::sort(times.begin(), times.end());
  return times[nth - 1];
}

void update_downtime(Turn& t, ServiceId id, const Tally& tally) {
  const ServicePlan& plan = t.plan(id);
  const ServiceState& state = t.durable(id);
  const std::uint32_t least = std::min(plan.min_healthy, tally.total);
  const bool whole = tally.whole && is_down(*tally.whole);
  const std::uint32_t places = tally.of(State::failing) + tally.of(State::recovering) + tally.of(State::waiting);
  const bool down = whole || below(tally, places, plan.min_healthy);
  if (down && !state.down_since) {
    const std::size_t nth = whole ? 1 : tally.total - least + 1;
    const Instant since = nth_smallest(tally.first_failures, nth, t.now);
    // A run of failures that reaches back behind a time when nobody could tell: that time is no downtime.
    const bool untold = state.status == "unknown" && state.status_since > since;
    t.record(DownBegan{plan.name, untold ? t.now : since});
  }
  if (down || !state.down_since || planted(Bug::down_for_ever)) return;
  // What we cannot see is not downtime; it is shown apart.
  if (tally.up() < least || tally.whole == State::unknown) return void(t.record(DownEnded{plan.name, t.now}));
  const Instant until = std::max(nth_smallest(tally.up_since, least, kLongAgo), tally.whole_up_since);
  t.record(DownEnded{plan.name, until == kLongAgo ? t.now : until});
}

void mark_dependents(Turn& t, ServiceId id) {
  const auto dependents = t.s.index.dependents.find(id);
  if (dependents == t.s.index.dependents.end()) return;
  for (const ServiceId other : dependents->second) t.mark(other);
}

// What the first failing place shows; nothing when none fails.
std::string why(Turn& t, ServiceId id) {
  for (const Place& place : t.live(id).places) {
    const View view = view_of(t, id, place.slot);
    if (!view.failing || !t.wanted(id, place.slot)) continue;
    if (view.dead) return t.durable(id).detail_of(place.slot);
    for (const TargetId target : place.targets) {
      if (t.s.targets[target].check == view.check) return explain(t.s.targets[target].health.last());
    }
  }
  return {};
}

// The autoscaler has found that it is not in use: as it should be, none runs.
bool none_needed(Turn& t, ServiceId id) {
  return t.plan(id).scaling && t.s.recovered && t.count(id) == 0 && !t.durable(id).stopped;
}

}  // namespace

void update_status(Turn& t, ServiceId id) {
  const Tally tally = tally_of(t, id);
  const bool rests = none_needed(t, id);
  const Status serving = rests ? Status::healthy : fold(tally, t.plan(id).min_healthy);
  const Status status = tally.critical && !rests ? Status::critical : serving;
  update_downtime(t, id, tally);
  LiveService& live = t.live(id);
  const bool changed = live.status != status || live.serving != serving;
  live.status = status;
  live.serving = serving;
  if (changed) mark_dependents(t, id);
  const ServiceState& state = t.durable(id);
  if (to_string(status) == state.status && state.status_since != kLongAgo) return;
  t.record(StatusChanged{t.plan(id).name, "", kWhole, state.status, std::string(to_string(status)), why(t, id), false});
}

std::string wanted_version_of(const ServicePlan& plan, const ServiceState& state, Slot slot) {
  if (!plan.runtime.releases) return {};
  const auto own = state.versions.find(slot);
  if (own != state.versions.end()) return own->second;
  return state.version.empty() ? plan.release : state.version;
}

}  // namespace homeostat::engine
