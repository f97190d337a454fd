#include "engine/repair.hpp"

#include <array>

#include "core/planted.hpp"
#include "engine/diagnose.hpp"
#include "engine/escalate.hpp"
#include "engine/operations.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kHeldTooLong = std::chrono::minutes(5);

std::string place_name(const Turn& t, ServiceId id, Slot slot) {
  return t.plan(id).name + (slot < 0 ? std::string() : "/" + std::to_string(slot));
}

std::vector<RungPolicy> rungs_of(const ServicePlan& plan) {
  std::vector<RungPolicy> rungs;
  for (const RungPlan& rung : plan.ladder) rungs.push_back(RungPolicy{rung.attempts});
  return rungs;
}

LadderState ladder_of(Turn& t, ServiceId id, const Place& place) {
  const auto& ladders = t.durable(id).ladders;  // not [], which would make a state that no record tells of
  const auto known = ladders.find(place.slot);
  return known == ladders.end() ? LadderState{} : known->second;
}

void save(Turn& t, ServiceId id, const Place& place, const LadderState& ladder) {
  t.record(LadderMoved{t.plan(id).name, place.slot, ladder});
}

Case case_of(Turn& t, ServiceId id, Place& place, const LadderState& ladder) {
  return Case{t,
              id,
              place,
              t.plan(id).ladder[ladder.rung],
              ladder.rung,
              ladder.attempts + 1,
              t.durable(id).incident,
              view_of(t, id, place.slot)};
}

// Skips the rungs that do not apply. True when one is left.
bool find_rung(Turn& t, ServiceId id, Place& place, LadderState& ladder) {
  const ServicePlan& plan = t.plan(id);
  while (ladder.rung < plan.ladder.size()) {
    const Case c = case_of(t, id, place, ladder);
    const auto reason = strategy_of(c.rung.strategy).validate(c);
    if (!reason) return true;
    const std::string key = std::to_string(ladder.rung) + *reason;
    std::string& skipped = t.live(id).skipped[place.slot];
    if (skipped != key) {
      const std::string strategy = strategy_of(c.rung.strategy).wish(c).strategy;
      t.record(Skipped{plan.name, place.slot, c.incident, ladder.rung, strategy, *reason});
    }
    skipped = key;
    ladder::skip(ladder);
    save(t, id, place, ladder);
  }
  return false;
}

// A repair that waits is no repair: somebody is told, unless somebody wants it to wait or has been told already.
void call_about_hold(Turn& t, ServiceId id, const Case& c, const Hold& hold) {
  static constexpr std::array<std::string_view, 6> kKnown{"paused",     "maintenance", "shutdown",
                                                          "recovering", "journal",     "defect"};
  const auto incident = t.s.durable.incidents.find(c.incident);
  if (std::count(kKnown.begin(), kKnown.end(), hold.gate) > 0 || incident == t.s.durable.incidents.end()) return;
  const auto failing = incident->second.failing.find(c.place.slot);
  if (failing == incident->second.failing.end()) return;
  const Instant since = std::max(failing->second.verdict_at, c.place.last_effect);
  const Instant due = later(since, kHeldTooLong);
  if (t.now < due) return t.wake_at(due);
  if (escalated(t, c.incident)) return;
  // Who waits for a service of which somebody knows already is no news.
  const ServiceId root = root_of(t, id);
  if (hold.gate == "dependency" && root != id && escalated(t, t.durable(root).incident)) return;
  std::string summary =
      place_name(t, id, c.place.slot) + " is down and its repair waits, gate " + hold.gate + ": " + hold.detail;
  if (hold.gate == "diagnosis") summary += ". Candidates: " + candidates_of(t, id);
  escalate(t, id, c.incident, default_notifier(t), std::move(summary));
}

bool held(Turn& t, ServiceId id, Place& place, const Case& c, const Strategy& strategy) {
  std::optional<Hold> hold;
  if (strategy.guarded) hold = check_gates(t, ask_for(t, strategy.wish(c)));
  record_hold(t, id, place.slot, c.incident, hold);
  if (!hold) return false;
  t.wake_at(hold->retry);
  call_about_hold(t, id, c, *hold);
  return true;
}

// A spent ladder never ends in silence, also when none of its rungs calls anybody.
void call_for_help(Turn& t, ServiceId id, const Place& place) {
  const std::uint64_t incident = t.durable(id).incident;
  if (escalated(t, incident)) return;
  escalate(t, id, incident, default_notifier(t), place_name(t, id, place.slot) + " is down and nothing is left to try");
}

}  // namespace

void repair(Turn& t, ServiceId id, Place& place) {
  if (place.action) return;
  const auto& operation = t.durable(id).operation;
  if (operation && operation->incident != 0) {
    const bool done = std::count(operation->done.begin(), operation->done.end(), place.slot) > 0;
    if (!done) return;  // a repair of this service is rolling already, and comes to this place
    stop_operation(t, id, place_name(t, id, place.slot) + " has been restarted and fails again");
  }
  auto& judge_at = t.live(id).judge_at;
  if (const auto judged = judge_at.find(place.slot); judged != judge_at.end()) {
    if (t.now < judged->second) return t.wake_at(judged->second);
    judge_at.erase(place.slot);
    ladder_try_failed(t, id, place);
  }
  LadderState ladder = ladder_of(t, id, place);
  if (t.now < ladder.not_before && !planted(Bug::wait_ignored)) return t.wake_at(ladder.not_before);
  // A try whose judgement was lost when Homeostat was killed has been had all the same.
  if (ladder.rung < t.plan(id).ladder.size() && ladder.attempts >= t.plan(id).ladder[ladder.rung].attempts) {
    return ladder_try_failed(t, id, place);
  }
  if (!find_rung(t, id, place, ladder)) {
    call_for_help(t, id, place);
    ladder::rearm(ladder, t.plan(id).backoff, t.now, t.s.random);
    if (planted(Bug::gives_up)) ladder.not_before = kNever;
    save(t, id, place, ladder);
    return t.wake_at(ladder.not_before);
  }
  const Case c = case_of(t, id, place, ladder);
  const Strategy& strategy = strategy_of(c.rung.strategy);
  if (held(t, id, place, c, strategy)) return;
  t.live(id).skipped.erase(place.slot);
  ladder::begin_try(ladder);
  save(t, id, place, ladder);
  strategy.execute(c);
  t.mark(id);
}

void ladder_try_failed(Turn& t, ServiceId id, Place& place) {
  LadderState ladder = ladder_of(t, id, place);
  ladder::try_failed(ladder, rungs_of(t.plan(id)), t.plan(id).backoff, t.now, t.s.random);
  save(t, id, place, ladder);
  t.mark(id);
}

void ladder_failing(Turn& t, ServiceId id, Place& place) {
  LadderState ladder = ladder_of(t, id, place);
  ladder::failed_again(ladder, rungs_of(t.plan(id)), t.plan(id).backoff, t.plan(id).rearm_after, t.now, t.s.random);
  save(t, id, place, ladder);
}

void ladder_recovered(Turn& t, ServiceId id, Place& place) {
  t.live(id).judge_at.erase(place.slot);
  LadderState ladder = ladder_of(t, id, place);
  ladder::recovered(ladder, t.now);
  save(t, id, place, ladder);
}

void record_hold(Turn& t, ServiceId id, Slot slot, std::uint64_t incident, const std::optional<Hold>& hold) {
  const auto& holds = t.durable(id).holds;
  const auto known = holds.find(slot);
  if (!hold) {
    if (known != holds.end()) t.record(Held{t.plan(id).name, slot, incident, "", ""});
    return;
  }
  if (known != holds.end() && known->second.gate == hold->gate && known->second.detail == hold->detail) return;
  t.record(Held{t.plan(id).name, slot, incident, hold->gate, hold->detail});
}

}  // namespace homeostat::engine
