#include "sim/walk.hpp"

#include <algorithm>

#include "sim/plans.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

ServicePlan calm(ServicePlan service) {
  for (CheckPlan& check : service.checks) {
    check.policy.interval = 5s;
    check.policy.fast_interval = 500ms;
  }
  return service;
}

ServicePlan released() {
  ServicePlan service = calm(web("released", 2));
  service.runtime.releases = true;
  service.release = "v1";
  service.stable_after = 20s;
  RungPlan rollback = rung(StrategyKind::rollback);
  rollback.changed_within = 15min;
  service.ladder.insert(service.ladder.begin(), rollback);
  return service;
}

ServicePlan external() {
  ServicePlan service = calm(web("external", 1));
  service.runtime.managed = false;
  service.checks.erase(service.checks.begin());
  RungPlan hook = rung(StrategyKind::exec, 1);
  hook.name = "hook";
  service.ladder.insert(service.ladder.begin(), hook);
  return service;
}

}  // namespace

Plan walk_plan(std::uint64_t variant) {
  ServicePlan db = calm(web("db", 1));
  ServicePlan api = calm(web("api", variant % 2 == 0 ? 3 : 2));
  api.depends_on = {0};
  api.min_healthy = 2;
  api.ladder = {rung(StrategyKind::restart, 2), rung(StrategyKind::restart, 1), rung(StrategyKind::escalate)};
  api.ladder[1].all = true;
  ServicePlan asks = calm(web("asks", 1));
  asks.mode = variant % 5 == 4 ? Mode::act : Mode::approve;
  ServicePlan watched = calm(web("watched", 1));
  watched.mode = variant % 7 == 6 ? Mode::act : Mode::shadow;
  ServicePlan needs = calm(web("needs", 1));
  Prerequisite file;
  file.kind = Prerequisite::Kind::file_exists;
  file.text = "/srv/enabled exists";
  file.probe = 0;
  needs.prerequisites = {file};
  Plan plan = plan_of({db, api, released(), external(), asks, needs, watched});
  if (variant % 3 == 2) plan.services.pop_back();
  if (variant % 4 == 3) plan.services[1].checks[1].identity = variant;
  return plan;
}

Walk::Walk(std::uint64_t seed) : random_(Random::mix(seed)), world_(walk_plan(0), WorldOptions{.seed = seed}) {}

void Walk::expect(bool holds, const std::string& promise) {
  if (!holds && broken_.empty()) broken_ = promise;
}

std::string Walk::any_service() {
  const auto& services = world_.plan().services;
  return services[random_.below(services.size())].name;
}

void Walk::fault_of_world() {
  static constexpr Behaviour kBehaviours[] = {Behaviour::well, Behaviour::error500, Behaviour::hang, Behaviour::refuse,
                                              Behaviour::unreachable};
  switch (random_.below(9)) {
    case 0:
    case 1: {
      const std::string service = any_service();
      return world_.crash(service, any_slot());
    }
    case 2:
    case 3: {
      const std::string service = any_service();
      const Slot slot = any_slot();
      return world_.behave(service, slot, kBehaviours[random_.below(5)]);
    }
    case 4:
      return world_.network_cut(chance(30));
    case 5:
      return world_.file_exists(chance(60));
    case 6: {
      const std::string service = any_service();
      return world_.dies_after_start(service, chance(50) ? Duration{} : Duration(700ms));
    }
    case 7: {
      const std::string service = any_service();
      return world_.fail_starts(service, chance(30));
    }
    default:
      return world_.release_behaves(chance(50) ? "v2" : "v3", kBehaviours[random_.below(5)]);
  }
}

void Walk::fault_of_engine() {
  switch (random_.below(8)) {
    case 0:
    case 1:
    case 2:
      world_.kill_engine();
      world_.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(random_.below(3000))));
      return world_.boot();
    case 3:
      return world_.journal_stalls(chance(40));
    case 4:
      return world_.self_check_fails(chance(40));
    case 5:
      return world_.notifier_fails(chance(40));
    case 6:
      return world_.runtime_silent(chance(20));
    default:
      return world_.input(Gap{20s});
  }
}

void Walk::operate() {
  static constexpr Verb kVerbs[] = {Verb::check,   Verb::start, Verb::stop,         Verb::restart,
                                    Verb::deploy,  Verb::pause, Verb::resume,       Verb::unlock,
                                    Verb::approve, Verb::ack,   Verb::roll_outdated};
  Operator in;
  in.verb = kVerbs[random_.below(std::size(kVerbs))];
  in.service = any_service();
  if (chance(40)) in.slot = any_slot();
  if (in.verb == Verb::pause && chance(30)) in.service.clear();
  in.version = chance(50) ? "v2" : "v3";
  in.length = std::chrono::seconds(static_cast<std::int64_t>(1 + random_.below(120)));
  in.force = chance(30);
  in.by = "walk";
  if (in.verb == Verb::approve || in.verb == Verb::ack) {
    in.id = CommandId{1, 0};
    for (const auto& [id, action] : world_.durable().actions) {
      if (action.intent.mode == Mode::approve) in.id = id;
    }
    if (in.verb == Verb::ack && !world_.durable().escalations.empty()) {
      in.id = world_.durable().escalations.begin()->first;
    }
  }
  world_.input(in);
}

void Walk::reload() { world_.reload(walk_plan(random_.below(64))); }

void Walk::fault() {
  const std::uint64_t kind = random_.below(100);
  if (kind < 45) return fault_of_world();
  if (kind < 60) return fault_of_engine();
  if (kind < 92) return operate();
  reload();
}

void Walk::make_peace() {
  world_.journal_stalls(false);
  world_.runtime_silent(false);
  world_.notifier_fails(false);
  world_.self_check_fails(false);
  world_.network_cut(false);
  world_.file_exists(true);
  for (const char* version : {"", "v1", "v2", "v3"}) world_.release_behaves(version, Behaviour::well);
  world_.reload(walk_plan(4 + 5 * 6));  // everything may act, nothing asks
  for (const ServicePlan& service : world_.plan().services) {
    world_.dies_after_start(service.name, {});
    world_.fail_starts(service.name, false);
    for (Slot slot = 0; slot < 3; ++slot) world_.behave(service.name, slot, Behaviour::well);
  }
  world_.run_for(1s);
  world_.kill_engine();
  world_.boot();
  for (const Verb verb : {Verb::resume, Verb::unlock, Verb::start}) {
    Operator in;
    in.verb = verb;
    in.by = "peace";
    world_.input(in);
    for (const ServicePlan& service : world_.plan().services) {
      in.service = service.name;
      world_.input(in);
    }
  }
}

void Walk::run() {
  world_.boot();
  const Instant peace = world_.now() + 30min;
  while (world_.now() < peace && broken_.empty()) {
    world_.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(random_.below(chance(20) ? 60000 : 6000))));
    fault();
    check();
  }
  if (!broken_.empty()) return;
  make_peace();
  world_.run_for(45min);
  check();
  check_actions();
  check_budgets();
  check_rest();
}

void Walk::check() {
  for (const std::string& violation : world_.violations()) expect(false, violation);
  const std::size_t records = world_.records().size();
  expect(records < records_seen_ + 5000, "the journal is not flooded");
  records_seen_ = records;
  expect(world_.replayed().fold() == world_.durable().fold(), "the running state is the fold of the journal");
}

// Each intent ends once and truthfully.
void Walk::check_actions() {
  std::map<CommandId, Intent> intents;
  std::map<CommandId, std::vector<OutcomeKind>> outcomes;
  std::map<CommandId, std::pair<int, int>> effects;  // stops, others
  for (const Intent& intent : world_.all<Intent>()) intents[intent.id] = intent;
  for (const Outcome& outcome : world_.all<Outcome>()) outcomes[outcome.id].push_back(outcome.outcome);
  for (const Effect& effect : world_.effects()) {
    auto& [stops, others] = effects[effect.id];
    ++(effect.op == Op::stop ? stops : others);
  }
  for (const auto& [id, intent] : intents) {
    const std::string name =
        intent.strategy + " " + intent.service + " " + std::to_string(id.epoch) + "." + std::to_string(id.counter);
    expect(outcomes[id].size() <= 1, "one outcome at most: " + name);
    const bool open = world_.durable().actions.contains(id);
    expect(open || outcomes[id].size() == 1, "every intent ends: " + name);
    const auto [stops, others] = effects[id];
    expect(stops <= 1 && others <= 1, "done once at most: " + name);
    if (outcomes[id].empty()) continue;
    if (outcomes[id][0] == OutcomeKind::not_started)
      expect(stops + others == 0, "not started means no effect: " + name);
    if (outcomes[id][0] == OutcomeKind::succeeded && intent.op != Op::stop) {
      expect(others == 1, "succeeded means done: " + name);
    }
  }
  for (const auto& [id, count] : effects) expect(intents.contains(id), "no effect without an intent");
}

void Walk::check_budgets() {
  std::map<CommandId, Intent> intents;
  for (const Intent& intent : world_.all<Intent>()) intents[intent.id] = intent;
  std::map<std::string, std::vector<Instant>> used;
  std::set<CommandId> counted;
  for (const Effect& effect : world_.effects()) {
    const Intent& intent = intents[effect.id];
    if (!intent.disruptive || !intent.by.empty() || !counted.insert(effect.id).second) continue;
    used[effect.service].push_back(effect.at);
    used[""].push_back(effect.at);
  }
  for (const auto& [service, times] : used) {
    for (std::size_t i = 3; i < times.size(); ++i) {
      // An intent is dated before its effect; both wait for the journal at most five seconds.
      expect(times[i] - times[i - 3] > 10min - 6s, "never more than three actions in ten minutes: '" + service + "'");
    }
  }
}

void Walk::check_rest() {
  expect(world_.durable().actions.empty(), "nothing is under way at rest");
  for (const ServicePlan& plan : world_.plan().services) {
    const ServiceState& state = world_.durable().services.at(plan.name);
    expect(!state.operation, "no operation at rest: " + plan.name);
    expect(state.incident == 0, "no incident at rest: " + plan.name);
    expect(!state.down_since, "not down at rest: " + plan.name);
    expect(state.locks.empty(), "not locked at rest: " + plan.name);
    expect(world_.status(plan.name) == Status::healthy, "healthy at rest: " + plan.name);
    if (!plan.runtime.managed) continue;
    for (Slot slot = 0; slot < static_cast<Slot>(plan.instances); ++slot) {
      expect(world_.running(plan.name, slot), "runs at rest: " + plan.name);
    }
    for (Slot slot = static_cast<Slot>(plan.instances); slot < 3; ++slot) {
      expect(!world_.running(plan.name, slot), "no surplus at rest: " + plan.name);
    }
  }
  for (const auto& [id, escalation] : world_.durable().escalations)
    expect(escalation.notified, "every call is delivered");
}

}  // namespace homeostat::sim
