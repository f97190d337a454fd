#include "engine/engine.hpp"

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/breakers.hpp"
#include "engine/doubt.hpp"
#include "engine/escalate.hpp"
#include "engine/evaluate.hpp"
#include "engine/gates.hpp"
#include "engine/index.hpp"
#include "engine/instances.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"
#include "engine/operators.hpp"
#include "engine/outside.hpp"
#include "engine/recovery.hpp"
#include "engine/reload.hpp"
#include "engine/resources.hpp"
#include "engine/rollout.hpp"
#include "engine/rollout_gates.hpp"
#include "engine/rollout_judge.hpp"
#include "engine/scaling.hpp"
#include "engine/status.hpp"
#include "engine/traffic.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::engine {
namespace {

void observe_only(Turn& t, const std::string& reason) {
  if (!t.s.observe_only.empty()) return;
  t.s.observe_only = reason;
  t.record(CautionChanged{Caution::observe_only, true, reason});
  // What waited for the journal will never be durable: it is not done. People are called all the same.
  std::vector<CommandId> escalations;
  for (const Waiting& waiting : t.s.waiting) {
    if (waiting.escalation) escalations.push_back(waiting.id);
  }
  t.s.waiting.clear();
  for (const CommandId id : escalations) escalation_durable(t, id);
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    for (Place& place : t.live(id).places) withdraw(t, id, place, reason);
    t.mark(id);
  }
  escalate_engine(t, "nothing is repaired any more, only observed: " + reason);
}

// What must hold does not: this program is wrong, so it looks on and calls somebody.
void stop_acting(Turn& t) {
  if (t.broken.empty()) return;
  if (t.s.observe_only.empty()) t.s.defect = true;
  observe_only(t, "a defect of Homeostat: " + t.broken);
}

// An intent that does not become durable in time: the journal cannot be relied upon.
void durable_due(Turn& t) {
  if (t.s.waiting.empty() || !t.s.observe_only.empty()) return;
  const Instant due = later(t.s.waiting.front().since, t.s.plan.durable_within);
  if (t.now >= due) return observe_only(t, "the journal did not confirm a record in time");
  t.wake_at(due);
}

// Thousands of checks are due at once, each in a place of memory of its own: fetched while others are worked on.
void fetch_ahead(const State& s, const std::vector<Wheel::Id>& ids, std::size_t from) {
  constexpr std::size_t kAhead = 8;
  if (from + kAhead >= ids.size() || ids[from + kAhead] >= s.targets.size()) return;
  const char* target = reinterpret_cast<const char*>(&s.targets[ids[from + kAhead]]);
  __builtin_prefetch(target, 1);
  __builtin_prefetch(target + sizeof(Target) - 1, 1);
}

void due(Turn& t) {
  std::vector<Wheel::Id> ids;
  t.s.wheel.expire(t.now, ids);
  const auto targets = static_cast<Wheel::Id>(t.s.targets.size());
  t.out.commands.reserve(t.out.commands.size() + ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Wheel::Id id = ids[i];
    fetch_ahead(t.s, ids, i);
    if (id < targets)
      target_due(t, id);
    else if (id < t.s.wake_of_all())
      t.mark(id - targets);
  }
}

void apply(Turn& t, const Tick&) { due(t); }
void apply(Turn& t, const Observed& in) { observed(t, in); }
void apply(Turn& t, const ActionDone& in) { action_done(t, in); }
void apply(Turn& t, const Exited& in) { exited(t, in); }
void apply(Turn& t, const Found& in) { t.s.recovered ? found_later(t, in) : found(t, in); }
void apply(Turn& t, const RuntimeHeld& in) { runtime_held(t, in); }
void apply(Turn& t, const Recovered&) { recovered(t); }
void apply(Turn& t, const JournalDurable& in) { journal_durable(t, in.seq); }
void apply(Turn& t, const JournalFolded&) { ++t.s.durable.seq; }
void apply(Turn& t, const JournalFailed& in) { observe_only(t, in.reason); }
void apply(Turn& t, const SelfChecked& in) { self_checked(t, in); }
void apply(Turn& t, const NotifyDone& in) { notify_done(t, in); }
void apply(Turn& t, const Gap& in) { begin_tilt(t, in.length); }
void apply(Turn& t, const Measured& in) { measured(t, in); }
void apply(Turn& t, const TrafficSeen& in) { traffic_seen(t, in); }
void apply(Turn& t, const VersionsMeasured& in) { versions_measured(t, in); }
void apply(Turn& t, const ClocksRead& in) { clocks_read(t, in); }
void apply(Turn& t, const GateAnswered& in) { gate_answered(t, in); }
void apply(Turn& t, const Operator& in) { operator_command(t, in); }

// Evaluates whatever has changed until nothing changes any more. Every evaluation that marks others moves something
// that is bounded, so this ends; the bound is there to say so if it ever does not.
void settle(Turn& t) {
  std::size_t left = 1000 + 64 * t.s.services.size();
  while (!t.s.dirty.empty() && left > 0) {
    const std::vector<ServiceId> round = std::move(t.s.dirty);
    t.s.dirty.clear();
    for (const ServiceId id : round) {
      t.live(id).dirty = false;
      evaluate(t, id);
      if (!t.check(--left > 0, "the engine does not come to rest")) return;
    }
  }
}

void settle_all(Turn& t) {
  // What is due for the whole may concern services, and they in turn the whole.
  for (int round = 0; round < 4; ++round) {
    settle(t);
    t.wake = kNever;
    doubt_due(t);
    tilt_due(t);
    notify_due(t);
    durable_due(t);
    pauses_due(t);
    maintenance_due(t);
    free_resources(t);
    if (t.s.dirty.empty()) break;
  }
  stop_acting(t);
  t.s.wheel.set(t.s.wake_of_all(), t.s.dirty.empty() ? t.wake : t.now);
}

}  // namespace

void Engine::start(Plan plan, std::string_view build, Instant now, Commands& out) {
  State& s = state_;
  Turn t{s, now, out};
  s.plan = std::move(plan);
  s.durable_seq = s.durable.seq;
  t.record(EpochBegan{planted(Bug::epoch_reused) ? 1 : s.durable.epoch + 1, std::string(build)});
  s.random = Random(Random::mix(s.plan.seed) ^ s.durable.epoch);
  if (planted(Bug::hidden_state)) s.random = Random(planted_chance());
  std::vector<std::string> names;
  for (const ServicePlan& service : s.plan.services) names.push_back(service.name);
  t.record(ConfigLoaded{s.plan.generation, std::move(names)});
  build_targets(s);
  configure_breakers(t);
  fit_counts(t);
  fit_rollouts(t);
}

void Engine::reload(Plan plan, Instant now, Commands& out) {
  Turn t{state_, now, out};
  reload_plan(t, std::move(plan));
  settle_all(t);
}

void Engine::step(const Input& input, Instant now, Commands& out) {
  Turn t{state_, std::max(now, state_.durable.last_at), out};
  t.check(now >= state_.durable.last_at, "time went backwards");
  std::visit([&t](const auto& in) { apply(t, in); }, input);
  // The common case, an observation that changes nothing, ends here.
  if (std::holds_alternative<Observed>(input) && state_.dirty.empty() && t.broken.empty()) return;
  settle_all(t);
}

std::optional<Instant> Engine::next_deadline() const { return state_.wheel.next(); }

std::vector<Record> Engine::would(const Input& input, Instant now) const {
  Engine copy;
  Commands out;
  if (copy.load(save(), plan())) copy.step(input, now, out);
  return std::move(out.records);
}

std::optional<Hold> Engine::not_to_approve(CommandId id, Instant now) const {
  Engine copy;  // what is asked may look at something
  if (!copy.load(save(), plan())) return std::nullopt;
  Commands out;
  Turn t{copy.state_, std::max(now, copy.state_.durable.last_at), out};
  return engine::not_to_approve(t, id);
}

std::string_view Engine::version(std::uint32_t index) const {
  return index < state_.versions.size() ? std::string_view(state_.versions[index]) : std::string_view();
}

std::string Engine::wanted_version(ServiceId service, Slot slot) const {
  const auto known = state_.durable.services.find(state_.plan.services[service].name);
  return known == state_.durable.services.end() ? state_.plan.services[service].release
                                                : wanted_version_of(state_.plan.services[service], known->second, slot);
}

bool Engine::wanted(ServiceId service, Slot slot) const { return wanted_in(state_, service, slot); }

std::optional<ServiceId> Engine::find_service(std::string_view name) const { return service_named(state_, name); }

Status Engine::instance_status(ServiceId service, Slot slot) const { return view_of(state_, service, slot).status(); }

bool Engine::paused(ServiceId service, Instant now) const { return paused_until(state_, service, now).has_value(); }

}  // namespace homeostat::engine
