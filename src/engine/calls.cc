#include "engine/calls.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "engine/actions.hpp"
#include "engine/diagnose.hpp"
#include "engine/doubt.hpp"
#include "engine/escalate.hpp"
#include "engine/evidence.hpp"
#include "engine/maintenance.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kHeldTooLong = std::chrono::minutes(5);
constexpr Duration kUnknownTooLong = std::chrono::minutes(5);
constexpr Duration kToldAgain = std::chrono::hours(1);
constexpr Duration kJustTold = std::chrono::minutes(5);

template <class Which>
bool called(const Turn& t, Which which) {
  return std::ranges::any_of(t.s.durable.escalations, [&](const auto& item) { return which(item.second); });
}

// When somebody was last told of it; kLongAgo: never.
Instant last_called(const Turn& t, ServiceId id) {
  Instant last = kLongAgo;
  for (const auto& [number, one] : t.s.durable.escalations) {
    if (one.what.service == t.plan(id).name) last = std::max(last, one.at);
  }
  return last;
}

bool should_run(Turn& t, ServiceId id) {
  const auto& places = t.live(id).places;
  return std::ranges::any_of(
      places, [&](const Place& place) { return (place.slot >= 0 || places.size() == 1) && t.wanted(id, place.slot); });
}

// Such a call reaches somebody: not one in shadow. Where nobody can be called, the status is all there is.
bool heard(const Turn& t, const std::string& notifier) { return !notifier.empty() || default_notifier(t).empty(); }

// Somebody was really told of that service since then.
bool told_of(const Turn& t, const std::string& service, Instant since) {
  return called(t, [&](const EscalationState& one) {
    return heard(t, one.what.notifier) && one.what.service == service && one.at >= since;
  });
}

// Another one whose failure is connected with this one's, of which such a notifier was told while this one failed: it
// was named then, and nothing new is known.
template <class Which>
std::optional<ServiceId> told_of_another(Turn& t, ServiceId id, Which which) {
  const auto own = t.s.durable.incidents.find(t.durable(id).incident);
  if (own == t.s.durable.incidents.end()) return {};
  for (const ServiceId other : connected_with(t, id)) {
    const std::uint64_t incident = t.durable(other).incident;
    const bool told =
        other != id && incident != 0 && called(t, [&](const EscalationState& one) {
          return one.what.incident == incident && which(one.what.notifier) && one.at >= began_last(own->second);
        });
    if (told) return other;
  }
  return {};
}

// Somebody was really told since then of something that this one's failure is connected with.
bool is_known(Turn& t, ServiceId id, Instant since) {
  const auto told = [&](ServiceId other) { return told_of(t, t.plan(other).name, since); };
  const auto& needs = t.plan(id).depends_on;
  return std::ranges::any_of(connected_with(t, id), told) ||
         std::ranges::any_of(needs, [&](const Need& need) { return told(need.service); });
}

// Somebody was told of what it waits for, or of the root behind that, which has failed ever since: no more is known of
// those that wait.
bool is_known_first(Turn& t, ServiceId first) {
  const Diagnosed* found = t.s.durable.diagnosed(t.durable(first));
  const ServiceId root = found == nullptr ? first : t.find(found->root).value_or(first);
  const auto incident = t.s.durable.incidents.find(t.durable(root).incident);
  return incident != t.s.durable.incidents.end() && told_of(t, t.plan(root).name, began_last(incident->second));
}

// Somebody wants this wait, was told as it began, or it ends by itself.
bool is_understood(Turn& t, const Hold& hold) {
  static constexpr std::array<std::string_view, 8> kGates{"paused",  "maintenance", "shutdown", "recovering",
                                                          "journal", "defect",      "doubt",    "tilt"};
  return std::ranges::find(kGates, hold.gate) != kGates.end() || hold.planned ||
         (hold.gate == "dependency" && hold.first && is_known_first(t, *hold.first));
}

// Those that need it and should run.
std::vector<ServiceId> who_needs(Turn& t, ServiceId id) {
  std::vector<ServiceId> all;
  const auto found = t.s.index.dependents.find(id);
  if (found == t.s.index.dependents.end()) return all;
  std::ranges::copy_if(found->second, std::back_inserter(all), [&](ServiceId other) { return should_run(t, other); });
  return all;
}

// It waits for others, that are to be asked about first.
bool waits_for_others(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.plan(id).depends_on, [&](const Need& need) {
    const Status status = t.live(need.service).serving;
    return need.tie != diagnosis::Tie::soft && status != Status::healthy && status != Status::degraded;
  });
}

std::string needed_by_whom(Turn& t, const std::vector<ServiceId>& all) {
  const auto down = std::ranges::count_if(all, [&](ServiceId id) {
    const Status status = t.live(id).status;
    return status == Status::unhealthy || status == Status::critical;
  });
  if (all.size() == 1) return t.plan(all.front()).name + " needs it" + (down > 0 ? " and is down" : "");
  return std::to_string(all.size()) + " services need it, of which " + std::to_string(down) + " are down";
}

std::string minutes(Duration span) {
  if (span < std::chrono::minutes(2)) return std::to_string(span / std::chrono::seconds(1)) + " seconds";
  return std::to_string(span / std::chrono::minutes(1)) + " minutes";
}

// Before that nobody could know: it may take its time to come up, and its checks may be rare.
Duration known_after(const ServicePlan& plan) {
  Duration longest = kUnknownTooLong;
  for (const CheckPlan& check : plan.checks) {
    longest = std::max({longest, check.policy.startup_grace, 2 * check.policy.interval + check.policy.timeout});
  }
  return longest;
}

}  // namespace

std::string place_name(const Turn& t, ServiceId id, Slot slot) {
  return t.plan(id).name + (slot < 0 ? std::string() : "/" + std::to_string(slot));
}

void call_about_hold(Turn& t, ServiceId id, const Place& place, const Hold& hold) {
  const std::uint64_t number = t.durable(id).incident;
  const auto incident = t.s.durable.incidents.find(number);
  if (incident == t.s.durable.incidents.end()) return;
  const auto failing = incident->second.failing.find(place.slot);
  if (failing == incident->second.failing.end()) return;
  const bool for_others = hold.gate == "dependency" || hold.gate == "diagnosis";
  const auto known = [&] { return for_others && is_known(t, id, failing->second.verdict_at); };
  Instant& since = t.live(id).waits_since[place.slot];
  // It has its time, and then it is repaired; when what it needs comes and goes, the time before goes on.
  if (hold.gate == "recovery") return;
  const bool understood = is_understood(t, hold);
  if (understood)
    since = kNever;
  else if (since == kNever && !known())
    since = t.now;
  if (understood || (hold.gate == "evidence" && view_of(t, id, place.slot).recovering)) return;
  const Instant due = later(std::max({failing->second.verdict_at, place.last_effect, since}), kHeldTooLong);
  if (t.now < due) return t.wake_at(due);
  // What was told before it came back is old by then.
  if (escalated(t, number)) return t.wake_at(later(t.now, kCalledLately));
  if (known()) return void(since = kNever);
  std::string summary =
      place_name(t, id, place.slot) + " is down and its repair waits, gate " + hold.gate + ": " + hold.detail;
  if (hold.gate == "diagnosis") summary += ". Candidates: " + candidates_of(t, id);
  escalate(t, id, number, default_notifier(t), std::move(summary));
}

std::optional<std::string> told_already(Turn& t, ServiceId id, const std::string& notifier) {
  const auto other = told_of_another(t, id, [&](const std::string& told) { return told == notifier; });
  if (!other) return {};
  const std::string& name = t.plan(*other).name;
  return (notifier.empty() ? "the status tells of " + name : notifier + " has been told of " + name) +
         ", which fails with it";
}

void call_for_help(Turn& t, ServiceId id, const Place& place) {
  const std::uint64_t incident = t.durable(id).incident;
  if (escalated(t, incident) || told_of_another(t, id, [&](const std::string& told) { return heard(t, told); })) return;
  escalate(t, id, incident, default_notifier(t), place_name(t, id, place.slot) + " is down and nothing is left to try");
}

void call_for_approval(Turn& t, ServiceId id, const Intent& intent) {
  const bool just_told = called(t, [&](const EscalationState& one) {
    return one.what.service == intent.service && later(one.at, kJustTold) > t.now &&
           one.what.summary.ends_with(kApprovalExpired);
  });
  const bool beside_another = std::ranges::any_of(
      t.live(id).places, [&](const Place& place) { return place.slot != intent.slot && awaits_approval(t.s, place); });
  if (just_told || beside_another) return;
  const std::string number = std::to_string(intent.id.epoch) + "-" + std::to_string(intent.id.counter);
  call_for_answer(t, id, intent.id,
                  intent.strategy + " of " + place_name(t, id, intent.slot) + " waits for `homeostat approve " +
                      number + "`, for " + minutes(t.s.plan.approval_within) + " at most: " + intent.evidence);
}

void call_about_unknown(Turn& t, ServiceId id) {
  const bool unknown = t.live(id).status == Status::unknown && has_alive_check(t.plan(id)) && should_run(t, id);
  if (!unknown || !t.s.recovered || t.s.stopping || unsure(t.s)) return;
  const std::vector<ServiceId> needed_by = who_needs(t, id);
  // What fails, and cannot be seen any more, is not well again.
  const bool matters = !needed_by.empty() || t.durable(id).incident != 0;
  if (!matters || maintenance_of(t.s.durable, t.plan(id).name) != nullptr || waits_for_others(t, id)) return;
  const Instant since = t.durable(id).status_since;
  const Duration span = known_after(t.plan(id));
  const Instant due = later(since, span);
  if (t.now < due) return t.wake_at(due);
  const Instant told_at = last_called(t, id);
  if (told_at >= since) return;
  if (t.now < later(told_at, kToldAgain)) return t.wake_at(later(told_at, kToldAgain));
  if (std::ranges::any_of(needed_by, [&](ServiceId other) { return last_called(t, other) >= since; })) return;
  const std::string why = needed_by.empty() ? "it was failing" : needed_by_whom(t, needed_by);
  escalate_anew(t, id, t.durable(id).incident, default_notifier(t),
                t.plan(id).name + " has been unknown for " + minutes(span) + ", and " + why);
}

void call_about_candidates(Turn& t, ServiceId id, const std::string& why) {
  const std::vector<ServiceId> all = connected_with(t, id);
  if (all.size() == 1) return;  // its own ladder has told of it
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
