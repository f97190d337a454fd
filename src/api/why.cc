#include "api/why.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "api/status.hpp"
#include "engine/diagnose.hpp"
#include "engine/gates.hpp"
#include "engine/ladder.hpp"
#include "engine/maintenance.hpp"

namespace homeostat::api {
namespace {

json::object budget_json(const View& view, const engine::BudgetUse& use) {
  const bool used = use.used > 0;
  return {{"used", use.used},
          {"limit", use.limit},
          {"per_ms", span_json(use.per)},
          {"frees_at", used ? time_json(view.clock, use.frees_at) : json::value(nullptr)}};
}

/// From the narrowest to the widest: of instances those that have used any of theirs.
json::object budgets_json(const View& view, engine::ServiceId id) {
  const engine::State& state = view.engine->state();
  const Instant now = view.clock.now;
  json::object instances;
  for (const engine::Place& place : view.live_service(id).places) {
    const auto use = engine::instance_budget(state, id, place.slot, now);
    if (use && use->used > 0) instances[place_name(view.plan(id).name, place.slot)] = budget_json(view, *use);
  }
  const auto group = engine::group_budget(state, id, now);
  json::value of_group = nullptr;
  if (group) {
    of_group = budget_json(view, *group);
    of_group.as_object()["name"] = state.plan.groups[view.plan(id).group].name;
  }
  return {{"instances", std::move(instances)},
          {"service", budget_json(view, engine::service_budget(state, id, now))},
          {"group", std::move(of_group)},
          {"fleet", budget_json(view, engine::fleet_budget(state, now))}};
}

std::string skipped_of(const View& view, engine::ServiceId id, engine::Slot slot) {
  const auto& skipped = view.live_service(id).skipped;
  const auto found = skipped.find(slot);
  return found == skipped.end() ? std::string() : found->second;
}

std::string condition_words(const engine::Condition& when) {
  std::vector<std::string> all;
  if (when.changed_within > Duration{}) all.push_back("it changed within " + in_words(when.changed_within));
  if (when.ejected) all.emplace_back("the proxy sees it fail too many requests");
  if (when.failing_above) all.push_back(fmt::format("more than {} % of the instances fail", *when.failing_above));
  if (when.out_of_memory)
    all.emplace_back("it was killed for its memory");
  else if (when.killed_by != 0)
    all.push_back(fmt::format("it was killed by signal {}", when.killed_by));
  return all.empty() ? std::string() : fmt::format("only when {}", fmt::join(all, " and "));
}

/// Every rung with where it stands: used up, next, or later.
json::array ladder_json(const std::vector<engine::RungPlan>& ladder, const std::string& skipped,
                        const LadderState& state) {
  json::array rungs;
  for (std::size_t i = 0; i < ladder.size(); ++i) {
    const engine::RungPlan& rung = ladder[i];
    const bool current = i == state.rung;
    json::object object{{"rung", i + 1},
                        {"strategy", rung_name(rung)},
                        {"attempts", rung.attempts},
                        {"used", current ? json::value(state.attempts) : json::value(nullptr)},
                        {"state", i < state.rung ? "left behind"
                                  : current      ? "next"
                                                 : "later"}};
    if (const std::string condition = condition_words(rung.when); !condition.empty()) object["condition"] = condition;
    const std::string key = std::to_string(i);  // the engine keeps the last rung it skipped as "INDEXreason"
    if (skipped.starts_with(key) && i < state.rung) {
      object["skipped"] = printable(std::string_view(skipped).substr(key.size()));
    }
    rungs.push_back(std::move(object));
  }
  return rungs;
}

std::string when(const View& view, Instant at) {
  return at <= view.clock.now ? "now" : "in " + in_words(at - view.clock.now);
}

/// What happens next to one failing place, in words.
std::string next_step(const View& view, engine::ServiceId id, const engine::ServiceState& durable,
                      const engine::Place& place, const LadderState& state) {
  const auto& ladder = engine::rungs_of(view.plan(id), durable.walk_of(place.slot).issue);
  const auto action = view.durable.actions.find(place.action_id());
  if (place.action && action != view.durable.actions.end()) {
    const engine::Intent& intent = action->second.intent;
    if (intent.mode == engine::Mode::approve && !action->second.approved) {
      return fmt::format("{} waits for an operator: homeostat approve {}", intent.strategy, show_id(place.action->id));
    }
    const std::string left = place.action->deadline == kNever
                                 ? ""
                                 : ", at most " + in_words(place.action->deadline - view.clock.now) + " more";
    return fmt::format("{} {}{}", intent.strategy,
                       action->second.succeeded_at ? "is being verified by the checks" : "is under way", left);
  }
  const auto hold = durable.holds.find(place.slot);
  if (hold != durable.holds.end()) {
    const std::string at = hold->second.gate == "cooldown" ? " (" + when(view, state.cool_until) + ")" : "";
    return fmt::format("nothing until gate {} opens{}: {}", hold->second.gate, at, remedy_for_gate(hold->second.gate));
  }
  if (durable.operation && durable.operation->repair) {
    return fmt::format("a {} is rolling: {} instances to go", name_of(durable.operation->kind),
                       durable.operation->pending.size());
  }
  const auto& judge_at = view.live_service(id).judge_at;
  const auto judged = judge_at.find(place.slot);
  if (judged != judge_at.end()) return fmt::format("the repair is judged {}", when(view, judged->second));
  if (state.rung >= ladder.size()) {
    return fmt::format("the ladder is spent; it begins again {}", when(view, state.not_before));
  }
  if (called_already(view, id, durable.incident, ladder[state.rung])) {
    return fmt::format("somebody has been called already; the ladder ends {} and begins again after a rest",
                       when(view, state.not_before));
  }
  return fmt::format("rung {} {}, attempt {} of {}, {}", state.rung + 1, rung_name(ladder[state.rung]),
                     state.attempts + 1, ladder[state.rung].attempts, when(view, state.not_before));
}

LadderState ladder_of(const engine::ServiceState& durable, std::int32_t slot) {
  const auto found = durable.ladders.find(slot);
  return found == durable.ladders.end() ? LadderState{} : found->second;
}

/// What a place's failing checks have counted: "http failed 2 of 3 (answered 500), since …".
json::array evidence_json(const View& view, const engine::ServicePlan& plan, const engine::Place& place) {
  json::array evidence;
  for (const engine::TargetId id : place.targets) {
    const engine::Target& target = view.engine->state().targets[id];
    const Health& health = target.health;
    if (target.check == engine::kNone || (health.failures() == 0 && !health.failing())) continue;
    const engine::CheckPlan& check = plan.checks[target.check];
    const bool failed = health.failures() > 0;
    const std::uint32_t count = failed ? health.failures() : health.successes();
    const std::uint32_t needed = failed ? check.policy.failure_threshold : health.needed(check.policy);
    evidence.push_back(
        json::object{{"check", check.name},
                     {"role", json::string(to_string(check.role))},
                     {"failing", health.failing()},
                     {"count", count},
                     {"needed", needed},
                     {"text", fmt::format("{}: {} of {} {}, last: {}", check.name, count, needed,
                                          failed ? "failures that make a verdict" : "successes that make a recovery",
                                          printable(engine::explain(health.last())))},
                     {"direct", health.last().direct()},
                     {"first_failure", failed ? time_json(view.clock, health.first_failure()) : json::value(nullptr)}});
  }
  return evidence;
}

json::array places_json(const View& view, const std::string& name, engine::ServiceId id) {
  json::array places;
  const engine::ServiceState& durable = view.durable.services.at(name);
  const auto incident = view.durable.incidents.find(durable.incident);
  for (const engine::Place& place : view.live_service(id).places) {
    json::array evidence = evidence_json(view, view.plan(id), place);
    const engine::FailingState* failing = nullptr;
    if (incident != view.durable.incidents.end()) {
      const auto found = incident->second.failing.find(place.slot);
      if (found != incident->second.failing.end()) failing = &found->second;
    }
    const bool held = durable.holds.contains(place.slot);
    if (failing == nullptr && evidence.empty() && !held && !place.action) continue;
    const LadderState state = ladder_of(durable, place.slot);
    const std::string issue = durable.walk_of(place.slot).issue;
    json::object object{
        {"place", place_name(name, place.slot)},
        {"evidence", std::move(evidence)},
        {"hold", hold_json(view, durable, place.slot)},
        {"issue", issue.empty() ? json::value(nullptr) : json::value(issue)},
        {"ladder", ladder_json(engine::rungs_of(view.plan(id), issue), skipped_of(view, id, place.slot), state)}};
    const bool idle = failing == nullptr && !place.action && !held;
    object["next"] = idle ? "nothing: there is no verdict" : next_step(view, id, durable, place, state);
    if (held) object["remedy"] = json::string(remedy_for_gate(durable.holds.at(place.slot).gate));
    if (failing != nullptr) object["repair"] = repair_json(view, name, place.slot, *failing);
    places.push_back(std::move(object));
  }
  return places;
}

/// Why nothing is done to it; empty: nothing keeps anybody from it.
std::string left_alone(const View& view, const std::string& name, const engine::ServiceState& service) {
  const engine::MaintenanceState* work = engine::maintenance_of(view.durable, name);
  if (work != nullptr && work->until != kNever && work->until > view.clock.now)
    return fmt::format("it is in maintenance, for {} more", in_words(work->until - view.clock.now));
  if (service.stopped) {
    const std::string by = printable(service.stopped_by.str());
    return "it was stopped" + (by.empty() ? by : " by " + by);
  }
  if (service.holds.empty()) return "";
  const engine::HoldState& hold = service.holds.begin()->second;
  return fmt::format("nothing is done to it, gate {}: {}", hold.gate, printable(hold.detail));
}

/// The end of the walk, which may have nothing to diagnose: why it is left alone belongs to the reason.
void end_walk(const View& view, const std::string& name, json::array& walk) {
  const auto found = view.durable.services.find(name);
  if (found == view.durable.services.end()) return;
  const engine::ServiceState& service = found->second;
  if (view.durable.diagnosed(service) == nullptr) {
    walk.push_back(json::object{{"service", name},
                                {"incident", service.incident},
                                {"role", "root"},
                                {"by", nullptr},
                                {"root", name},
                                {"score", 0},
                                {"reason", "comes first"}});
  }
  const std::string why = left_alone(view, name, service);
  json::string& reason = walk.back().as_object()["reason"].as_string();
  if (!why.empty()) reason += "; " + why;
}

/// From the service to the cause, step by step: what was found out about each.
json::array walk_json(const View& view, const std::string& service) {
  json::array walk;
  std::string name = service;
  while (walk.size() < view.durable.services.size()) {
    const auto found = view.durable.services.find(name);
    if (found == view.durable.services.end()) break;
    const engine::Diagnosed* diagnosed = view.durable.diagnosed(found->second);
    if (diagnosed == nullptr) break;
    const engine::Diagnosed& d = *diagnosed;
    walk.push_back(json::object{{"service", d.service},
                                {"incident", d.incident},
                                {"role", d.role},
                                {"by", d.by.empty() ? json::value(nullptr) : json::value(d.by)},
                                {"root", d.root},
                                {"score", d.score},
                                {"reason", printable(d.reason)}});
    if (d.role != "excused" || d.by.empty()) break;
    name = d.by;
  }
  if (name != service) end_walk(view, name, walk);
  return walk;
}

/// Who waits for this service: their failures are part of its incident.
json::array waiting_json(const View& view, const std::string& service) {
  json::array waiting;
  for (const auto& [name, state] : view.durable.services) {
    const engine::Diagnosed* diagnosed = view.durable.diagnosed(state);
    if (diagnosed != nullptr && diagnosed->root == service && name != service) waiting.push_back(json::value(name));
  }
  return waiting;
}

/// The last change of each place, and that of the service as a whole.
json::array changes_json(const View& view, const std::string& name, const engine::ServiceState& durable) {
  json::array changes;
  for (const auto& [slot, change] : durable.changed) {
    changes.push_back(json::object{{"place", place_name(name, slot)},
                                   {"at", time_json(view.clock, change.at)},
                                   {"what", printable(change.what.str())},
                                   {"recent", view.clock.now < later(change.at, engine::kChangeCounts)}});
  }
  return changes;
}

/// What the journal alone tells of the failing places.
json::array offline_places(const View& view, const std::string& name, const engine::ServiceState& durable) {
  json::array places;
  const auto incident = view.durable.incidents.find(durable.incident);
  if (incident == view.durable.incidents.end()) return places;
  for (const auto& [slot, failing] : incident->second.failing) {
    json::object object{{"place", place_name(name, slot)},
                        {"evidence", json::array{}},
                        {"hold", hold_json(view, durable, slot)},
                        {"repair", repair_json(view, name, slot, failing)},
                        {"next", "nothing while no daemon runs"}};
    const auto hold = durable.holds.find(slot);
    if (hold != durable.holds.end()) object["remedy"] = json::string(remedy_for_gate(hold->second.gate));
    places.push_back(std::move(object));
  }
  return places;
}

}  // namespace

std::string_view remedy_for_gate(std::string_view gate) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kRemedies{{
      {"recovering", "opens as soon as the past is reconciled"},
      {"journal", "see `homeostat journal verify`, then `homeostat journal accept`"},
      {"defect", "restart Homeostat, and report what it says: this should never happen"},
      {"shutdown", "the next start goes on with it"},
      {"paused", "opens at the end of the pause, or with `homeostat resume`"},
      {"maintenance", "opens at its end, or with `homeostat maintenance end`; then it is looked at afresh"},
      {"clock", "opens when the time in the zones of the windows of maintenance is known"},
      {"storm", "opens when what failed at once has been quiet for `storm_cool_down`"},
      {"locked", "opens when the checks prove the place well, or with `homeostat unlock`"},
      {"tilt", "opens after one fresh round of all checks, 30 s at least"},
      {"dependency", "opens when what comes first is well"},
      {"diagnosis", "opens when the cause is clear; somebody is called after 5 minutes"},
      {"recovery", "opens when its time to recover by itself is over"},
      {"prerequisite", "opens when the prerequisite holds"},
      {"evidence", "opens with the next observation"},
      {"doubt", "opens when our own checks of ourselves pass and the failures are explained"},
      {"budget", "opens when an action of the window gets old enough; `homeostat restart` by hand is not counted"},
      {"breaker", "opens with the next try (`homeostat status`), or with the same command by hand"},
      {"max_unavailable", "opens when another instance is well again"},
      {"resource", "opens when the other service is not worked on any more"},
      {"cooldown", "opens by itself, or with `homeostat remediate` by hand"},
      {"approval", "opens with `homeostat approve`"},
  }};
  for (const auto& [name, remedy] : kRemedies) {
    if (name == gate) return remedy;
  }
  return "opens when its condition holds";
}

std::expected<json::object, Error> why_view(const View& view, const std::string& service) {
  json::object status = status_view(view, service);
  if (status["services"].as_array().empty()) return fail("there is no service " + service);
  const auto found = view.durable.services.find(service);
  static const engine::ServiceState kNothing;
  const engine::ServiceState& durable = found == view.durable.services.end() ? kNothing : found->second;
  json::object why{{"source", status["source"]},
                   {"at", status["at"]},
                   {"service", std::move(status["services"].as_array()[0])},
                   {"engine", std::move(status["engine"])},
                   {"escalations", std::move(status["escalations"])},
                   {"approvals", std::move(status["approvals"])},
                   {"diagnosis", walk_json(view, service)},
                   {"changes", changes_json(view, service, durable)},
                   {"waiting_for_it", waiting_json(view, service)},
                   {"last_incident", durable.last_incident == 0 ? json::value(nullptr) : durable.last_incident}};
  const auto id = view.find(service);
  if (!id) {
    why["places"] = offline_places(view, service, durable);
    why["budgets"] = nullptr;
    why["next"] = "nothing while no daemon runs";
    return why;
  }
  const engine::ServicePlan& plan = view.plan(*id);
  json::array places = found == view.durable.services.end() ? json::array{} : places_json(view, service, *id);
  const std::string first = plan.ladder.empty() ? "nothing: it has no ladder" : rung_name(plan.ladder.front());
  why["next"] = places.empty() ? json::value("nothing to do; the first repair of a failure would be: " + first)
                               : places[0].as_object()["next"];
  why["places"] = std::move(places);
  why["budgets"] = budgets_json(view, *id);
  return why;
}

}  // namespace homeostat::api
