#include "engine/reload.hpp"

#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/breakers.hpp"
#include "engine/doubt.hpp"
#include "engine/evaluate.hpp"
#include "engine/instances.hpp"
#include "engine/ladder.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"
#include "engine/operations.hpp"
#include "engine/rollout.hpp"
#include "engine/scaling.hpp"
#include "engine/sources.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

/// What is volatile, by names instead of indices.
struct Kept {
  std::map<std::tuple<std::string, std::string, Slot>, std::pair<Target, std::uint64_t>> targets;  // with identity
  std::map<std::pair<std::string, Slot>, Place> places;
  std::map<std::string, LiveService> services;  // without their places
};

Kept keep(const State& s) {
  Kept kept;
  for (const Target& target : s.targets) {
    if (target.check == kNone) continue;
    const ServicePlan& plan = s.plan.services[target.service];
    const CheckPlan& check = plan.checks[target.check];
    kept.targets[{plan.name, check.name, target.slot}] = {target, check.identity};
  }
  for (ServiceId id = 0; id < s.services.size(); ++id) {
    const std::string& name = s.plan.services[id].name;
    for (const Place& place : s.services[id].places) kept.places[{name, place.slot}] = place;
    const LiveService& live = s.services[id];
    LiveService& one = kept.services[name];
    one.status = live.status;
    one.skipped = live.skipped;
    one.waits_since = live.waits_since;
    one.judge_at = live.judge_at;
    one.stable_from = live.stable_from;
    one.goes_unseen = live.goes_unseen;
  }
  return kept;
}

// A removed service is not stopped: it is not ours any more.
void release_service(Turn& t, ServiceId id) {
  const std::string why = "the service was removed from the configuration";
  for (Place& place : t.live(id).places) {
    if (planted(Bug::removed_stays_open)) continue;
    withdraw(t, id, place, why);
    const auto action = t.s.durable.actions.find(place.action_id());
    if (action == t.s.durable.actions.end()) continue;
    const bool judged = action->second.succeeded_at.has_value();
    const Intent intent = action->second.intent;
    if (judged)
      t.record(Verified{intent.id, intent.service, intent.slot, false, why});
    else
      t.record(Outcome{intent.id, intent.service, intent.slot, OutcomeKind::unknown, why});
  }
  stop_operation(t, id, why);
  close_incident(t, id, Ending::withdrawn);
  for (const Place& place : t.live(id).places) {
    const InstanceState* instance = place.slot < 0 ? nullptr : t.instance(id, place.slot);
    if (instance == nullptr) continue;
    if (instance->state == RunState::running) t.command(Release{id, place.slot, instance->incarnation});
    set_instance(t, id, place.slot, RunState::released, {}, instance->version, 0, "removed from the configuration");
  }
}

void release_removed(Turn& t, const Plan& next) {
  for (ServiceId id = 0; id < t.s.plan.services.size(); ++id) {
    const std::string& name = t.plan(id).name;
    const bool stays = std::any_of(next.services.begin(), next.services.end(),
                                   [&](const ServicePlan& plan) { return plan.name == name; });
    if (!stays) release_service(t, id);
  }
}

Mode mode_in(const Plan& plan, const ServicePlan& service) { return plan.shadow ? Mode::shadow : service.mode; }

// Where a command stands in a list says nothing of what it is.
bool same_rungs(const std::vector<RungPlan>& left, const std::vector<RungPlan>& right) {
  return std::ranges::equal(left, right, [](RungPlan one, RungPlan other) {
    one.reference = other.reference = kNone;
    return one == other;
  });
}

// Why what has been decided may not be what the next configuration wants; nothing: it is.
std::optional<std::string> overtaken(const Plan& former, const ServicePlan& was, const Plan& next,
                                     const ServicePlan& is, const Intent& intent) {
  if (intent.slot >= static_cast<Slot>(is.instances)) return "there is no such instance any more";
  const Mode mode = mode_in(next, is);
  if (mode != mode_in(former, was)) return "its mode is " + std::string(name_of(mode)) + " now";
  if (!same_rungs(rungs_of(was, intent.issue), rungs_of(is, intent.issue))) return "its ladder is another one now";
  const bool same_run = was.runtime.identity == is.runtime.identity && was.runtime.commands == is.runtime.commands;
  return same_run ? std::nullopt : std::optional<std::string>("what is run is another now");
}

// What waits, for somebody who may approve it too, was decided by rules that are gone: it is decided anew.
void take_back_overtaken(Turn& t, const Plan& next) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    const auto is = std::ranges::find(next.services, t.plan(id).name, &ServicePlan::name);
    if (is == next.services.end()) continue;
    for (Place& place : t.live(id).places) {
      const Intent* intent = undone(t, place);
      if (intent == nullptr || !repairs(intent->origin, intent->by)) continue;
      if (const auto why = overtaken(t.s.plan, t.plan(id), next, *is, *intent)) take_back(t, id, place, *why);
    }
  }
}

void restore_target(Turn& t, TargetId id, const Kept& kept) {
  Target& target = t.s.targets[id];
  if (target.check == kNone) return;
  const ServicePlan& plan = t.plan(target.service);
  const CheckPlan& check = plan.checks[target.check];
  const auto old = kept.targets.find({plan.name, check.name, target.slot});
  if (old == kept.targets.end() || old->second.second != check.identity) return;
  target.health = old->second.first.health;
  target.fast_anchor = old->second.first.fast_anchor;
  target.scheduled = old->second.first.scheduled;
}

void restore_place(Turn& t, ServiceId id, Place& place, const Kept& kept) {
  const auto old = kept.places.find({t.plan(id).name, place.slot});
  if (old != kept.places.end()) {
    const TargetRange targets = place.targets;
    place = old->second;
    place.targets = targets;
    const auto& judge_at = kept.services.at(t.plan(id).name).judge_at;
    if (judge_at.contains(place.slot)) t.live(id).judge_at[place.slot] = judge_at.at(place.slot);
  }
  if (!t.plan(id).runtime.managed || place.slot < 0) return begin_looking(t, place);
  const InstanceState* instance = t.instance(id, place.slot);
  if (instance != nullptr && instance->state == RunState::running) begin_looking(t, place);
}

template <class Use>
void for_each_known(Turn& t, const Plan& former, Use use) {
  std::map<std::string_view, const ServicePlan*> before;
  for (const ServicePlan& plan : former.services) before[plan.name] = &plan;
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    const auto known = before.find(t.plan(id).name);
    if (known != before.end()) use(id, *known->second);
  }
}

// What would be started now is another: that may well be why it fails from here on.
void note_change(Turn& t, ServiceId id, const ServicePlan& was) {
  const ServicePlan& plan = t.plan(id);
  const bool another_release = t.durable(id).version.empty() && was.release != plan.release;
  if (was.runtime.identity == plan.runtime.identity && !another_release) return;
  t.record(ChangeNoted{plan.name, "configuration " + std::to_string(t.s.plan.generation), "reload"});
}

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> names;
  for (const ServicePlan& service : plan.services) names.push_back(service.name);
  return names;
}

}  // namespace

void reload_plan(Turn& t, Plan plan) {
  release_removed(t, plan);
  take_back_overtaken(t, plan);
  put_rollouts_away(t);
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    give_up_sources(t, id);
    give_up_traffic(t, id);
  }
  const Kept kept = keep(t.s);
  const Plan former = std::exchange(t.s.plan, std::move(plan));
  t.s.dirty.clear();
  t.record(ConfigLoaded{t.s.plan.generation, names(t.s.plan)});
  restart_doubt(t);
  t.s.runtime_holds.clear();  // those who hold say so again
  build_targets(t.s);
  for_each_known(t, former, [&](ServiceId id, const ServicePlan& was) { note_change(t, id, was); });
  configure_breakers(t);
  fit_counts(t);
  fit_rollouts(t);
  take_rollouts_up(t);
  forget_clocks(t);
  for (TargetId id = 0; id < t.s.targets.size(); ++id) restore_target(t, id, kept);
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    const auto old = kept.services.find(t.plan(id).name);
    if (old != kept.services.end()) {
      t.live(id).status = old->second.status;
      t.live(id).skipped = old->second.skipped;
      t.live(id).waits_since = old->second.waits_since;
      t.live(id).stable_from = old->second.stable_from;
      t.live(id).goes_unseen = old->second.goes_unseen;
    }
    for (Place& place : t.live(id).places) restore_place(t, id, place, kept);
    t.mark(id);
  }
  for_each_known(t, former, [&](ServiceId id, const ServicePlan& was) { leave_rungs(t, id, was); });
  find_suspects(t.s);
}

}  // namespace homeostat::engine
