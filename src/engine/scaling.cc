#include "engine/scaling.hpp"

#include <algorithm>
#include <tuple>

#include "core/planted.hpp"
#include "engine/delta.hpp"
#include "engine/escalate.hpp"
#include "engine/gates.hpp"
#include "engine/maintenance.hpp"
#include "engine/rollout.hpp"
#include "engine/rollout_places.hpp"
#include "engine/scaling_approval.hpp"
#include "engine/sources.hpp"
#include "homeostat/scaling.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::engine {
namespace {

// A source that has not answered by then has failed.
constexpr Duration kMeasureWithin = std::chrono::seconds(10);

/// The instances that count, and which of them is in which place.
struct Sight {
  std::vector<ScalingInstance> instances;
  std::vector<Slot> slots;
  ScaleCounts counts;
};

bool runs(Turn& t, ServiceId id, Slot slot) {
  const InstanceState* known = t.instance(id, slot);
  return known != nullptr && known->state == RunState::running;
}

ScalingInstance seen(Turn& t, ServiceId id, const Place& place) {
  const View view = view_of(t, id, place.slot);
  const bool managed = t.plan(id).runtime.managed;
  ScalingInstance out;
  out.leaving = !t.wanted(id, place.slot);
  if (managed) out.phase = runs(t, id, place.slot) ? InstancePhase::running : InstancePhase::pending;
  if (managed && runs(t, id, place.slot)) out.started = out.ready_changed = t.instance(id, place.slot)->since;
  const bool well = view.up() && view.confirmed;
  out.ready = well ? Readiness::yes : view.unknown && !view.starting ? Readiness::unknown : Readiness::no;
  if (view.failing) out.ready_changed = std::max(out.ready_changed, view.first_failure);
  if (place.up_since == kLongAgo) return out;
  out.ready_changed = std::max(out.ready_changed, place.up_since);
  out.first_ready = place.up_since;
  return out;
}

// Of a service that is told a number there are as many as it was last known to have.
std::optional<std::int32_t> known_to_run(Turn& t, ServiceId id) {
  const std::uint32_t scaled = t.durable(id).scaled;
  if (!t.plan(id).runtime.scale || scaled == kUntold) return std::nullopt;
  return static_cast<std::int32_t>(scaled);
}

Sight look(Turn& t, ServiceId id) {
  Sight sight;
  const auto known = known_to_run(t, id);
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0) continue;
    const bool wanted = t.wanted(id, place.slot);
    const bool running = t.plan(id).runtime.managed ? runs(t, id, place.slot) : wanted;
    sight.counts.running += running ? 1 : 0;
    if (!wanted && !running) continue;
    sight.instances.push_back(seen(t, id, place));
    const auto number = static_cast<std::int32_t>(sight.instances.size());
    if (known && number > *known) sight.instances.back().phase = InstancePhase::pending;
    sight.slots.push_back(place.slot);
  }
  if (known) sight.counts.running = *known;
  sight.counts.wanted = static_cast<std::int32_t>(t.count(id));
  return sight;
}

/// What the sources said, in the form of the core; it refers to `samples`.
std::vector<MetricReading> readings(const std::vector<MeasuredMetric>& told, const Sight& sight, std::size_t metrics,
                                    std::vector<std::vector<MetricSample>>& samples) {
  std::vector<MetricReading> out(metrics);
  samples.resize(metrics);
  for (std::size_t i = 0; i < metrics; ++i) {
    if (i >= told.size()) {
      out[i].fault = MetricFault::unread;
      continue;
    }
    for (const SlotSample& sample : told[i].samples) {
      const auto at = std::ranges::find(sight.slots, sample.slot);
      const auto index =
          at == sight.slots.end() ? kUnknownInstance : static_cast<std::uint32_t>(at - sight.slots.begin());
      samples[i].push_back({index, sample.value, sample.at, sample.window});
    }
    out[i] = {told[i].fault, samples[i], told[i].totals};
  }
  return out;
}

/// Also what somebody has asked for although nothing failed, and while it waits for an approval.
bool is_repaired(Turn& t, ServiceId id) {
  const ServiceState& state = t.durable(id);
  return state.incident != 0 || state.operation || std::ranges::any_of(t.live(id).places, [&](const Place& place) {
           const auto action = t.s.durable.actions.find(place.action_id());
           return action != t.s.durable.actions.end() && action->second.intent.origin == Origin::ladder;
         });
}

ScalingControl control_of(Turn& t, ServiceId id) {
  const ServiceState& state = t.durable(id);
  ScalingControl control;
  control.paused = paused_until(t.s, id, t.now).has_value() || maintenance_gate(t, id);
  control.repairing = is_repaired(t, id) && !planted(Bug::repair_ignored);
  if (!state.scaling || planted(Bug::freeze_ignored)) return control;
  if (t.now < state.scaling->held_until)
    control.by_hand = state.scaling->held;
  else if (t.now < state.scaling->raised_until)
    control.at_least = state.scaling->raised;
  const Freeze frozen = t.now < state.scaling->frozen_until ? state.scaling->frozen : Freeze::none;
  control.freeze_up = frozen == Freeze::up || frozen == Freeze::both;
  control.freeze_down = frozen == Freeze::down || frozen == Freeze::both || rollout_active(t, id);
  return control;
}

/// Nothing: it may only be said.
std::optional<Mode> mode_of(Turn& t, ServiceId id, const ScalingDecision& decision, const ScalingControl& control) {
  if (!t.s.observe_only.empty() || t.s.stopping) return std::nullopt;
  if (control.by_hand) return Mode::act;  // what somebody has said by hand is done in every mode
  if (t.plan(id).mode == Mode::shadow || t.s.plan.shadow || !decision.act) return std::nullopt;
  // What a repair has raised, somebody has approved.
  const bool raised = decision.desired > decision.current && decision.desired <= control.at_least;
  return raised || planted(Bug::scaled_unasked) ? Mode::act : t.plan(id).mode;
}

/// The time in the zone of each schedule, as far as it has been told.
std::vector<LocalMinutes> local_now(const LiveScaling& live, Instant now) {
  std::vector<LocalMinutes> local = live.local;
  for (LocalMinutes& time : local)
    time += std::chrono::duration_cast<std::chrono::minutes>(now - live.local_at).count();
  return local;
}

// Of those that are needed: first what does not run, then what is not well, the newest first.
std::vector<Slot> dispensable(Turn& t, ServiceId id) {
  std::vector<std::tuple<bool, bool, Instant, Slot>> order;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !t.wanted(id, place.slot)) continue;
    const View view = view_of(t, id, place.slot);
    const InstanceState* known = t.instance(id, place.slot);
    order.emplace_back(!runs(t, id, place.slot), !(view.up() && view.confirmed),
                       known == nullptr ? kLongAgo : known->since, place.slot);
  }
  std::ranges::sort(order, std::greater<>());
  std::vector<Slot> slots;
  for (const auto& [gone, unwell, since, slot] : order) slots.push_back(slot);
  return slots;
}

std::vector<Slot> spare_with(Turn& t, ServiceId id, std::int32_t wanted) {
  const FlatSet<Slot>& now = t.durable(id).spare;
  std::vector<Slot> spare(now.begin(), now.end());
  if (planted(Bug::scaled_in_words)) return spare;
  const auto count = static_cast<std::int32_t>(t.count(id));
  if (wanted >= count) {
    const auto fewer = std::min<std::size_t>(spare.size(), static_cast<std::size_t>(wanted - count));
    spare.erase(spare.begin(), spare.begin() + static_cast<std::ptrdiff_t>(fewer));  // the first places are used first
    return spare;
  }
  const std::vector<Slot> order = dispensable(t, id);
  const auto more = std::min<std::size_t>(order.size(), static_cast<std::size_t>(count - wanted));
  spare.insert(spare.end(), order.begin(), order.begin() + static_cast<std::ptrdiff_t>(more));
  std::ranges::sort(spare);
  return spare;
}

// What the source itself said tells more than the name of the fault.
void add_reason(ScalingAdvice& advice, const std::string& why) {
  if (why.empty()) return;
  advice.why_not += (advice.why_not.empty() ? "" : ": ") + why;
}

void show(LiveScaling& live, const ScalingPolicy& policy, const ScalingDecision& decision,
          const std::vector<MeasuredMetric>& told) {
  live.sentence = explain(policy, decision);
  live.desired = decision.desired;
  live.min = decision.range.min;
  live.max = decision.range.max;
  live.advice.clear();
  for (const RuleAdvice& rule : recommend(policy, decision)) {
    live.advice.push_back({std::string(rule.id), rule.current, rule.desired, rule.min, rule.max,
                           rule.utilisation.value_or(-1), rule.why_not});
    add_reason(live.advice.back(), told[live.advice.size() - 1].why);
  }
}

void hand_over(Turn& t, ServiceId id, LiveScaling& live, const ScalingDecision& decision) {
  if (std::exchange(live.handed_over, decision.hand_over) || !decision.hand_over) return;
  escalate(t, id, t.durable(id).incident, default_notifier(t),
           t.plan(id).name + ": more instances do not help: " + live.sentence);
}

void remember(Turn& t, ServiceId id, ScalingHistory history) {
  ScalingSeen r{t.plan(id).name, {}, {}};
  if (auto change = DeltaWriter::write(t.durable(id).scaling->history, history))
    r.change = std::move(*change);
  else
    r.history = std::move(history);
  t.record(std::move(r));
}

/// What is to be done of a decision, and with which places: all of it, what has been approved, or nothing now.
std::optional<std::vector<Slot>> settle(Turn& t, ServiceId id, const ScalingControl& control,
                                        ScalingDecision& decision) {
  const auto mode = mode_of(t, id, decision, control);
  if (!decision.changes() || !mode) {
    // While a metric is not known, nobody knows whether it is still wanted.
    const bool unknown = mode && !decision.changes() && decision.fault != MetricFault::none;
    if (!unknown) drop_scaling(t, id, decision.changes() ? "nothing may be done now" : "it is not wanted any more");
    t.live(id).scaling->unanswered = false;
    return std::nullopt;
  }
  std::vector<Slot> spare = spare_with(t, id, decision.desired);
  if (*mode == Mode::act) return spare;
  const auto approved =
      ask_for_scaling(t, id, {decision.current, decision.desired, std::move(spare), t.live(id).scaling->sentence});
  if (!approved) return std::nullopt;
  decision.desired = approved->to;
  return approved->spare;
}

// While a new version takes over only more can be needed, and it is the rollout that brings them.
void raise_rollout(Turn& t, ServiceId id, const ScalingControl& control, const ScalingDecision& decision,
                   ScalingHistory history) {
  const auto known = static_cast<std::int32_t>(t.durable(id).rollout->needed);
  const rollout::Policy& policy = t.plan(id).rollout->policy;
  const auto possible = rollout::fit(policy, static_cast<std::uint32_t>(decision.desired), room_of(t, id)).needed;
  const bool more = decision.desired > decision.current && static_cast<std::int32_t>(possible) > known;
  if (!more || mode_of(t, id, decision, control) != Mode::act) return remember(t, id, std::move(history));
  note_scaled(t.plan(id).scaling->policy, history, decision, t.now);
  const FlatSet<Slot>& spare = t.durable(id).spare;
  t.record(Scaled{t.plan(id).name,
                  decision.current,
                  decision.desired,
                  {spare.begin(), spare.end()},
                  static_cast<std::int32_t>(t.plan(id).instances),
                  std::string(to_string(decision.rule)),
                  t.live(id).scaling->sentence,
                  std::move(history)});
  raise_need(t, id, possible);
}

void decide_now(Turn& t, ServiceId id, std::vector<MeasuredMetric> told) {
  const ScalingPolicy& policy = t.plan(id).scaling->policy;
  LiveScaling& live = *t.live(id).scaling;
  live.measuring = false;
  judge_sources(t, id, told);
  if (!t.s.recovered) return;
  if (t.durable(id).stopped) return drop_scaling(t, id, "it was stopped by hand");
  const std::vector<LocalMinutes> local = local_now(live, t.now);
  // Without the hour nobody knows the bounds.
  if (local.size() != policy.schedules.size()) {
    live.sentence = "waits to be told what time it is in the zones of its schedules";
    return;
  }
  const Sight sight = look(t, id);
  std::vector<std::vector<MetricSample>> samples;
  const auto read = readings(told, sight, policy.metrics.size(), samples);
  ScalingInput input;
  input.readings = read;
  input.instances = sight.instances;
  input.counts = sight.counts;
  input.control = control_of(t, id);
  input.local = local;
  ScalingHistory history = t.durable(id).scaling->history;
  ScalingDecision decision;
  decide(policy, history, input, t.now, decision);
  show(live, policy, decision, told);
  hand_over(t, id, live, decision);
  if (rollout_active(t, id)) return raise_rollout(t, id, input.control, decision, std::move(history));
  auto spare = settle(t, id, input.control, decision);
  if (!spare) return remember(t, id, std::move(history));
  note_scaled(policy, history, decision, t.now);
  const std::string rule(to_string(decision.rule));
  t.record(Scaled{t.plan(id).name, decision.current, decision.desired, std::move(*spare),
                  static_cast<std::int32_t>(t.plan(id).instances), rule, live.sentence, std::move(history)});
  t.mark(id);
}

// Which places are needed under another plan: those known to be, those that run, and at least as many as must be.
void fit_count(Turn& t, ServiceId id) {
  const ServicePlan& plan = t.plan(id);
  const ServiceState& state = t.durable(id);
  if (!plan.scaling && !state.scaling) return;
  const std::int32_t known = state.scaling ? state.scaling->places : 0;
  const auto places = plan.scaling ? static_cast<std::int32_t>(plan.instances) : 0;
  if (known == places) return;
  std::vector<Slot> spare;
  for (Slot slot = 0; slot < places; ++slot) {
    const bool is_new = slot >= known && slot >= plan.scaling->policy.range.min && !runs(t, id, slot);
    if (is_new || state.spare.contains(slot)) spare.push_back(slot);
  }
  const auto from = known == 0 ? 0 : static_cast<std::int32_t>(t.count(id));
  const auto to = static_cast<std::int32_t>(plan.instances - spare.size());
  t.record(Scaled{plan.name, from, to, std::move(spare), places, "configuration", "the configuration has changed",
                  state.scaling ? state.scaling->history : ScalingHistory{}});
}

}  // namespace

void fit_counts(Turn& t) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    fit_count(t, id);
    if (t.plan(id).scaling) t.live(id).scaling.emplace();
  }
}

void progress_scaling(Turn& t, ServiceId id) {
  if (!t.plan(id).scaling || !t.s.recovered) return;
  expire_scaling(t, id);
  LiveScaling& live = *t.live(id).scaling;
  if (live.measuring) {
    const Instant ends = later(live.began, kMeasureWithin);
    if (t.now < ends) return t.wake_at(ends);
    decide_now(t, id, {});
    return t.wake_at(live.next_at);
  }
  if (live.next_at == kLongAgo) live.next_at = t.now;
  if (t.now < live.next_at) return t.wake_at(live.next_at);
  const Duration every = t.plan(id).scaling->every;
  live.next_at = next_on_grid(Instant(phase_of(hash_name(t.plan(id).name), t.s.plan.seed, every)), every, t.now);
  live.measuring = true;
  live.began = t.now;
  t.command(Measure{id, ++live.round, hold_sources(t, id)});
  t.wake_at(later(live.began, kMeasureWithin));
}

void measured(Turn& t, const Measured& in) {
  if (in.service >= t.s.services.size() || !t.plan(in.service).scaling) return;
  LiveScaling& live = *t.live(in.service).scaling;
  if (!live.measuring || in.round != live.round) return;
  live.local = in.local;
  live.local_at = t.now;
  decide_now(t, in.service, in.metrics);
  t.mark(in.service);
}

void scale_by_hand(Turn& t, ServiceId id, const Operator& in) {
  if (!t.plan(id).scaling) return;
  const Instant until = in.count < 0 ? t.now : in.length == Duration{} ? kNever : later(t.now, in.length);
  t.record(ScaleHeld{t.plan(id).name, in.count, until, in.by});
  t.live(id).scaling->next_at = kLongAgo;
  t.mark(id);
}

void freeze_scaling(Turn& t, ServiceId id, const Operator& in) {
  if (!t.plan(id).scaling) return;
  const bool over = in.direction == Freeze::none;
  const Instant until = over ? t.now : in.length == Duration{} ? kNever : later(t.now, in.length);
  t.record(ScalingFrozen{t.plan(id).name, in.direction, until, in.by});
  t.live(id).scaling->next_at = kLongAgo;
  t.mark(id);
}

}  // namespace homeostat::engine
