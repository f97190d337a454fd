#include "engine/repair.hpp"

#include "engine/escalate.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

std::vector<RungPolicy> rungs_of(const ServicePlan& plan) {
  std::vector<RungPolicy> rungs;
  for (const RungPlan& rung : plan.ladder) rungs.push_back(RungPolicy{rung.attempts});
  return rungs;
}

LadderState ladder_of(Turn& t, ServiceId id, const Place& place) { return t.durable(id).ladders[place.slot]; }

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
    if (place.skipped != key) {
      const std::string strategy = strategy_of(c.rung.strategy).wish(c).strategy;
      t.record(Skipped{plan.name, place.slot, c.incident, ladder.rung, strategy, *reason});
    }
    place.skipped = key;
    ladder::skip(ladder);
    save(t, id, place, ladder);
  }
  return false;
}

bool held(Turn& t, ServiceId id, Place& place, const Case& c, const Strategy& strategy) {
  std::optional<Hold> hold;
  if (strategy.guarded) hold = check_gates(t, ask_for(t, strategy.wish(c)));
  record_hold(t, id, place.slot, c.incident, hold);
  if (hold) t.wake_at(hold->retry);
  return hold.has_value();
}

// A spent ladder never ends in silence, also when none of its rungs calls anybody.
void call_for_help(Turn& t, ServiceId id, const Place& place) {
  const std::uint64_t incident = t.durable(id).incident;
  if (escalated(t, incident)) return;
  const std::string where = place.slot < 0 ? std::string() : "/" + std::to_string(place.slot);
  escalate(t, id, incident, default_notifier(t), t.plan(id).name + where + " is down and nothing is left to be tried");
}

}  // namespace

void repair(Turn& t, ServiceId id, Place& place) {
  if (!place.action.none()) return;
  const auto& operation = t.durable(id).operation;
  if (operation && operation->incident != 0) return;  // a repair of this service is rolling already
  if (place.judge_at != kNever) {
    if (t.now < place.judge_at) return t.wake_at(place.judge_at);
    place.judge_at = kNever;
    ladder_try_failed(t, id, place);
  }
  LadderState ladder = ladder_of(t, id, place);
  if (t.now < ladder.not_before) return t.wake_at(ladder.not_before);
  // A try whose judgement was lost when Homeostat was killed has been had all the same.
  if (ladder.rung < t.plan(id).ladder.size() && ladder.attempts >= t.plan(id).ladder[ladder.rung].attempts) {
    return ladder_try_failed(t, id, place);
  }
  if (!find_rung(t, id, place, ladder)) {
    call_for_help(t, id, place);
    ladder::rearm(ladder, t.plan(id).backoff, t.now, t.s.random);
    save(t, id, place, ladder);
    return t.wake_at(ladder.not_before);
  }
  const Case c = case_of(t, id, place, ladder);
  const Strategy& strategy = strategy_of(c.rung.strategy);
  if (held(t, id, place, c, strategy)) return;
  place.skipped.clear();
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
  place.judge_at = kNever;
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
