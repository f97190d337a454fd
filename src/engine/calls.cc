#include "engine/calls.hpp"

#include <algorithm>
#include <array>

#include "engine/diagnose.hpp"
#include "engine/doubt.hpp"
#include "engine/escalate.hpp"
#include "engine/maintenance.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kHeldTooLong = std::chrono::minutes(5);
constexpr Duration kUnknownTooLong = std::chrono::minutes(5);

template <class Which>
bool called(const Turn& t, Which which) {
  return std::ranges::any_of(t.s.durable.escalations, [&](const auto& item) { return which(item.second); });
}

bool called_since(const Turn& t, ServiceId id, Instant since) {
  return called(t, [&](const EscalationState& one) { return one.what.service == t.plan(id).name && one.at >= since; });
}

// Somebody knows of what is wrong with it now.
bool told(const Turn& t, ServiceId id) {
  const ServiceState& known = *t.s.index.facts[id];
  if (known.incident != 0 && escalated(t, known.incident)) return true;
  return t.s.services[id].status == Status::unknown && called_since(t, id, known.status_since);
}

bool is_known(const Turn& t, ServiceId id) {
  return std::ranges::any_of(connected_with(t, id), [&](ServiceId other) { return told(t, other); });
}

// It waits for others, that are to be asked about first.
bool waits_for_others(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.plan(id).depends_on, [&](const Need& need) {
    const Status status = t.live(need.service).status;
    return need.tie != diagnosis::Tie::soft && status != Status::healthy && status != Status::degraded;
  });
}

bool should_run(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.live(id).places, [&](const Place& place) { return t.wanted(id, place.slot); });
}

}  // namespace

std::string place_name(const Turn& t, ServiceId id, Slot slot) {
  return t.plan(id).name + (slot < 0 ? std::string() : "/" + std::to_string(slot));
}

void call_about_hold(Turn& t, ServiceId id, const Place& place, const Hold& hold) {
  static constexpr std::array<std::string_view, 6> kKnown{"paused",     "maintenance", "shutdown",
                                                          "recovering", "journal",     "defect"};
  const std::uint64_t number = t.durable(id).incident;
  const auto incident = t.s.durable.incidents.find(number);
  if (std::ranges::find(kKnown, hold.gate) != kKnown.end() || incident == t.s.durable.incidents.end()) return;
  const auto failing = incident->second.failing.find(place.slot);
  if (failing == incident->second.failing.end()) return;
  const Instant due = later(std::max(failing->second.verdict_at, place.last_effect), kHeldTooLong);
  if (t.now < due) return t.wake_at(due);
  if (is_known(t, id)) return;
  std::string summary =
      place_name(t, id, place.slot) + " is down and its repair waits, gate " + hold.gate + ": " + hold.detail;
  if (hold.gate == "diagnosis") summary += ". Candidates: " + candidates_of(t, id);
  escalate(t, id, number, default_notifier(t), std::move(summary));
}

void call_for_help(Turn& t, ServiceId id, const Place& place) {
  const std::uint64_t incident = t.durable(id).incident;
  if (escalated(t, incident)) return;
  escalate(t, id, incident, default_notifier(t), place_name(t, id, place.slot) + " is down and nothing is left to try");
}

void call_about_unknown(Turn& t, ServiceId id) {
  const auto dependents = t.s.index.dependents.find(id);
  const bool unknown = t.live(id).status == Status::unknown && has_alive_check(t.plan(id)) && should_run(t, id);
  if (dependents == t.s.index.dependents.end() || !unknown || !t.s.recovered || t.s.stopping) return;
  if (unsure(t.s) || maintenance_of(t.s.durable, t.plan(id).name) != nullptr || waits_for_others(t, id)) return;
  const Instant since = t.durable(id).status_since;
  const Instant due = later(since, kUnknownTooLong);
  if (t.now < due) return t.wake_at(due);
  if (told(t, id)) return;
  const std::size_t count = dependents->second.size();
  const std::string needed =
      count == 1 ? t.plan(dependents->second.front()).name + " needs it" : std::to_string(count) + " services need it";
  escalate_anew(t, id, t.durable(id).incident, default_notifier(t),
                t.plan(id).name + " has been unknown for five minutes, and " + needed);
}

void call_about_candidates(Turn& t, ServiceId id, const std::string& why) {
  const std::vector<ServiceId> all = connected_with(t, id);
  const bool known = called(t, [&](const EscalationState& one) {
    const auto of = [&](ServiceId other) {
      return one.what.incident != 0 && one.what.incident == t.s.index.facts[other]->incident;
    };
    return one.what.summary.find(why) != std::string::npos && std::ranges::any_of(all, of);
  });
  if (known) return;
  escalate_anew(t, id, t.durable(id).incident, default_notifier(t), why + ": " + candidates_of(t, id));
}

}  // namespace homeostat::engine
