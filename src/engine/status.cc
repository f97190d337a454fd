#include "engine/status.hpp"

namespace homeostat::engine {
namespace {

struct Tally {
  std::uint32_t total = 0;
  std::uint32_t failing = 0;
  std::uint32_t recovering = 0;
  std::uint32_t slow = 0;
  std::uint32_t unknown = 0;
  std::uint32_t up = 0;
  bool whole_checked = false;
  bool whole_failing = false;
  bool whole_recovering = false;
  bool whole_unknown = false;
  Instant whole_up_since = kLongAgo;
  bool critical = false;
  std::vector<Instant> first_failures;  // of the instances that are down
  std::vector<Instant> up_since;        // of those that are up
};

void count(Tally& tally, const View& view, const Place& place) {
  if (!view.checked && tally.whole_checked) return;  // only the service as a whole is looked at
  ++tally.total;
  if (view.failing) {
    ++(view.recovering ? tally.recovering : tally.failing);
    tally.first_failures.push_back(view.first_failure);
  } else if (view.unknown || !view.checked) {
    ++tally.unknown;
  } else {
    ++tally.up;
    if (view.degraded) ++tally.slow;
    tally.up_since.push_back(place.up_since);
  }
}

void count_whole(Tally& tally, const View& view, const Place& place) {
  if (!view.checked) return;
  tally.whole_checked = true;
  tally.whole_failing = view.failing && !view.recovering;
  tally.whole_recovering = view.failing && view.recovering;
  tally.whole_unknown = !view.failing && view.unknown;
  tally.whole_up_since = place.up_since;
  if (view.failing) tally.first_failures.push_back(view.first_failure);
}

Tally tally_of(Turn& t, ServiceId id) {
  Tally tally;
  const ServiceState& state = t.durable(id);
  const auto& places = t.live(id).places;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {  // the service as a whole comes first
    if (!t.wanted(id, place->slot)) continue;
    const View view = doubted_view(t, id, place->slot);
    const auto ladder = state.ladders.find(place->slot);
    const bool spent =
        ladder != state.ladders.end() && (ladder->second.rounds > 0 || ladder->second.rung >= t.plan(id).ladder.size());
    tally.critical = tally.critical || (view.failing && (view.critical || spent));
    if (place->slot < 0)
      count_whole(tally, view, *place);
    else
      count(tally, view, *place);
  }
  return tally;
}

// Down is what is below the least number of healthy instances, of those that should run at all.
bool below(const Tally& tally, std::uint32_t down, std::uint32_t min_healthy) {
  return tally.total > 0 && down > tally.total - std::min(min_healthy, tally.total);
}

Status fold(const Tally& tally, std::uint32_t min_healthy) {
  if (tally.critical) return Status::critical;
  if (below(tally, tally.failing, min_healthy) || tally.whole_failing) return Status::unhealthy;
  if (tally.failing + tally.recovering + tally.slow > 0 || tally.whole_recovering) return Status::degraded;
  if (tally.total == 0 && !tally.whole_checked) return Status::unknown;
  if (tally.up == tally.total && !tally.whole_unknown) return Status::healthy;
  return tally.up >= min_healthy && tally.up > 0 && !tally.whole_unknown ? Status::degraded : Status::unknown;
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
  const bool whole = tally.whole_failing || tally.whole_recovering;
  const bool down = whole || below(tally, tally.failing + tally.recovering, plan.min_healthy);
  if (down && !state.down_since) {
    const std::size_t nth = whole ? 1 : tally.total - least + 1;
    t.record(DownBegan{plan.name, nth_smallest(tally.first_failures, nth, t.now)});
  }
  if (down || !state.down_since || tally.up < least || tally.whole_unknown) return;
  const Instant until = std::max(nth_smallest(tally.up_since, least, kLongAgo), tally.whole_up_since);
  t.record(DownEnded{plan.name, until == kLongAgo ? t.now : until});
}

void mark_dependents(Turn& t, ServiceId id) {
  for (ServiceId other = 0; other < t.s.plan.services.size(); ++other) {
    const ServicePlan& plan = t.plan(other);
    const bool depends = std::count(plan.depends_on.begin(), plan.depends_on.end(), id) > 0;
    const bool needs = std::any_of(plan.prerequisites.begin(), plan.prerequisites.end(),
                                   [&](const Prerequisite& p) { return p.service == id; });
    if (depends || needs) t.mark(other);
  }
}

std::string why(Turn& t, ServiceId id) {
  const ServiceState& state = t.durable(id);
  const auto incident = t.s.durable.incidents.find(state.incident);
  return incident == t.s.durable.incidents.end() ? std::string() : incident->second.reason;
}

}  // namespace

void update_status(Turn& t, ServiceId id) {
  const Tally tally = tally_of(t, id);
  const Status status = fold(tally, t.plan(id).min_healthy);
  update_downtime(t, id, tally);
  LiveService& live = t.live(id);
  const bool changed = live.status != status;
  live.status = status;
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
