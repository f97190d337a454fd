#include "engine/doubt.hpp"

#include "core/planted.hpp"
#include "engine/escalate.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"
#include "engine/rollout.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kFresh = std::chrono::seconds(5);
constexpr Duration kAgain = std::chrono::seconds(10);
// Every check and the self-check have a time-out; a round that takes longer has lost an answer.
constexpr Duration kRoundEnds = std::chrono::minutes(1);
constexpr Duration kLookAgain = std::chrono::seconds(1);
// Evidence that is older says nothing about our network now.
constexpr Duration kEvidence = std::chrono::minutes(1);

void mark_all(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) t.mark(id);
}

bool fails_indirectly(Turn& t, ServiceId id, Slot slot) {
  const View view = view_of(t, id, slot);
  return view.failing && !view.recovering && !view.direct && t.wanted(id, slot);
}

bool fails(Turn& t, ServiceId id) {
  for (const Place& place : t.live(id).places) {
    if (view_of(t, id, place.slot).failing && t.wanted(id, place.slot)) return true;
  }
  return false;
}

// What a failing dependency explains says nothing about us.
bool explained(Turn& t, ServiceId id) {
  const auto& needs = t.plan(id).depends_on;
  return std::ranges::any_of(needs, [&](const Need& need) {
    // Of alternatives, one that works is enough.
    const auto is_gone = [&](const Need& one) { return one.any_of != need.any_of || fails(t, one.service); };
    return need.any_of == 0 ? fails(t, need.service) : std::ranges::all_of(needs, is_gone);
  });
}

// What has been well for long says nothing any more.
void sift_suspects(Turn& t) {
  std::erase_if(t.s.suspects, [&](const auto& one) {
    if (one.second >= t.now - kEvidence) return false;
    const TargetRange& targets = t.place(one.first.service, one.first.slot).targets;
    return std::none_of(targets.begin(), targets.end(), [&](TargetId id) { return t.s.targets[id].health.failing(); });
  });
}

// Since when the evidence in question was gathered: what could not be reached meanwhile, and that has not been judged
// by an earlier round, is judged by this one. In one cut, others may be seen to fail an interval earlier.
Instant evidence_since(Turn& t) {
  Instant since = t.now;
  for (const auto& [place, unreached] : t.s.suspects) {
    const auto [id, slot] = place;
    const View view = view_of(t, id, slot);
    if (!view.failing || view.direct || view.check == kNone || !t.wanted(id, slot)) continue;
    const CheckPolicy& policy = t.plan(id).checks[view.check].policy;
    since = std::min(since, view.first_failure - policy.interval - policy.timeout);
  }
  return std::max({since, t.s.doubt.ended, t.now - kEvidence});
}

// Services that cannot be reached, or could not, and that neither a failing dependency nor maintenance explains.
std::uint32_t count_roots(Turn& t) {
  std::uint32_t roots = 0;
  std::optional<ServiceId> counted;
  for (const auto& [place, unreached] : t.s.suspects) {  // the places of one service are neighbours
    const std::string& name = t.plan(place.service).name;
    if (counted == place.service || maintenance_of(t.s.durable, name) != nullptr) continue;
    // It may have been reached again since: a cut that ends before it is judged was one all the same.
    if (unreached < t.s.doubt.since && !fails_indirectly(t, place.service, place.slot)) continue;
    counted = place.service;
    if (!explained(t, place.service)) ++roots;
  }
  return roots;
}

std::optional<TargetId> sample_target(Turn& t, ServiceId id) {
  for (const Place& place : t.live(id).places) {
    for (const TargetId target : place.targets) {
      const CheckPlan& check = t.plan(id).checks[t.s.targets[target].check];
      if (check.role == Role::alive && !check.process && t.s.targets[target].active) return target;
    }
  }
  return std::nullopt;
}

// While we are in doubt, what fails is looked at together with the others: when the doubt ends, it has been seen anew,
// however long its interval is.
void look_at_failing(Turn& t) {
  for (TargetId id = 0; id < t.s.targets.size(); ++id) {
    const Target& target = t.s.targets[id];
    if (target.check == kNone || !target.active || !target.health.failing() || target.health.last().direct()) continue;
    t.s.doubt.waiting.push_back(id);
    look_now(t, id);
  }
}

void begin_round(Turn& t) {
  DoubtRound& doubt = t.s.doubt;
  ++doubt.round;
  doubt.running = true;
  doubt.self_done = doubt.self_ok = false;
  doubt.began = t.now;
  sift_suspects(t);
  doubt.since = evidence_since(t);
  doubt.waiting.clear();
  const auto count = t.s.services.size();
  const std::uint64_t offset = t.s.random.below(count);
  for (std::size_t i = 0; i < count && doubt.waiting.size() < t.s.plan.doubt_sample; ++i) {
    const auto id = static_cast<ServiceId>((offset + i) % count);
    if (fails(t, id)) continue;
    const auto target = sample_target(t, id);
    if (!target) continue;
    doubt.waiting.push_back(*target);
    look_now(t, *target);
  }
  if (doubt.doubtful) look_at_failing(t);
  t.command(SelfCheck{doubt.round});
}

std::string judge(Turn& t) {
  DoubtRound& doubt = t.s.doubt;
  if (!doubt.self_ok) return "our own loopback self-check failed";
  const std::uint32_t roots = count_roots(t);
  if (roots < t.s.plan.doubt_roots) return {};
  return std::to_string(roots) + " services cannot be reached at once, " + std::to_string(t.s.plan.doubt_roots) +
         " are enough to doubt our own network";
}

// When we cannot see, and when we can again. `gone`: so long nobody has looked already.
void note_sight(Turn& t, Duration gone = {}) {
  if (unsure(t.s) == t.s.unsure_since.has_value()) return;
  if (unsure(t.s)) return void(t.s.unsure_since = t.now - gone);
  rollouts_seen_again(t, t.now - *t.s.unsure_since);
  t.s.unsure_since.reset();
}

void end_round(Turn& t) {
  DoubtRound& doubt = t.s.doubt;
  if (!doubt.running || !doubt.self_done || !doubt.waiting.empty()) return;
  doubt.running = false;
  doubt.ended = t.now;
  doubt.reason = judge(t);
  const bool was = doubt.doubtful;
  doubt.doubtful = !doubt.reason.empty();
  for (const ServiceId id : std::exchange(doubt.asking, {})) t.mark(id);
  if (was == doubt.doubtful) return;
  if (was) doubt.cleared = doubt.began;
  note_sight(t);
  mark_all(t);
  t.record(CautionChanged{Caution::doubt, doubt.doubtful, doubt.reason});
  if (doubt.doubtful) escalate_engine(t, "no action is taken on what cannot be reached: " + doubt.reason);
}

}  // namespace

void suspect(Turn& t, const Target& target, const Observation& seen) {
  Instant& unreached = t.s.suspects.try_emplace({target.service, target.slot}, kLongAgo).first->second;
  const CheckPlan& check = t.plan(target.service).checks[target.check];
  if (!seen.direct() && check.role == Role::alive) unreached = t.now;
}

void find_suspects(State& s) {
  s.suspects.clear();
  for (const Target& target : s.targets) {
    if (target.check != kNone && target.health.failing())
      s.suspects.try_emplace({target.service, target.slot}, kLongAgo);
  }
}

std::optional<Hold> doubt_gate(Turn& t, ServiceId asking, Instant verdict, Instant seen) {
  if (planted(Bug::no_doubt)) return std::nullopt;
  DoubtRound& doubt = t.s.doubt;
  // What failed in a doubt is looked at again before it ends; where that was not possible, nothing is known.
  if (!doubt.doubtful && seen < doubt.cleared && !planted(Bug::stale_evidence)) {
    return Hold{"doubt", "not seen since our own network was in doubt", later(t.now, kLookAgain)};
  }
  const bool fresh = doubt.ended != kLongAgo && t.now - doubt.ended <= kFresh && doubt.began >= verdict;
  if (!doubt.running && fresh && !doubt.doubtful) return std::nullopt;
  if (!doubt.running && !doubt.doubtful) begin_round(t);
  doubt.asking.insert(asking);
  if (doubt.doubtful) return Hold{"doubt", doubt.reason};
  return Hold{"doubt", "looking at our own network first"};
}

void doubt_observed(Turn& t, TargetId id) {
  if (std::erase(t.s.doubt.waiting, id) > 0) end_round(t);
}

void self_checked(Turn& t, const SelfChecked& in) {
  DoubtRound& doubt = t.s.doubt;
  if (!doubt.running || in.round != doubt.round) return;
  doubt.self_done = true;
  doubt.self_ok = in.ok;
  end_round(t);
}

void doubt_gone(Turn& t, TargetId id) {
  if (std::erase(t.s.doubt.waiting, id) > 0) end_round(t);
}

void forget_doubt(Turn& t, const std::string& why) {
  const DoubtRound old = std::exchange(t.s.doubt, DoubtRound{});
  t.s.doubt.round = old.round;  // an answer that is still to come belongs to no later round
  if (old.doubtful) t.record(CautionChanged{Caution::doubt, false, why});
}

void restart_doubt(Turn& t) {
  const DoubtRound old = std::exchange(t.s.doubt, DoubtRound{});
  t.s.doubt.round = old.round;  // an answer that is still to come belongs to no later round
  t.s.doubt.doubtful = old.doubtful;
  t.s.doubt.reason = old.reason;
}

void doubt_due(Turn& t) {
  DoubtRound& doubt = t.s.doubt;
  if (doubt.running) {
    if (t.now < later(doubt.began, kRoundEnds)) return t.wake_at(later(doubt.began, kRoundEnds));
    doubt.waiting.clear();
    doubt.self_done = true;
    return end_round(t);
  }
  if (!doubt.doubtful) return;
  if (t.now >= later(doubt.ended, kAgain))
    begin_round(t);
  else
    t.wake_at(later(doubt.ended, kAgain));
}

void begin_tilt(Turn& t, Duration gap) {
  const bool new_one = !t.s.tilt_since;
  t.s.tilt_since = t.now;
  if (planted(Bug::no_tilt)) t.s.tilt_since.reset();
  for (Target& target : t.s.targets) forget_seen(target, t.now);
  for (auto& [place, unreached] : t.s.suspects) unreached = kLongAgo;
  for (LiveService& service : t.s.services) {
    for (Place& place : service.places) {
      // Nobody could prove well while we did not look.
      if (place.action) place.action->deadline = later(place.action->deadline, gap);
      const bool looking =
          std::any_of(place.targets.begin(), place.targets.end(), [&](TargetId id) { return t.s.targets[id].active; });
      if (looking) begin_looking(t, place);
    }
  }
  forget_doubt(t, "time has jumped");
  note_sight(t, gap);
  forget_clocks(t);
  mark_all(t);
  if (!new_one) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(gap).count();
  const std::string reason = "time jumped by " + std::to_string(seconds) + " s";
  t.record(CautionChanged{Caution::tilt, true, reason});
  escalate_engine(t, reason + "; no action on indirect evidence until everything has been seen afresh");
}

void tilt_due(Turn& t) {
  if (!t.s.tilt_since) return;
  const Instant least = later(*t.s.tilt_since, t.s.plan.tilt_least);
  const bool fresh = std::all_of(t.s.targets.begin(), t.s.targets.end(), [&](const Target& target) {
    // That we could not look is an answer, too: one such check must not hold back everything for ever.
    const bool answered = target.health.last_seen() >= *t.s.tilt_since || target.health.last().reason != Reason::none;
    return target.check == kNone || !target.active || answered;
  });
  if (t.now < least || !fresh) return t.wake_at(std::max(least, later(t.now, std::chrono::seconds(1))));
  t.s.tilt_since.reset();
  t.record(CautionChanged{Caution::tilt, false, "everything has been seen afresh"});
  note_sight(t);
  mark_all(t);
}

}  // namespace homeostat::engine
