#include "engine/repair.hpp"

#include "core/planted.hpp"
#include "engine/calls.hpp"
#include "engine/ladder.hpp"
#include "engine/operations.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

const std::vector<RungPlan>& rungs_here(Turn& t, ServiceId id, const Place& place) {
  return rungs_of(t.plan(id), t.durable(id).walk_of(place.slot).issue);
}

const LadderLimits& limits_here(Turn& t, ServiceId id, const Place& place) {
  return limits_of(t.plan(id), t.durable(id).walk_of(place.slot).issue);
}

std::vector<RungPolicy> policies_here(Turn& t, ServiceId id, const Place& place) {
  std::vector<RungPolicy> rungs;
  for (const RungPlan& rung : rungs_here(t, id, place)) rungs.push_back(RungPolicy{rung.attempts});
  return rungs;
}

Case case_of(Turn& t, ServiceId id, Place& place, const LadderState& ladder) {
  return Case{t,
              id,
              place,
              rungs_here(t, id, place)[ladder.rung],
              ladder.rung,
              ladder.attempts + 1,
              t.durable(id).incident,
              view_of(t, id, place.slot),
              t.durable(id).walk_of(place.slot)};
}

// When a human is called whatever is left to try; kNever: when nothing is.
Instant given_up_at(Turn& t, ServiceId id, const Place& place, const LadderState& ladder) {
  const Duration within = limits_here(t, id, place).within;
  return within == Duration{} || ladder.began == kNever ? kNever : later(ladder.began, within);
}

// From here on its time runs. It is written down at once where that matters; else with the first try.
void begin_ladder(Turn& t, ServiceId id, const Place& place, LadderState& ladder) {
  if (ladder.began != kNever) return;
  ladder.began = t.now;
  if (limits_here(t, id, place).within > Duration{}) save_ladder(t, id, place.slot, ladder);
}

std::optional<Hold> cooling(Turn& t, const LadderState& ladder) {
  if (ladder.began != kNever || t.now >= ladder.cool_until) return {};
  return Hold{"cooldown", "its last ladder has ended only just now", ladder.cool_until};
}

// Skips the rungs that do not apply. True when one is left.
bool find_rung(Turn& t, ServiceId id, Place& place, LadderState& ladder) {
  const ServicePlan& plan = t.plan(id);
  const bool over = t.now >= given_up_at(t, id, place, ladder);
  while (ladder.rung < rungs_here(t, id, place).size()) {
    const Case c = case_of(t, id, place, ladder);
    auto reason = strategy_of(c.rung.strategy).validate(c);
    if (over && strategy_of(c.rung.strategy).guarded) reason = "the time of this ladder is over";
    if (!reason) return true;
    const std::string key = std::to_string(ladder.rung) + *reason;
    std::string& skipped = t.live(id).skipped[place.slot];
    if (skipped != key) {
      const std::string strategy = strategy_of(c.rung.strategy).wish(c).strategy;
      t.record(Skipped{plan.name, place.slot, c.incident, ladder.rung, strategy, *reason});
    }
    skipped = key;
    ladder::skip(ladder);
    save_ladder(t, id, place.slot, ladder);
  }
  return false;
}

bool held(Turn& t, ServiceId id, Place& place, const Case& c, const Strategy& strategy) {
  std::optional<Hold> hold;
  if (strategy.guarded) hold = check_gates(t, ask_for(t, strategy.wish(c)));
  record_hold(t, id, place.slot, c.incident, hold);
  if (!hold) return false;
  t.wake_at(hold->retry);
  call_about_hold(t, id, place, *hold);
  return true;
}

// Nothing is left to try: it begins again after a rest, unless only a person wanted it.
void spent(Turn& t, ServiceId id, Place& place, LadderState ladder) {
  if (asked_for(t, id, place.slot) && !view_of(t, id, place.slot).failing) {
    return end_ladder(t, id, place.slot, ladder);
  }
  call_for_help(t, id, place);
  ladder::rearm(ladder, t.plan(id).backoff, t.now, t.s.random, limits_here(t, id, place).cooldown);
  if (planted(Bug::gives_up)) ladder.not_before = kNever;
  t.record(LadderMoved{t.plan(id).name, place.slot, ladder, Walk{t.durable(id).walk_of(place.slot).issue, ""}});
  t.wake_at(ladder.not_before);
}

// A repair that is no action of the place (a rolling one, a shadow's) is under way, or has just been judged.
bool judging(Turn& t, ServiceId id, Place& place) {
  auto& judge_at = t.live(id).judge_at;
  const auto judged = judge_at.find(place.slot);
  if (judged == judge_at.end()) return false;
  const bool failing = view_of(t, id, place.slot).failing;
  if (failing && t.now < judged->second) {
    t.wake_at(judged->second);
    return true;
  }
  judge_at.erase(place.slot);
  if (failing) {
    ladder_try_failed(t, id, place);
    return false;
  }
  end_ladder(t, id, place.slot, ladder_of(t, id, place.slot));
  return true;
}

bool rolling_here(Turn& t, ServiceId id, const Place& place) {
  const auto& operation = t.durable(id).operation;
  if (!operation || !operation->repair) return false;
  const bool done = std::count(operation->done.begin(), operation->done.end(), place.slot) > 0;
  if (!done) return true;  // a repair of this service is rolling already, and comes to this place
  stop_operation(t, id, place_name(t, id, place.slot) + " has been restarted and fails again");
  return false;
}

void begin_try(Turn& t, ServiceId id, Place& place, LadderState& ladder, const Case& c) {
  t.live(id).skipped.erase(place.slot);
  ladder::begin_try(ladder);
  save_ladder(t, id, place.slot, ladder);
  strategy_of(c.rung.strategy).execute(c);
  t.mark(id);
}

}  // namespace

void repair(Turn& t, ServiceId id, Place& place) {
  if (!t.wanted(id, place.slot)) return end_ladder(t, id, place.slot, ladder_of(t, id, place.slot));
  if (place.action || rolling_here(t, id, place) || judging(t, id, place)) return;
  leave_issue(t, id, place);
  LadderState ladder = ladder_of(t, id, place.slot);
  if (const auto hold = cooling(t, ladder)) {
    record_hold(t, id, place.slot, t.durable(id).incident, hold);
    t.wake_at(hold->retry);
    return call_about_hold(t, id, place, *hold);
  }
  begin_ladder(t, id, place, ladder);
  const Instant given_up = given_up_at(t, id, place, ladder);
  if (t.now < given_up) t.wake_at(given_up);
  const bool waits = t.now < ladder.not_before && t.now < given_up;
  if (waits && !planted(Bug::wait_ignored)) return t.wake_at(ladder.not_before);
  // A try whose judgement was lost when Homeostat was killed has been had all the same.
  const auto& rungs = rungs_here(t, id, place);
  if (ladder.rung < rungs.size() && ladder.attempts >= rungs[ladder.rung].attempts) {
    return ladder_try_failed(t, id, place);
  }
  if (!find_rung(t, id, place, ladder)) return spent(t, id, place, ladder);
  const Case c = case_of(t, id, place, ladder);
  if (held(t, id, place, c, strategy_of(c.rung.strategy))) return;
  begin_try(t, id, place, ladder, c);
}

void ladder_try_failed(Turn& t, ServiceId id, Place& place) {
  LadderState ladder = ladder_of(t, id, place.slot);
  ladder::try_failed(ladder, policies_here(t, id, place), t.plan(id).backoff, t.now, t.s.random);
  save_ladder(t, id, place.slot, ladder);
  t.mark(id);
}

void ladder_try_ended(Turn& t, ServiceId id, Place& place, const Intent& intent, bool ok) {
  if (!ok) return ladder_try_failed(t, id, place);
  // What a person asked for is done; what failed before is told by the end of its incident.
  const bool asked = !intent.by.empty() && asked_for(t, id, place.slot);
  if (asked && !view_of(t, id, place.slot).failing) end_ladder(t, id, place.slot, ladder_of(t, id, place.slot));
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
