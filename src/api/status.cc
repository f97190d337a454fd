#include "api/status.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/ejection.hpp"
#include "api/maintenance.hpp"
#include "api/people.hpp"
#include "api/rollout.hpp"
#include "core/text.hpp"
#include "engine/actions.hpp"
#include "engine/gates.hpp"
#include "engine/ladder.hpp"

namespace homeostat::api {
namespace {

const engine::ServiceState kNothing;

const engine::ServiceState& durable_of(const View& view, const std::string& service) {
  const auto found = view.durable.services.find(service);
  return found == view.durable.services.end() ? kNothing : found->second;
}

json::value slot_json(std::int32_t slot) { return slot < 0 ? json::value(nullptr) : json::value(slot); }

json::object check_json(const View& view, const engine::ServicePlan& plan, engine::TargetId id) {
  const engine::Target& target = view.engine->state().targets[id];
  const engine::CheckPlan& check = plan.checks[target.check];
  const Health& health = target.health;
  const bool failing = health.failures() > 0;
  const std::uint32_t count = failing ? health.failures() : health.successes();
  const std::uint32_t needed = failing ? check.policy.failure_threshold : health.needed(check.policy);
  // That nobody could look, and why, is shown as well.
  const bool seen = health.last_seen() != kLongAgo || health.last().reason != Reason::none;
  const std::string_view words = view.words(id);
  return {{"check", check.name},
          {"slot", slot_json(target.slot)},
          {"role", json::string(to_string(check.role))},
          {"active", target.active},
          {"status", json::string(to_string(health.status()))},
          {"flapping", health.flapping()},
          {"starting", health.starting()},
          {"failures", health.failures()},
          {"successes", health.successes()},
          {"streak", fmt::format("{}/{} {}", count, needed, failing ? "failed" : "ok")},
          {"first_failure", failing ? time_json(view.clock, health.first_failure()) : nullptr},
          {"last", seen ? json::value(printable(engine::explain(health.last()))) : json::value(nullptr)},
          {"last_words", words.empty() ? json::value(nullptr) : json::value(printable(words))},
          {"last_result", seen ? json::value(json::string(to_string(health.last().result))) : json::value(nullptr)},
          {"last_seen", time_json(view.clock, health.last_seen())},
          {"latency_ms", seen ? span_json(health.last().latency) : json::value(nullptr)}};
}

json::array checks_json(const View& view, engine::ServiceId id) {
  json::array checks;
  for (const engine::Place& place : view.live_service(id).places) {
    for (const engine::TargetId target : place.targets) {
      const bool check = view.engine->state().targets[target].check != engine::kNone;
      if (check) checks.push_back(check_json(view, view.plan(id), target));
    }
  }
  return checks;
}

bool outdated(const View& view, std::optional<engine::ServiceId> id, const engine::InstanceState& instance) {
  return id && instance.state == engine::RunState::running && instance.identity != 0 &&
         instance.identity != view.plan(*id).runtime.identity;
}

json::object instance_json(const View& view, const std::string& name, std::int32_t slot,
                           const engine::InstanceState& instance) {
  const auto id = view.find(name);
  const bool running = instance.state == engine::RunState::running;
  const engine::ServiceState& service = durable_of(view, name);
  const std::string_view status = id ? to_string(view.engine->instance_status(*id, slot)) : "unknown";
  return {{"name", place_name(name, slot)},
          {"slot", slot},
          {"state", json::string(name_of(instance.state))},
          {"wanted", service.wants_running(slot) ? "running" : "stopped"},
          {"drained", service.drained.contains(slot)},
          {"status", json::string(status)},
          {"pid",
           running && instance.incarnation.pid() != 0 ? json::value(instance.incarnation.pid()) : json::value(nullptr)},
          {"port", instance.port != 0 ? json::value(instance.port) : json::value(nullptr)},
          {"version", instance.version.empty() ? json::value(nullptr) : json::value(instance.version.str())},
          {"since", time_json(view.clock, instance.since)},
          {"up_ms", running && instance.since != kLongAgo ? span_json(view.clock.now - instance.since) : nullptr},
          {"outdated", outdated(view, id, instance)},
          {"detail", printable(service.detail_of(slot))}};
}

json::array instances_json(const View& view, const std::string& name) {
  json::array instances;
  const engine::ServiceState& service = durable_of(view, name);
  const auto id = view.find(name);
  const auto planned = id ? static_cast<std::int32_t>(view.plan(*id).instances) : 0;
  for (std::int32_t slot = 0; slot < planned; ++slot) {
    const auto found = service.instances.find(slot);
    static const engine::InstanceState kAbsent;
    const bool runs = found != service.instances.end() && found->second.state == engine::RunState::running;
    if (service.spare.contains(slot) && !runs) continue;  // the autoscaler does not need it
    instances.push_back(instance_json(view, name, slot, found == service.instances.end() ? kAbsent : found->second));
  }
  for (const auto& [slot, instance] : service.instances) {
    if (slot >= planned) instances.push_back(instance_json(view, name, slot, instance));
  }
  return instances;
}

std::optional<Instant> pause_end(const View& view, const std::string& service) {
  std::optional<Instant> until;
  for (const engine::PauseState* pause : engine::pauses_of(view.durable, service, view.clock.now)) {
    until = std::max(until.value_or(kLongAgo), pause->until);
  }
  return until;
}

bool any_flapping(const View& view, engine::ServiceId id) {
  return std::ranges::any_of(view.live_service(id).places, [&](const engine::Place& place) {
    return std::ranges::any_of(
        place.targets, [&](engine::TargetId target) { return view.engine->state().targets[target].health.flapping(); });
  });
}

json::value operation_json(const engine::ServiceState& service) {
  if (!service.operation) return nullptr;
  const engine::OperationMoved& operation = *service.operation;
  return json::object{{"id", show_id(operation.id)},
                      {"kind", json::string(name_of(operation.kind))},
                      {"version", operation.version.empty() ? json::value(nullptr) : json::value(operation.version)},
                      {"pending", json::value_from(operation.pending)},
                      {"done", json::value_from(operation.done)},
                      {"detail", printable(operation.detail)},
                      {"by", printable(operation.by)}};
}

bool is_suppressed(const engine::ServiceState& service) {
  return std::ranges::any_of(service.holds, [](const auto& hold) { return hold.second.gate == "dependency"; });
}

// The root that explains its failure, where one was found.
json::value suppressed_by(const View& view, const std::string& name) {
  const engine::ServiceState& service = durable_of(view, name);
  const engine::Diagnosed* found = is_suppressed(service) ? view.durable.diagnosed(service) : nullptr;
  return found == nullptr || found->root == name ? json::value(nullptr) : json::value(found->root);
}

json::value incident_json(const View& view, const std::string& name) {
  const engine::ServiceState& service = durable_of(view, name);
  const auto found = view.durable.incidents.find(service.incident);
  if (service.incident == 0 || found == view.durable.incidents.end()) return nullptr;
  const engine::IncidentState& incident = found->second;
  json::array failing;
  for (const auto& [slot, state] : incident.failing) failing.push_back(repair_json(view, name, slot, state));
  return json::object{{"id", incident.id},
                      {"first_failure", time_json(view.clock, incident.first_failure)},
                      {"verdict", time_json(view.clock, incident.verdict_at)},
                      {"reason", printable(incident.reason)},
                      {"reopened", incident.reopened},
                      {"actions", incident.actions},
                      {"failing", std::move(failing)}};
}

json::array locks_json(const engine::ServiceState& service) {
  json::array locks;
  for (const auto& [slot, reason] : service.locks) {
    locks.push_back(json::object{{"slot", slot_json(slot)}, {"reason", printable(reason)}});
  }
  return locks;
}

json::value asked_json(const View& view, const engine::ScalingAsked* asked) {
  if (asked == nullptr) return nullptr;
  return json::object{{"id", show_id(asked->id)},
                      {"from", asked->from},
                      {"to", asked->to},
                      {"until", time_json(view.clock, asked->until)}};
}

json::value scaling_json(const View& view, const std::string& name) {
  const auto id = view.find(name);
  const engine::ServiceState& service = durable_of(view, name);
  if (!id || !view.plan(*id).scaling || !service.scaling) return nullptr;
  const auto& live = view.live_service(*id).scaling;
  const bool decided = live && live->max > 0;
  const CountRange planned = view.plan(*id).scaling->policy.range;
  const CountRange range = decided ? CountRange{live->min, live->max} : planned;
  const auto places = static_cast<std::size_t>(view.plan(*id).instances);
  json::object out{{"min", range.min}, {"max", range.max}, {"count", places - service.spare.size()}};
  const bool held = service.scaling->held_until > view.clock.now;
  out["held"] = held ? json::value(service.scaling->held) : json::value(nullptr);
  out["held_until"] = held && service.scaling->held_until != kNever ? time_json(view.clock, service.scaling->held_until)
                                                                    : json::value(nullptr);
  const bool frozen = service.scaling->frozen_until > view.clock.now;
  out["frozen"] = frozen ? json::value(json::string(name_of(service.scaling->frozen))) : json::value(nullptr);
  out["frozen_until"] = frozen && service.scaling->frozen_until != kNever
                            ? time_json(view.clock, service.scaling->frozen_until)
                            : json::value(nullptr);
  const bool raised = service.scaling->raised_until > view.clock.now;
  out["raised"] = raised ? json::value(service.scaling->raised) : json::value(nullptr);
  out["raised_until"] = raised ? time_json(view.clock, service.scaling->raised_until) : json::value(nullptr);
  out["asked"] = asked_json(view, service.asked_scaling());
  out["why"] = live ? json::value(printable(live->sentence)) : json::value(nullptr);
  json::array rules;
  if (live) {
    for (const engine::ScalingAdvice& rule : live->advice) {
      rules.push_back(json::object{
          {"id", rule.id},
          {"current", rule.current},
          {"desired", rule.desired},
          {"min", rule.min},
          {"max", rule.max},
          {"utilisation_thousandths", rule.utilisation < 0 ? json::value(nullptr) : json::value(rule.utilisation)},
          {"why_not", printable(rule.why_not)}});
    }
  }
  out["rules"] = std::move(rules);
  return out;
}

json::object service_json(const View& view, const std::string& name) {
  const engine::ServiceState& service = durable_of(view, name);
  const auto id = view.find(name);
  const auto until = pause_end(view, name);
  const std::string status(id ? to_string(view.live_service(*id).status) : std::string_view(service.status));
  const Text version = !service.version.empty() || !id ? service.version : view.plan(*id).release;
  return {{"name", name},
          {"status", status},
          {"since", time_json(view.clock, service.status_since)},
          {"mode", id ? json::value(json::string(name_of(view.plan(*id).mode))) : json::value(nullptr)},
          {"managed", id ? json::value(view.plan(*id).runtime.managed) : json::value(nullptr)},
          {"flags", json::value_from(flags_of(view, name))},
          {"suppressed_by", suppressed_by(view, name)},
          {"paused_until", until && *until != kNever ? time_json(view.clock, *until) : json::value(nullptr)},
          {"paused_forever", until == kNever},
          {"maintenance", maintenance_json(view, name)},
          {"version", version.empty() ? json::value(nullptr) : json::value(version.str())},
          {"stable", json::value_from(service.stable.all())},
          {"quarantined", json::value_from(service.quarantined)},
          {"instances", instances_json(view, name)},
          {"checks", id ? json::value(checks_json(view, *id)) : json::value(nullptr)},
          {"incident", incident_json(view, name)},
          {"operation", operation_json(service)},
          {"scaling", scaling_json(view, name)},
          {"staged", id && view.plan(*id).rollout != nullptr},
          {"rollout", rollout_json(view, name)},
          {"ejections", ejections_json(view, name)},
          {"runtime_holds", runtime_holds_json(view, name)},
          {"locks", locks_json(service)}};
}

json::object engine_json(const View& view) {
  json::array pauses;
  for (const auto& [name, pause] : view.durable.pauses) {
    if (pause.until <= view.clock.now) continue;
    pauses.push_back(json::object{{"service", name.empty() ? json::value(nullptr) : json::value(name)},
                                  {"since", time_json(view.clock, pause.since)},
                                  {"until", time_json(view.clock, pause.until)},
                                  {"forever", pause.until == kNever},
                                  {"by", pause.by.empty() ? json::value(nullptr) : json::value(printable(pause.by))}});
  }
  json::object engine{{"epoch", view.durable.epoch},
                      {"generation", view.durable.generation},
                      {"pauses", pauses},
                      {"maintenance", maintenances_json(view)},
                      {"planned_maintenance", planned_json(view)}};
  if (view.engine == nullptr) return engine;
  const engine::State& state = view.engine->state();
  const bool sure = state.observe_only.empty();
  engine["journal"] = sure ? "writable" : "observe only";
  engine["observe_only"] = sure ? json::value(nullptr) : json::value(printable(state.observe_only));
  engine["tilt_since"] = state.tilt_since ? time_json(view.clock, *state.tilt_since) : json::value(nullptr);
  engine["doubt"] = state.doubt.doubtful ? json::value(printable(state.doubt.reason)) : json::value(nullptr);
  engine["shadow"] = state.plan.shadow;
  engine["recovered"] = state.recovered;
  engine["stopping"] = state.stopping;
  return engine;
}

/// What a breaker has counted; after a restart the journal still knows the failures that opened it.
json::object breaker_json(const View& view, const std::string& name, const BreakerStatus& status) {
  const auto open = view.durable.breakers.find(name);
  const bool is_open = open != view.durable.breakers.end();
  return {{"name", name},
          {"state", to_string(status.state)},
          {"failures_in_a_row", is_open ? open->second.failures : status.consecutive_failures},
          {"failure_count", status.failure_count},
          {"success_count", status.success_count},
          {"failure_rate", status.failure_rate ? json::value(*status.failure_rate) : json::value(nullptr)},
          {"in_flight", status.in_flight},
          {"not_permitted", status.not_permitted},
          {"times_open", status.times_open},
          {"last_failure_time", time_json(view.clock, status.last_failure_time)},
          {"opened_at", is_open ? time_json(view.clock, status.opened_at) : json::value(nullptr)},
          {"probe_at", is_open ? time_json(view.clock, open->second.probe_at) : json::value(nullptr)}};
}

/// Those that have been called since the start; from the journal alone, those that are not closed. The commands and
/// the metrics of other services are left out.
json::array breakers_json(const View& view, const std::string& only_service) {
  const auto asked = [&](const std::string& name) {
    const std::string kind = name.substr(0, name.find(':'));
    if (only_service.empty() || kind == "notify") return true;
    const std::string whose = name.substr(kind.size() + 1);
    return whose == only_service || whose.starts_with(only_service + "/");
  };
  json::array list;
  if (view.engine != nullptr) {
    for (const auto& [name, breaker] : view.engine->state().breakers) {
      if (!asked(name)) continue;
      list.push_back(breaker_json(view, name, breaker.machine.status(view.clock.now)));
    }
    return list;
  }
  for (const auto& [name, open] : view.durable.breakers) {
    if (!asked(name)) continue;
    BreakerStatus status;
    status.state = open.probe_at <= view.clock.now ? BreakerState::probe_due : BreakerState::open;
    status.times_open = open.times_open;
    status.opened_at = open.opened_at;
    list.push_back(breaker_json(view, name, status));
  }
  return list;
}

}  // namespace

std::vector<std::string_view> flags_of(const View& view, const std::string& name) {
  const engine::ServiceState& service = durable_of(view, name);
  const auto id = view.find(name);
  std::vector<std::string_view> flags;
  if (pause_end(view, name)) flags.push_back("paused");
  if (!maintenance_json(view, name).is_null()) flags.push_back("maintenance");
  if (service.stopped || !service.stopped_slots.empty()) flags.push_back("stopped");
  if (id && any_flapping(view, *id)) flags.push_back("flapping");
  const bool old = std::ranges::any_of(service.instances, [&](const auto& i) { return outdated(view, id, i.second); });
  if (old) flags.push_back("outdated");
  if (!service.quarantined.empty()) flags.push_back("quarantined");
  if (!ejections_json(view, name).empty()) flags.push_back("ejecting");
  if (is_suppressed(service)) flags.push_back("suppressed");
  if (!service.locks.empty()) flags.push_back("locked");
  if (id && (view.plan(*id).mode == engine::Mode::shadow || view.engine->plan().shadow)) flags.push_back("shadow");
  return flags;
}

std::string rung_name(const engine::RungPlan& rung) {
  std::string name(name_of(rung.strategy));
  if (!rung.version.empty()) return name + " to " + rung.version;
  return rung.name.empty() ? name : name + " " + rung.name;
}

json::value hold_json(const View& view, const engine::ServiceState& service, std::int32_t slot) {
  const auto hold = service.holds.find(slot);
  if (hold == service.holds.end()) return nullptr;
  return json::object{{"gate", hold->second.gate},
                      {"detail", printable(hold->second.detail)},
                      {"since", time_json(view.clock, hold->second.since)}};
}

bool called_already(const View& view, engine::ServiceId id, std::uint64_t incident, const engine::RungPlan& rung) {
  if (rung.strategy != engine::StrategyKind::escalate || incident == 0) return false;
  const bool shadow = view.engine->plan().shadow || view.plan(id).mode == engine::Mode::shadow;
  return std::ranges::any_of(view.durable.escalations, [&](const auto& item) {
    const engine::Escalated& one = item.second.what;
    return one.incident == incident && one.notifier == (shadow ? std::string() : rung.name);
  });
}

std::string_view phase_of(const engine::ActionState& action) {
  if (action.succeeded_at) return "verifying";
  return action.intent.mode == engine::Mode::approve && !action.approved ? "waits for an approval" : "acting";
}

json::object repair_json(const View& view, const std::string& service, std::int32_t slot,
                         const engine::FailingState& failing) {
  const engine::ServiceState& durable = durable_of(view, service);
  json::object repair{
      {"slot", slot_json(slot)},
      {"place", place_name(service, slot)},
      {"check", failing.check.empty() ? json::value(nullptr) : json::value(failing.check)},
      {"first_failure", time_json(view.clock, failing.first_failure)},
      {"verdict", time_json(view.clock, failing.verdict_at)},
      {"first_success", failing.first_success ? time_json(view.clock, *failing.first_success) : nullptr},
      {"hold", hold_json(view, durable, slot)}};
  const auto ladder = durable.ladders.find(slot);
  const auto id = view.find(service);
  if (ladder != durable.ladders.end()) {
    const LadderState& state = ladder->second;
    repair["rung"] = state.rung + 1;
    repair["attempts"] = state.attempts;
    repair["tries"] = state.tries;
    const bool cools = state.began == kNever;
    repair["next_try"] = time_json(view.clock, cools ? std::max(state.not_before, state.cool_until) : state.not_before);
    const std::string issue = durable.walk_of(slot).issue;
    repair["issue"] = issue.empty() ? json::value(nullptr) : json::value(issue);
    static const std::vector<engine::RungPlan> kNoRungs;
    const auto& rungs = id ? engine::rungs_of(view.plan(*id), issue) : kNoRungs;
    if (state.rung < rungs.size()) {
      repair["strategy"] = rung_name(rungs[state.rung]);
      repair["attempts_allowed"] = rungs[state.rung].attempts;
      repair["called"] = called_already(view, *id, durable.incident, rungs[state.rung]);
    } else if (id) {
      repair["strategy"] = nullptr;
      repair["spent"] = true;
    }
  }
  json::value action = nullptr;
  for (const auto& [command, state] : view.durable.actions) {
    if (state.intent.service != service || state.intent.slot != slot) continue;
    action = json::object{{"id", show_id(command)},
                          {"strategy", state.intent.strategy},
                          {"attempt", state.intent.attempt},
                          {"at", time_json(view.clock, state.at)},
                          {"phase", phase_of(state)}};
  }
  repair["action"] = std::move(action);
  return repair;
}

std::vector<std::string> service_names(const View& view) {
  std::vector<std::string> names;
  if (view.engine != nullptr) {
    for (const engine::ServicePlan& plan : view.engine->plan().services) names.push_back(plan.name);
    return names;
  }
  for (const auto& [name, service] : view.durable.services) names.push_back(name);
  return names;
}

json::object status_view(const View& view, const std::string& only_service) {
  json::array services;
  for (const std::string& name : service_names(view)) {
    if (only_service.empty() || name == only_service) services.push_back(service_json(view, name));
  }
  return {{"source", view.engine == nullptr ? "journal" : "daemon"},
          {"at", time_json(view.clock.wall_ns)},
          {"seq", view.durable.seq},
          {"engine", engine_json(view)},
          {"services", std::move(services)},
          {"escalations", escalations_json(view, only_service)},
          {"approvals", approvals_json(view, only_service)},
          {"breakers", breakers_json(view, only_service)},
          {"alerts", alerts_json(view)}};
}

}  // namespace homeostat::api
