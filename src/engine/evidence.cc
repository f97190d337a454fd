#include "engine/evidence.hpp"

#include <algorithm>

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/diagnose.hpp"
#include "engine/looking.hpp"

namespace homeostat::engine {
namespace {

using diagnosis::Evidence;
using diagnosis::Sign;

constexpr std::uint32_t kNoMistake = 255;

/// What the places of one service show, put together.
struct Shown {
  std::uint32_t wanted = 0;    // instances
  std::uint32_t troubled = 0;  // … of which so many fail, or have begun to
  bool whole = false;          // the service as a whole does
  bool verdict = false;
  bool direct = false;
  std::uint32_t missing = 0;  // instances that are known not to run: nobody has to look
  std::uint32_t looks = 0;
  Instant since = kNever;
};

bool speaks_for_itself(const Observation& seen) {
  return seen.reason == Reason::exited || seen.reason == Reason::signalled || seen.reason == Reason::refused;
}

// Since when the place fails, as long as nothing has proved it well; kNever: it does not.
Instant in_incident_since(Turn& t, ServiceId id, Slot slot) {
  const auto incident = t.s.durable.incidents.find(t.durable(id).incident);
  if (incident == t.s.durable.incidents.end()) return kNever;
  const auto failing = incident->second.failing.find(slot);
  const bool open = failing != incident->second.failing.end() && !failing->second.first_success;
  return open && !planted(Bug::cure_is_success) ? failing->second.first_failure : kNever;
}

// It should run, and is known not to.
bool is_missing(Turn& t, ServiceId id, Slot slot) {
  if (!t.plan(id).runtime.managed || slot < 0) return false;
  const InstanceState* instance = t.instance(id, slot);
  return instance == nullptr || instance->state != RunState::running;
}

// What has been repaired shows nothing yet. It fails until it has been seen well, or nobody can look.
void add(Turn& t, ServiceId id, const Place& place, Shown& shown) {
  if (!t.wanted(id, place.slot)) return;
  const View view = view_of(t, id, place.slot);
  const bool missing = is_missing(t, id, place.slot);
  const Instant since = view.failing ? view.first_failure : in_incident_since(t, id, place.slot);
  bool begun = view.failing || missing || (since != kNever && !view.blind);
  shown.verdict = shown.verdict || begun;
  shown.direct = shown.direct || missing;
  shown.missing += missing ? 1 : 0;
  if (begun) shown.since = std::min(shown.since, since == kNever ? t.now : since);
  for (const TargetId one : place.targets) {
    const Target& target = t.s.targets[one];
    if (t.plan(id).checks[target.check].role != homeostat::Role::alive || target.health.failures() == 0) continue;
    begun = true;
    shown.looks = std::max(shown.looks, target.health.failures());
    shown.since = std::min(shown.since, target.health.first_failure());
    shown.direct = shown.direct || (view.failing && speaks_for_itself(target.health.last()));
  }
  if (place.slot >= 0) {
    ++shown.wanted;
    shown.troubled += begun ? 1 : 0;
  } else {
    shown.whole = begun;
  }
}

// Something was really done about it: no call, no shadow's decision, nothing that waits for an approval or is only
// about to be done.
bool was_repaired(Turn& t, ServiceId id) {
  const auto incident = t.s.durable.incidents.find(t.durable(id).incident);
  if (incident == t.s.durable.incidents.end()) return false;
  const auto not_begun = std::ranges::count_if(t.live(id).places, [&](const Place& place) {
    const Intent* intent = undone(t, place);
    return intent != nullptr && intent->incident == incident->first;
  });
  return incident->second.actions > static_cast<std::uint32_t>(not_begun);
}

// Its whole ladder has been tried in vain. What is dead explains the others all the same: nobody else can be the cause.
// So does what has been tried again, until that is known not to have helped either.
bool tried_in_vain(Turn& t, ServiceId id, const Shown& shown) {
  return was_all_tried(t, id) && !shown.direct && was_repaired(t, id) && !is_being_repaired(t, id);
}

bool changed_lately(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.durable(id).changed,
                             [&](const auto& item) { return t.now < later(item.second.at, kChangeCounts); });
}

// What goes on failing is less and less likely to be a mistake of whoever looks.
std::uint8_t looks_of(const Shown& shown) {
  if (shown.missing == shown.wanted && shown.wanted > 0) return kNoMistake;
  const std::uint32_t looks = shown.verdict ? std::max(shown.looks, kVerdictLooks) : std::min(shown.looks, 2U);
  return static_cast<std::uint8_t>(std::min(looks, kNoMistake));
}

}  // namespace

// A service that still serves is no alarm: what fails of it is its own affair, and explains nothing of another.
Evidence evidence_of(Turn& t, ServiceId id) {
  Evidence out;
  out.untouchable = t.plan(id).external;
  if (is_stopped(t, id)) {
    const Instant since = t.durable(id).status_since;
    out.sign = Sign::direct;
    out.untouchable = true;
    out.meant = true;
    out.since = since == kLongAgo ? t.now : since;
    return out;
  }
  Shown shown;
  for (const Place& place : t.live(id).places) add(t, id, place, shown);
  const bool all = shown.wanted > 0 && shown.troubled == shown.wanted;
  const bool down = shown.verdict && t.live(id).serving == Status::unhealthy;
  if (all || shown.whole || down) {
    out.sign = shown.direct ? Sign::direct : Sign::symptom;
    out.looks = looks_of(shown);
    out.since = shown.since;
    out.excluded = tried_in_vain(t, id, shown);
    out.changed = changed_lately(t, id);
  } else if (t.live(id).status == Status::unknown && has_alive_check(t.plan(id))) {
    out.sign = Sign::unknown;
  }
  return out;
}

bool is_being_repaired(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.live(id).places,
                             [](const Place& place) { return place.action && place.action->dispatched; });
}

bool was_all_tried(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.durable(id).ladders, [](const auto& item) { return item.second.rounds > 0; });
}

bool is_stopped(Turn& t, ServiceId id) {
  const ServiceState& state = t.durable(id);
  const auto& places = t.live(id).places;
  return state.stopped || (places.size() > 1 && std::ranges::all_of(places, [&](const Place& place) {
                             return place.slot < 0 || state.stopped_slots.contains(place.slot);
                           }));
}

bool has_alive_check(const ServicePlan& plan) {
  return std::ranges::any_of(plan.checks, [](const CheckPlan& c) { return c.role == homeostat::Role::alive; });
}

}  // namespace homeostat::engine
