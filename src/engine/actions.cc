#include "engine/actions.hpp"

#include "core/planted.hpp"
#include "engine/breakers.hpp"
#include "engine/calls.hpp"
#include "engine/completion.hpp"
#include "engine/engine.hpp"
#include "engine/escalate.hpp"
#include "engine/failure.hpp"
#include "engine/instances.hpp"
#include "engine/ladder.hpp"
#include "engine/looking.hpp"
#include "engine/operations.hpp"
#include "engine/repair.hpp"
#include "engine/resources.hpp"
#include "engine/status.hpp"
#include "engine/strategy.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

std::uint32_t intern(State& s, const std::string& version) {
  if (version.empty()) return kNone;
  const auto found = std::find(s.versions.begin(), s.versions.end(), version);
  const auto index = static_cast<std::uint32_t>(found - s.versions.begin());
  if (found == s.versions.end()) s.versions.push_back(version);
  return index;
}

std::uint32_t reference_of(const ServicePlan& plan, const Intent& intent) {
  if (intent.op == Op::scale) return intent.count;
  for (const RungPlan& rung : rungs_of(plan, intent.issue)) {
    if (rung.strategy == StrategyKind::exec && rung.name == intent.name) return rung.reference;
  }
  return kNone;
}

Intent intent_of(Turn& t, const Wish& wish) {
  Intent intent;
  intent.id = t.next_id();
  intent.service = t.plan(wish.service).name;
  intent.slot = wish.slot;
  intent.op = wish.op;
  intent.origin = wish.origin;
  intent.strategy = wish.strategy;
  intent.name = wish.name;
  intent.incident = wish.incident;
  intent.issue = wish.issue;
  if (wish.incident != 0) intent.against = failure_of(t, wish.service, wish.slot);
  intent.rung = wish.rung;
  intent.attempt = wish.attempt;
  intent.version = wish.version;
  intent.count = wish.count;
  intent.idempotent = wish.idempotent;
  intent.verify_within = std::max(wish.verify_within, verification_time(t.plan(wish.service)));
  intent.evidence = wish.evidence;
  intent.by = wish.by;
  const std::uint32_t group = t.plan(wish.service).group;
  if (group != kNone) intent.group = t.s.plan.groups[group].name;
  intent.disruptive = ask_for(t, wish).disruptive;
  const InstanceState* instance = wish.slot < 0 ? nullptr : t.instance(wish.service, wish.slot);
  if (instance != nullptr && instance->state == RunState::running) intent.expected = instance->incarnation;
  return intent;
}

void end_with(Turn& t, ServiceId id, Place& place, const Intent& intent, OutcomeKind outcome, std::string detail) {
  t.record(Outcome{intent.id, intent.service, intent.slot, outcome, std::move(detail)});
  place.action.reset();
  t.mark(id);
}

// A person's wish stands on no evidence at all.
template <class T>
bool asked_for(const T& intent_or_wish) {
  return intent_or_wish.origin == Origin::ladder && !intent_or_wish.by.empty();
}

// A step of a rolling repair stands on the evidence of the place it is done for; an operator's needs none.
bool on_direct_evidence(Turn& t, ServiceId id, Origin origin) {
  if (origin != Origin::operation) return false;
  const auto& operation = t.durable(id).operation;
  if (!operation || !operation->repair || !t.has_place(id, operation->for_slot)) return true;
  const View view = view_of(t, id, operation->for_slot);
  return view.direct || !view.failing;
}

/// Why it may not be done now: the gate that holds it, or without one why it is not wanted any more. `counted`: the
/// budgets have been charged for it already.
std::optional<Hold> reason_not_to(Turn& t, ServiceId id, const Place& place, const Intent& intent, bool counted) {
  const auto unwanted = [](std::string why) { return Hold{"", std::move(why)}; };
  Ask ask;
  ask.service = id;
  ask.slot = intent.slot;
  ask.take_down = intent.op == Op::stop;
  ask.automatic = automatic(intent.origin, intent.by) && !ask.take_down;
  ask.disruptive = intent.disruptive;
  ask.counted = counted;
  ask.step = intent.origin == Origin::operation;
  ask.bring_up = intent.origin == Origin::desired;
  ask.command = command_behind(t.plan(id), intent.op);
  const View view = view_of(t, id, intent.slot);
  ask.direct = view.direct || ask.bring_up || on_direct_evidence(t, id, intent.origin) || asked_for(intent);
  if (auto hold = check_gates(t, ask)) return hold;
  const bool needed = view.failing || asked_for(intent) || planted(Bug::recovery_unnoticed);
  if (intent.origin == Origin::ladder && !needed) return unwanted("recovered by itself");
  if (ask.automatic && !ask.bring_up && is_shadow(t, id)) return unwanted("the service is in shadow mode now");
  const InstanceState* instance = intent.slot < 0 ? nullptr : t.instance(id, intent.slot);
  const bool runs = instance != nullptr && instance->state == RunState::running;
  if (!intent.expected.none() && runs && instance->incarnation != intent.expected)
    return unwanted("another incarnation runs");
  if (intent.op != Op::stop && place.slot >= 0 && !t.wanted(id, place.slot)) return unwanted("stopped by an operator");
  return std::nullopt;
}

// From here on the slot is meant to run the release of the step; a release that is rolled back is never deployed again
// unless somebody insists, or it was proved well before.
void moves_to_version(Turn& t, ServiceId id, const Intent& intent) {
  if (intent.origin != Origin::operation || intent.version.empty() || intent.slot < 0) return;
  if (wanted_version_of(t.plan(id), t.durable(id), intent.slot) == intent.version) return;
  const InstanceState* instance = t.instance(id, intent.slot);
  const std::string replaced = instance == nullptr ? std::string() : instance->version;
  const bool rolls_back = intent.strategy == name_of(OperationKind::rollback);
  const ServiceState& state = t.durable(id);
  const bool judged = state.quarantined.contains(replaced) || state.is_stable(replaced);
  if (rolls_back && !replaced.empty() && replaced != intent.version && !judged) {
    t.record(VersionMarked{intent.service, replaced, Mark::quarantined});
  }
  t.record(DesiredSet{intent.service, intent.slot, true, intent.version, intent.by});
}

// The gate before it has been asked, so that only a person's command could be refused.
bool admit(Turn& t, ServiceId id, const Intent& intent) {
  const auto behind = command_behind(t.plan(id), intent.op);
  if (!behind) return true;
  if (!intent.by.empty() || intent.op == Op::stop) close_by_hand(t, *behind);
  return t.check(breaker_admits(t, *behind, intent.id).has_value(), "a command that its breaker does not admit");
}

void succeeded(Turn& t, ServiceId id, Place& place, const Intent& intent);

// What the engine itself wants is changed: with the record of it, it is done.
void adjust(Turn& t, ServiceId id, Place& place, const Intent& intent) {
  place.action->dispatched = true;
  const std::string done = adjusting(intent.strategy).adjust(t, id, intent);
  t.record(Outcome{intent.id, intent.service, intent.slot, OutcomeKind::succeeded, done});
  succeeded(t, id, place, intent);
  t.mark(id);
}

bool only_looking(const Turn& t, const Hold& hold) {
  return hold.gate == "doubt" && t.s.doubt.running && !t.s.doubt.doubtful;
}

void dispatch(Turn& t, ServiceId id, Place& place, const ActionState& action) {
  const Intent intent = action.intent;
  const bool asks = intent.mode == Mode::approve && !planted(Bug::approval_skipped);
  if (place.action->dispatched || (asks && !action.approved)) return;
  if (auto why = reason_not_to(t, id, place, intent, true)) {
    // What has been approved is done once our own network has been looked at; it would be asked for for ever.
    if (action.approved && only_looking(t, *why)) return;
    const std::string gate = why->gate.empty() ? "" : why->gate + ": ";
    end_with(t, id, place, intent, OutcomeKind::not_started, gate + why->detail);
    return refund(t, id, place, intent);
  }
  const bool recorded = place.action_id() == intent.id && t.s.durable.actions.contains(intent.id);
  if (!t.check(recorded, "a dispatch without its intent")) return;
  if (intent.op == Op::adjust) return adjust(t, id, place, intent);
  if (!admit(t, id, intent)) return;
  Dispatch command;
  command.id = intent.id;
  command.op = intent.op;
  command.service = id;
  command.slot = planted(Bug::target_widened) ? std::min(intent.slot, 0) : intent.slot;
  command.version = intern(t.s, intent.version);
  command.reference = reference_of(t.plan(id), intent);
  const InstanceState* instance = intent.slot < 0 ? nullptr : t.instance(id, intent.slot);
  if (instance != nullptr && instance->state == RunState::running) command.expected = instance->incarnation;
  command.deadline = later(t.now, t.plan(id).runtime.stop_grace + kRuntimeSilent);
  place.action->dispatched = true;
  place.action->deadline = command.deadline;
  moves_to_version(t, id, intent);
  t.command(command);
  if (planted(Bug::dispatch_twice)) t.command(command);
  t.mark(id);
}

struct Owner {
  ServiceId service = 0;
  Place* place = nullptr;
};

std::optional<Owner> owner_of(Turn& t, CommandId id) {
  const auto action = t.s.durable.actions.find(id);
  if (action == t.s.durable.actions.end()) return std::nullopt;
  const auto service = t.find(action->second.intent.service);
  if (!service || !t.has_place(*service, action->second.intent.slot)) return std::nullopt;
  Place& place = t.place(*service, action->second.intent.slot);
  if (place.action_id() != id) return std::nullopt;
  return Owner{*service, &place};
}

void succeeded(Turn& t, ServiceId id, Place& place, const Intent& intent) {
  place.last_effect = t.now;
  place.action->deadline = later(t.now, intent.verify_within);
  if (intent.op == Op::stop) {
    t.record(Verified{intent.id, intent.service, intent.slot, true, "stopped"});
    forget_health(t, place);
    place.action.reset();
    return;
  }
  if (intent.op == Op::exec || intent.op == Op::scale || intent.op == Op::adjust) return;
  begin_startup(t, id, place);
}

void unknown_outcome(Turn& t, ServiceId id, const Intent& intent, const std::string& detail) {
  const std::string what =
      intent.strategy + " of " + intent.service + ": nobody can tell what became of it (" + detail + ")";
  if (!planted(Bug::unknown_not_locked)) t.record(LockChanged{intent.service, intent.slot, true, what});
  t.place(id, intent.slot).last_effect = t.now;  // only what is seen from now on can release it
  escalate_engine(t, what + "; locked until it is seen well or `homeostat unlock " + intent.service + "`");
  t.mark(id);
}

}  // namespace

void refund(Turn& t, ServiceId id, Place& place, const Intent& intent) {
  if (intent.origin == Origin::operation) return operation_blocked(t, id);
  if (intent.origin != Origin::ladder) return;
  LadderState ladder = ladder_of(t, id, place.slot);
  if (ladder.attempts > 0) --ladder.attempts;
  if (ladder.tries > 0) --ladder.tries;
  if (planted(Bug::unrecorded)) return void(t.durable(id).ladders[place.slot] = ladder);
  save_ladder(t, id, place.slot, ladder);
}

bool awaits_approval(const State& s, const Place& place) {
  const auto action = s.durable.actions.find(place.action_id());
  return action != s.durable.actions.end() && action->second.intent.mode == Mode::approve && !action->second.approved;
}

bool is_shadow(const Turn& t, ServiceId id) {
  if (planted(Bug::shadow_acts)) return false;
  return t.s.plan.shadow || t.plan(id).mode == Mode::shadow;
}

Duration verification_time(const ServicePlan& plan) {
  Duration longest{};
  for (const CheckPlan& check : plan.checks) {
    if (check.role != Role::alive) continue;
    const CheckPolicy& p = check.policy;
    longest = std::max(longest, p.startup_grace + p.fast_interval * p.success_threshold + p.timeout);
  }
  return longest;
}

Ask ask_for(Turn& t, const Wish& wish) {
  Ask ask;
  ask.service = wish.service;
  ask.slot = wish.slot;
  ask.take_down = wish.op == Op::stop;
  ask.automatic = automatic(wish.origin, wish.by) && !ask.take_down;
  ask.step = wish.origin == Origin::operation;
  ask.bring_up = wish.origin == Origin::desired && !ask.take_down;
  ask.command = command_behind(t.plan(wish.service), wish.op);
  const View view = view_of(t, wish.service, wish.slot);
  ask.direct = view.direct || ask.bring_up || on_direct_evidence(t, wish.service, wish.origin) || asked_for(wish);
  const InstanceState* instance = wish.slot < 0 ? nullptr : t.instance(wish.service, wish.slot);
  const bool runs =
      !t.plan(wish.service).runtime.managed || (instance != nullptr && instance->state == RunState::running);
  ask.disruptive = wish.op != Op::start && wish.op != Op::stop && wish.op != Op::exec && wish.op != Op::scale &&
                   wish.op != Op::route && wish.op != Op::adjust && runs;
  return ask;
}

void decide_only(Turn& t, const Wish& wish) {
  Intent intent = intent_of(t, wish);
  intent.mode = Mode::shadow;
  t.record(intent);
  t.record(Outcome{intent.id, intent.service, intent.slot, OutcomeKind::not_started, "shadow: decided, not done"});
}

void judge_decided(Turn& t, const Wish& wish) {
  const Duration within = std::max(wish.verify_within, verification_time(t.plan(wish.service)));
  t.live(wish.service).judge_at[wish.slot] = later(t.now, within);
}

void begin_action(Turn& t, Wish wish) {
  if (repairs(wish.origin, wish.by) && is_shadow(t, wish.service)) {
    decide_only(t, wish);
    return judge_decided(t, wish);
  }
  Place& place = t.place(wish.service, wish.slot);
  Intent intent = intent_of(t, wish);
  if (repairs(wish.origin, wish.by) && t.plan(wish.service).mode == Mode::approve) intent.mode = Mode::approve;
  const bool alone = !place.action && !t.s.durable.actions.contains(intent.id);
  if (!t.check(alone, "two actions at once on one place")) return;
  // What waits for an approval takes nothing from others meanwhile.
  if (intent.mode != Mode::approve && needs_resources(intent)) take_resources(t, wish.service);
  const bool expires = intent.mode == Mode::approve && !planted(Bug::approval_lasts);
  place.action = Acting{intent.id, false, expires ? later(t.now, t.s.plan.approval_within) : kNever};
  t.mark(wish.service);  // its end is waited for, whatever else happens
  const std::uint64_t seq = t.record(intent);
  t.s.waiting.push_back(Waiting{seq, intent.id, t.now, false});
  if (intent.mode == Mode::approve) call_for_approval(t, wish.service, intent);
  if (planted(Bug::dispatch_at_once)) dispatch(t, wish.service, place, t.s.durable.actions[intent.id]);
}

void journal_durable(Turn& t, std::uint64_t seq) {
  t.check(seq <= t.s.durable.seq, "the journal confirmed what was never recorded");
  t.s.durable_seq = std::max(t.s.durable_seq, seq);
  while (!t.s.waiting.empty() && t.s.waiting.front().seq <= t.s.durable_seq) {
    const Waiting waiting = t.s.waiting.front();
    t.s.waiting.pop_front();
    if (waiting.escalation) {
      escalation_durable(t, waiting.id);
      continue;
    }
    const auto owner = owner_of(t, waiting.id);
    if (owner) dispatch(t, owner->service, *owner->place, t.s.durable.actions[waiting.id]);
  }
}

std::optional<Hold> not_to_approve(Turn& t, CommandId id) {
  const auto owner = owner_of(t, id);
  if (!owner) return Hold{"", "nothing is to be done any more"};
  const Intent intent = t.s.durable.actions[id].intent;
  auto why = reason_not_to(t, owner->service, *owner->place, intent, false);
  return why && only_looking(t, *why) ? std::nullopt : why;
}

void approve(Turn& t, CommandId id, const std::string& by) {
  const auto owner = owner_of(t, id);
  if (!owner || owner->place->action->dispatched || t.s.durable.actions[id].approved) return;
  if (const auto why = not_to_approve(t, id)) {
    if (why->gate.empty()) take_back(t, owner->service, *owner->place, why->detail);
    return;  // behind a gate it goes on waiting
  }
  if (needs_resources(t.s.durable.actions[id].intent)) take_resources(t, owner->service);
  const std::uint64_t seq = t.record(Approved{id, by});
  t.s.waiting.push_back(Waiting{seq, id, t.now, false});
}

void action_done(Turn& t, const ActionDone& in) {
  const auto owner = owner_of(t, in.id);
  if (!owner) return breaker_result(t, in.id, call_outcome(in.outcome));
  const auto [id, place] = *owner;
  const ActionState action = t.s.durable.actions[in.id];
  if (!place->action->dispatched || action.succeeded_at) return;  // it has been answered already
  const Intent& intent = action.intent;
  t.mark(id);
  t.record(Outcome{intent.id, intent.service, intent.slot, in.outcome, in.detail});
  breaker_result(t, in.id, call_outcome(in.outcome));
  if (intent.op == Op::route) return route_done(t, id, *place, intent, in);
  // Whoever runs it is at work on it, or does not tell: nothing was done, and nothing has been learnt.
  if (in.outcome == OutcomeKind::not_started && t.s.runtime_holds.contains({id, place->slot})) {
    place->action.reset();
    return refund(t, id, *place, intent);
  }
  adopt_report(t, id, *place, intent, in);
  if (in.outcome == OutcomeKind::succeeded) return succeeded(t, id, *place, intent);
  place->action.reset();
  if (in.outcome == OutcomeKind::unknown) unknown_outcome(t, id, intent, in.detail);
  attempt_ended(t, id, *place, intent, false, in.detail);
}

namespace {

// Stopped by an operator while it was being verified: there is nothing left to prove.
void end_unwanted(Turn& t, ServiceId id, Place& place, const Intent& intent) {
  place.action.reset();
  const std::string detail = "not wanted any more";
  t.record(Verified{intent.id, intent.service, intent.slot, false, detail});
  t.mark(id);
  if (intent.origin == Origin::operation) operation_step_ended(t, id, place.slot, intent.id, true, detail);
  if (!t.plan(id).runtime.managed) attempt_ended(t, id, place, intent, true, detail);
}

// How it was before the action says nothing about what the action did.
bool seen_since(Turn& t, ServiceId id, const Place& place, Instant since) {
  bool all = true;
  for (const TargetId one : place.targets) {
    const Target& target = t.s.targets[one];
    const CheckPlan& check = t.plan(id).checks[target.check];
    const bool speaks = check.role == Role::alive && !check.process && target.active;
    if (!speaks || target.health.last_seen() > since) continue;
    look_now(t, one);
    all = false;
  }
  return all;
}

}  // namespace

void progress_action(Turn& t, ServiceId id, Place& place) {
  if (!place.action) return;
  const auto found = t.s.durable.actions.find(place.action_id());
  if (!t.check(found != t.s.durable.actions.end(), "an action under way that was never written down")) return;
  const Intent intent = found->second.intent;
  if (!found->second.succeeded_at) {
    const bool durable = std::ranges::none_of(t.s.waiting, [&](const Waiting& one) { return one.id == intent.id; });
    if (found->second.approved && durable && !place.action->dispatched) return dispatch(t, id, place, found->second);
    if (t.now < place.action->deadline) return t.wake_at(place.action->deadline);
    if (place.action->dispatched && intent.op == Op::route) {
      ActionDone silent;
      silent.outcome = OutcomeKind::failed;
      silent.detail = "the proxy's side did not answer";
      t.record(Outcome{intent.id, intent.service, intent.slot, silent.outcome, silent.detail});
      return route_done(t, id, place, intent, silent);
    }
    if (place.action->dispatched) {
      end_with(t, id, place, intent, OutcomeKind::unknown, "the runtime did not answer");
      breaker_result(t, intent.id, CallOutcome::failure);
      unknown_outcome(t, id, intent, "the runtime did not answer");
    } else {
      end_with(t, id, place, intent, OutcomeKind::not_started, "the approval has expired");
      escalate_anew(t, id, intent.incident, default_notifier(t),
                    "the approval of " + intent.strategy + " of " + place_name(t, id, place.slot) +
                        std::string(kApprovalExpired));
    }
    return attempt_ended(t, id, place, intent, false, "it did not happen");
  }
  if (!t.wanted(id, place.slot)) return end_unwanted(t, id, place, intent);
  const View view = view_of(t, id, place.slot);
  const bool well = !view.failing && !view.unknown && view.confirmed;
  const bool proved = (well && seen_since(t, id, place, *found->second.succeeded_at)) || planted(Bug::verified_unseen);
  // A verdict from before the action stays until the recovery is verified; only a failure since then is a new one.
  const bool failed_since = view.failing && !view.recovering && view.first_failure > *found->second.succeeded_at;
  const bool failed_anew = view.dead || (failed_since && intent.incident == 0);
  if (!proved && !failed_anew && t.now < place.action->deadline) {
    return t.wake_at(well ? later(t.now, std::chrono::seconds(1)) : place.action->deadline);
  }
  // It answers well, only not often enough yet: the next answers decide.
  if (!proved && !failed_anew && view.proving) return t.wake_at(later(t.now, std::chrono::seconds(1)));
  const std::string detail = proved        ? view.checked ? "well by its own checks" : "no check looks at it alone"
                             : view.dead   ? "it ended while being verified"
                             : failed_anew ? "its checks failed while it was being verified"
                                           : "it did not prove well in time";
  place.action.reset();
  t.record(Verified{intent.id, intent.service, intent.slot, proved, detail});
  attempt_ended(t, id, place, intent, proved, detail);
}

const Intent* undone(Turn& t, const Place& place) {
  if (!place.action || place.action->dispatched) return nullptr;
  const auto action = t.s.durable.actions.find(place.action_id());
  return action == t.s.durable.actions.end() ? nullptr : &action->second.intent;
}

void withdraw(Turn& t, ServiceId id, Place& place, const std::string& why) {
  const Intent* found = undone(t, place);
  if (found == nullptr) return;
  const Intent intent = *found;
  end_with(t, id, place, intent, OutcomeKind::not_started, why);
}

void take_back(Turn& t, ServiceId id, Place& place, const std::string& why) {
  const Intent intent = *undone(t, place);
  end_with(t, id, place, intent, OutcomeKind::not_started, why);
  refund(t, id, place, intent);
}

namespace {

// The user's own commands have no state that could be aligned later: a stop that had to wait for another action is run
// now, and what was started or not is looked at. What the autoscaler does not need any more, `scale` takes away.
void after_unmanaged(Turn& t, ServiceId id, Place& place, const Intent& intent) {
  if (t.wanted(id, place.slot)) {
    const auto looked_at = [&](TargetId target) { return t.s.targets[target].active; };
    const bool looking = std::any_of(place.targets.begin(), place.targets.end(), looked_at);
    if (intent.op == Op::start && !looking) begin_looking(t, place);
    return;
  }
  if (t.plan(id).runtime.scale && t.durable(id).spare.contains(place.slot)) return stop_looking(t, place);
  if (intent.op == Op::stop) return;
  Wish wish;
  wish.service = id;
  wish.slot = place.slot;
  wish.op = Op::stop;
  wish.origin = Origin::manual;
  wish.strategy = name_of(Op::stop);
  wish.evidence = "should not run";
  wish.by = "operator";
  begin_action(t, wish);
  stop_looking(t, place);
}

}  // namespace

void attempt_ended(Turn& t, ServiceId id, Place& place, const Intent& intent, bool ok, const std::string& detail) {
  t.mark(id);
  if (!t.plan(id).runtime.managed && place.slot >= 0 && !place.action) after_unmanaged(t, id, place, intent);
  if (intent.origin == Origin::operation) return operation_step_ended(t, id, place.slot, intent.id, ok, detail);
  if (intent.origin == Origin::ladder) ladder_try_ended(t, id, place, intent, ok);
}

}  // namespace homeostat::engine
