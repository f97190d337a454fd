#include "daemon/hands.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>

#include "daemon/command.hpp"
#include "daemon/places.hpp"
#include "daemon/time_keeper.hpp"
#include "os/zone.hpp"

namespace homeostat::daemon {
namespace {

std::string text_of(engine::CommandId id) { return fmt::format("{}.{}", id.epoch, id.counter); }

engine::OutcomeKind outcome_of(const runtime::CommandResult& result) {
  using End = runtime::CommandResult::End;
  if (result.ok()) return engine::OutcomeKind::succeeded;
  if (result.end == End::not_started) return engine::OutcomeKind::not_started;
  // A command that had to be killed may have acted or not.
  return result.end == End::exited ? engine::OutcomeKind::failed : engine::OutcomeKind::unknown;
}

// A command that was killed, or could not be run, has said nothing.
rollout::GateResult agreement(const runtime::CommandResult& result) {
  constexpr int kNotYet = 3;
  if (result.ok()) return rollout::GateResult::passed;
  const bool said = result.end == runtime::CommandResult::End::exited && result.code != kNotYet;
  return said ? rollout::GateResult::failed : rollout::GateResult::waiting;
}

const engine::Intent* intent_of(const engine::Engine& engine, engine::CommandId id) {
  const auto action = engine.durable().actions.find(id);
  return action == engine.durable().actions.end() ? nullptr : &action->second.intent;
}

/// What kind of runtime the service has.
std::optional<std::size_t> runtime_of(const engine::Engine& engine, const config::Config& config,
                                      engine::ServiceId service) {
  if (!engine.plan().services[service].runtime.managed) return std::nullopt;
  const runtime::Spec& spec = config.runtimes[service];
  const auto* kept = std::get_if<runtime::KeptSpec>(&spec);
  return kept == nullptr ? spec.index() : std::variant_size_v<runtime::Spec> + static_cast<std::size_t>(kept->by);
}

bool has_service(const config::Config& config, const std::string& name) {
  return std::any_of(config.plan.services.begin(), config.plan.services.end(),
                     [&](const engine::ServicePlan& plan) { return plan.name == name; });
}

}  // namespace

std::expected<std::unique_ptr<Hands>, Error> Hands::open(os::Loop& loop, const engine::Engine& engine,
                                                         const std::string& state_dir, Feed feed,
                                                         std::function<Instant()> now,
                                                         std::optional<os::Cgroups> cgroups) {
  auto hands = std::unique_ptr<Hands>(new Hands(loop, engine, std::move(feed), std::move(now), cgroups));
  auto process = runtime::ProcessRuntime::open(
      loop, state_dir, std::move(cgroups),
      [self = hands.get()](const runtime::Target& target, const Incarnation& incarnation,
                           const os::ExitStatus& status) { self->exited(target, incarnation, status); });
  if (!process) return std::unexpected(process.error());
  hands->process_ = std::move(*process);
  // Its server may be out of the rotation since we stopped it.
  hands->keepers_.begun_by_others = [self = hands.get()](engine::ServiceId service, engine::Slot slot,
                                                         const Incarnation& run) {
    self->rotation_.begun_by_others(service, slot, port_of(self->engine_, *self->config_, service, slot), run);
  };
  return hands;
}

void Hands::configure(const config::Config& config, const config::Config* before) {
  config_ = &config;
  rotation_.configure(config);
  keepers_.configure(config);
  for (engine::ServiceId id = 0; id < config.plan.services.size(); ++id) {
    const std::string& name = config.plan.services[id].name;
    const auto& spec = config.runtimes[id];
    if (const auto* process = std::get_if<runtime::ProcessSpec>(&spec)) process_->configure(name, *process);
  }
  if (before == nullptr) return;
  for (const engine::ServicePlan& plan : before->plan.services) {
    if (has_service(config, plan.name)) continue;
    process_->forget(plan.name);
  }
}

void Hands::find_all(Instant now, std::function<void()> found_all) {
  rotation_.advance(now);
  for (engine::ServiceId id = 0; id < engine_.plan().services.size(); ++id) {
    const engine::ServicePlan& plan = engine_.plan().services[id];
    if (!plan.runtime.managed || keepers_.spec_of(id) != nullptr) continue;
    for (const engine::Slot slot : slots_of(engine_, id)) {
      const runtime::Recovered found = process_->recover(runtime::Target{plan.name, slot});
      if (!found.problem.empty()) spdlog::warn("{}/{}: {}", plan.name, slot, found.problem);
      take_back(id, slot, found.port, found.running);
      feed_(engine::Found{id, slot, found.running, found.started_by, found.port, found.version});
    }
  }
  keepers_.find_all(now, [this, found_all = std::move(found_all)] {
    for (engine::ServiceId id = 0; id < engine_.plan().services.size(); ++id) {
      if (keepers_.spec_of(id) == nullptr) continue;
      for (const engine::Slot slot : slots_of(engine_, id))
        take_back(id, slot, port_of(engine_, *config_, id, slot), keepers_.running(id, slot));
    }
    found_all();
  });
}

// We may have died after it was taken out of the rotation, and before it was stopped.
void Hands::take_back(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run) {
  if (run.none() || !is_acted_on(engine_, engine_.plan().services[service].name, slot)) return;
  rotation_.put_back(service, slot, port, run, /*ours=*/true);
}

void Hands::exited(const runtime::Target& target, const Incarnation& incarnation, const os::ExitStatus& status) {
  const auto id = engine_.find_service(target.service);
  const bool killed = status.known && status.signalled && status.code == SIGKILL;
  if (id)
    feed_(engine::Exited{*id, target.slot, incarnation, status.known, status.signalled, status.code,
                         killed && oom_.killed(static_cast<pid_t>(incarnation.id))});
}

// The journal has a short reason, by which failures are told apart; whoever is to act on it needs to know more.
std::string Hands::with_complaints(const std::string& summary, std::optional<engine::ServiceId> service,
                                   std::optional<engine::Slot> slot) const {
  const std::string said = service ? complaints(*service, slot) : std::string();
  return said.empty() ? summary : fmt::format("{}. Last seen: {}", summary, said);
}

void Hands::run_strategy(const engine::Dispatch& command, Instant now) {
  const engine::Intent* intent = intent_of(engine_, command.id);
  if (command.reference >= config_->commands.size() || intent == nullptr) {
    return feed_(engine::ActionDone{command.id, engine::OutcomeKind::not_started, {}, 0, "no such command", {}});
  }
  runtime::Values values{{"service", intent->service},
                         {"instance", command.slot < 0 ? std::string() : std::to_string(command.slot)},
                         {"action", text_of(command.id)},
                         {"incident", std::to_string(intent->incident)},
                         {"summary", with_complaints(intent->evidence, command.service, command.slot)}};
  for (auto& one : told_by_alerts(command.service, command.slot)) values.push_back(std::move(one));
  const runtime::CommandSpec spec = command_of(config_->commands[command.reference]);
  runtime::complete_told(spec.argv, values);
  if (const std::string_view option = runtime::taken_for_option(spec.argv, values); !option.empty()) {
    const std::string why = fmt::format(
        "not started: {{{}}} of the alert begins with a dash, so that a program would take it for an option: put the "
        "argument -- before it",
        option);
    // A try that failed: the next rung is to have its turn.
    return feed_(engine::ActionDone{command.id, engine::OutcomeKind::failed, {}, 0, why, {}});
  }
  runner_.run(spec, values, now, [this, id = command.id](runtime::CommandResult result) {
    feed_(engine::ActionDone{id, outcome_of(result), {}, 0, runtime::describe(result), {}});
  });
}

void Hands::ask_gate(const engine::AskGate& command, Instant now) {
  const engine::ServicePlan& plan = engine_.plan().services[command.service];
  const auto known = engine_.durable().services.find(plan.name);
  // Asked for under another configuration, nobody waits for it any more.
  if (!plan.rollout || command.gate >= plan.rollout->gates.size() || known == engine_.durable().services.end() ||
      !known->second.rollout) {
    return;
  }
  const engine::GatePlan& gate = plan.rollout->gates[command.gate];
  engine::GateAnswered answer{command.service, command.gate, command.id};
  if (gate.kind == engine::GatePlan::Kind::window) {
    answer.local = os::local_minutes(gate.window.zone, TimeKeeper::wall_ns());
    return feed_(std::move(answer));
  }
  const rollout::State& state = *known->second.rollout;
  const runtime::Values values{
      {"service", plan.name}, {"version", state.to}, {"from", state.from}, {"stage", std::to_string(state.stage + 1)}};
  runner_.run(command_of(config_->commands[gate.reference]), values, now,
              [this, answer = std::move(answer)](const runtime::CommandResult& result) mutable {
                answer.result = agreement(result);
                answer.why = answer.result == rollout::GateResult::passed ? "" : runtime::describe(result);
                feed_(std::move(answer));
              });
}

void Hands::dispatch(const engine::Dispatch& command, Instant now) {
  if (command.op == engine::Op::exec) return run_strategy(command, now);
  const std::string version(engine_.version(command.version));
  const runtime::Target target{engine_.plan().services[command.service].name, command.slot};
  if (const auto* exec = std::get_if<runtime::ExecSpec>(&config_->runtimes[command.service])) {
    runtime::ExecRequest request{target, command.op, command.id, version};
    if (command.op == engine::Op::scale) {
      const auto known = engine_.durable().services.find(target.service);
      request.count = command.reference;
      request.fewer = known != engine_.durable().services.end() && request.count < known->second.scaled;
    }
    return exec_.perform(*exec, request, now, done_of(command));
  }
  const engine::Intent* intent = intent_of(engine_, command.id);
  const bool ends = command.op == engine::Op::stop || command.op == engine::Op::restart;
  // What is repaired fails its requests already; to wait for them would only make it last longer.
  const bool planned = intent != nullptr && intent->origin != engine::Origin::ladder;
  if (!ends || !planned) return run_instance(command, target, version, now);
  const auto runtime = runtime_of(engine_, *config_, command.service);
  rotation_.take_out(command.service, command.slot, now,
                     [=, this](Instant then) { return run_later(command, target, version, runtime, then); });
}

bool Hands::run_later(engine::Dispatch command, const runtime::Target& target, const std::string& version,
                      std::optional<std::size_t> runtime, Instant now) {
  const auto service = engine_.find_service(target.service);
  if (!service || runtime_of(engine_, *config_, *service) != runtime || intent_of(engine_, command.id) == nullptr) {
    const char* why = "the configuration was reloaded meanwhile";
    feed_(engine::ActionDone{command.id, engine::OutcomeKind::not_started, {}, 0, why, {}});
    return false;
  }
  command.service = *service;
  run_instance(command, target, version, now);
  return true;
}

void Hands::run_instance(const engine::Dispatch& command, const runtime::Target& target, const std::string& version,
                         Instant now) {
  if (keepers_.spec_of(command.service) == nullptr) return run_process(command, target, version, now);
  keepers_.perform(command, target, version, now, done_of(command));
}

void Hands::run_process(const engine::Dispatch& command, const runtime::Target& target, const std::string& version,
                        Instant now) {
  switch (command.op) {
    case engine::Op::start:
      return process_->start(target, version, command.id, now, done_of(command));
    case engine::Op::stop:
      return process_->stop(target, command.expected, now, done_of(command));
    case engine::Op::restart:
      return process_->restart(target, command.expected, version, command.id, now, done_of(command));
    case engine::Op::rollback:
    case engine::Op::scale:
    case engine::Op::exec:
    case engine::Op::route:
    case engine::Op::adjust:
      break;
  }
  done_of(command)(runtime::Outcome{engine::OutcomeKind::not_started, {}, 0, "the process runtime cannot do that"});
}

runtime::Done Hands::done_of(const engine::Dispatch& command) {
  return [this, id = command.id, name = engine_.plan().services[command.service].name, slot = command.slot,
          before = command.expected](const runtime::Outcome& outcome) {
    feed_(engine::ActionDone{id, outcome.kind, outcome.now_running, outcome.port, outcome.detail, outcome.version});
    const auto service = engine_.find_service(name);
    if (!service) return;
    if (!outcome.now_running.none()) return rotation_.put_back(*service, slot, outcome.port, outcome.now_running);
    // What was to be stopped and could not be gets requests again, if it still runs.
    if (outcome.kind == engine::OutcomeKind::succeeded || before.none()) return;
    rotation_.put_back(*service, slot, port_of(engine_, *config_, *service, slot), before);
  };
}

void Hands::notify(const engine::Notify& command, Instant now) {
  const auto escalation = engine_.durable().escalations.find(command.escalation);
  if (command.notifier >= config_->notifiers.size() || escalation == engine_.durable().escalations.end()) {
    return feed_(engine::NotifyDone{command.escalation, false, "its notifier is not configured"});
  }
  const engine::Escalated& what = escalation->second.what;
  notify::Page page{.service = what.service,
                    .summary = what.summary,
                    .incident = what.incident == 0 ? std::string() : std::to_string(what.incident),
                    .escalation = text_of(what.id),
                    .attempt = std::to_string(command.attempt),
                    .host = notify::host_name()};
  page.key = deduplication_key(page);
  page.summary = with_complaints(what.summary, engine_.find_service(what.service), std::nullopt);
  runner_.run(command_of(config_->notifiers[command.notifier]), values_of(page), now,
              [this, id = command.escalation](runtime::CommandResult result) {
                feed_(engine::NotifyDone{id, result.ok(), runtime::describe(result)});
              });
}

std::optional<Instant> Hands::next_deadline() const {
  const Instant next = std::min({process_->next_deadline().value_or(kNever), runner_.next_deadline().value_or(kNever),
                                 exec_.next_deadline().value_or(kNever), rotation_.next_deadline().value_or(kNever),
                                 keepers_.next_deadline().value_or(kNever)});
  return next == kNever ? std::nullopt : std::optional(next);
}

void Hands::advance(Instant now) {
  oom_.advance(now);
  process_->advance(now);
  runner_.advance(now);
  exec_.advance(now);
  rotation_.advance(now);
  keepers_.advance(now);
}

}  // namespace homeostat::daemon
