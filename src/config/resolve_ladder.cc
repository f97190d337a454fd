#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

using engine::StrategyKind;

Duration proof(const CheckPolicy& policy) {
  return policy.startup_grace + policy.fast_interval * policy.success_threshold;
}

/// A rung without `verify_within` waits as long as the slowest alive check needs, one run and its timeout more.
Duration default_verify(const engine::ServicePlan& plan) {
  Duration longest{};
  for (const engine::CheckPlan& check : plan.checks) {
    if (check.role != Role::alive) continue;
    longest = std::max(longest, proof(check.policy) + check.policy.fast_interval + check.policy.timeout);
  }
  return longest;
}

void check_verify(const Resolution& in, const engine::ServicePlan& plan, Duration given, Position at) {
  for (const engine::CheckPlan& check : plan.checks) {
    const CheckPolicy& policy = check.policy;
    if (check.role != Role::alive || given >= proof(policy)) continue;
    in.reader.problem(
        at, fmt::format("verify_within {} is too short for check `{}`: startup_grace {} + success_threshold {} x "
                        "fast_interval {} = {}",
                        show_duration(given), check.name, show_duration(policy.startup_grace), policy.success_threshold,
                        show_duration(policy.fast_interval), show_duration(proof(policy))));
    return;
  }
}

std::uint32_t find_notifier(const Resolution& in, const std::string& name, Position at) {
  std::vector<std::string_view> known;
  for (const NotifierSpec& notifier : in.config.notifiers) {
    if (notifier.command.name == name) return static_cast<std::uint32_t>(known.size());
    known.push_back(notifier.command.name);
  }
  in.reader.problem(at, fmt::format("no notifier is called {}", quote(name)), nearest(name, known));
  return engine::kNone;
}

engine::RungPlan escalate(const Resolution& in, std::uint32_t notifier) {
  engine::RungPlan rung;
  rung.strategy = StrategyKind::escalate;
  rung.reference = notifier;
  if (notifier != engine::kNone) rung.name = in.config.notifiers[notifier].command.name;
  return rung;
}

bool tells_signals(const runtime::Spec& spec) {
  const auto* kept = std::get_if<runtime::KeptSpec>(&spec);
  return kept != nullptr ? kept->by != runtime::KeptSpec::By::supervisord
                         : std::holds_alternative<runtime::ProcessSpec>(spec);
}

/// What is wrong with using this strategy on this service; empty: nothing.
std::string_view unfit(const engine::RungPlan& rung, const ServiceDraft& service) {
  const engine::ServicePlan& plan = service.plan;
  const engine::RuntimePlan& runtime = plan.runtime;
  if (runtime.identity == 0) return {};  // it could not be read, and that is reported already
  if (rung.strategy == StrategyKind::restart && !runtime.restart) {
    return "the runtime cannot restart it: `run: exec:` needs a `restart` command";
  }
  if (rung.when.killed_by != 0 && !tells_signals(service.run.spec)) {
    return "only `process`, `systemd`, `docker` and `podman` can tell by what signal an instance was killed";
  }
  if (rung.strategy == StrategyKind::rollback && !runtime.releases) {
    return "nothing to roll back to: `run:` needs `releases` or `image`, or `exec` a `rollback` command";
  }
  if (rung.strategy == StrategyKind::scale_up && !plan.scaling) {
    return "it has a fixed number of instances: `scale_up` needs `scaling`";
  }
  if (rung.strategy == StrategyKind::drain && !plan.routed) {
    return "nothing leads requests to it: `drain` needs `traffic`";
  }
  if (rung.strategy == StrategyKind::drain && plan.instances == 1) {
    return "no other instance would serve: `drain` needs `instances: 2` or more";
  }
  return {};
}

/// What the bounds may ever be, by the hour.
CountRange widest(const ScalingPolicy& policy) {
  CountRange range = policy.range;
  for (const ScalingSchedule& schedule : policy.schedules) {
    range.min = std::min(range.min, schedule.min.value_or(range.min));
    range.max = std::max({range.max, schedule.max.value_or(0), schedule.min.value_or(0)});
  }
  return range;
}

void check_raise(const Resolution& in, const engine::RungPlan& rung, const engine::ServicePlan& plan, Position at) {
  if (rung.strategy != StrategyKind::scale_up || !plan.scaling) return;
  const CountRange range = widest(plan.scaling->policy);
  const auto most = static_cast<std::uint32_t>(range.max);
  if (rung.raise.max > most) {
    in.reader.problem(at, fmt::format("{} is beyond the {} of `scaling`", rung.raise.max, most));
  }
  const auto least = static_cast<std::uint32_t>(range.min);
  if (rung.raise.max != 0 && rung.raise.max <= least) {
    in.reader.problem(at, fmt::format("{} is never more than the `min` {} of `scaling`", rung.raise.max, least));
  }
}

/// Whether the user's own command goes back to the version that it is told; nothing: there is no such command.
std::optional<bool> takes_version(const runtime::Spec& spec) {
  const auto* commands = std::get_if<runtime::ExecSpec>(&spec);
  if (commands == nullptr || commands->rollback.empty()) return std::nullopt;
  return std::ranges::any_of(commands->rollback,
                             [](const std::string& argument) { return argument.contains("{version}"); });
}

/// The version that a rollback names. Of what the user's own commands run nobody else knows what was proved well.
void check_version(const Resolution& in, const ServiceDraft& service, const Placed<RungDraft>& placed) {
  const std::string& version = placed.value.plan.version;
  const std::optional<bool> takes = takes_version(service.run.spec);
  if (version.empty()) {
    const bool rolls_back = placed.value.plan.strategy == StrategyKind::rollback;
    if (rolls_back && takes.value_or(false)) {
      in.reader.problem(placed.node->at,
                        "Homeostat does not know what was proved well of what `run: exec:` runs, and its `rollback` "
                        "command needs `{version}`: name one with `to`, or let the command find it");
    }
    return;
  }
  const Position at = placed.node->items.front().where("to");
  in.config.rollbacks.push_back({service.plan.runtime.reference, version, at});
  if (takes.value_or(true)) return;
  in.reader.problem(at, "the `rollback` command of `run: exec:` is not told which version: it needs `{version}`");
}

engine::RungPlan rung_of(const Resolution& in, const ServiceDraft& service, const Placed<RungDraft>& placed) {
  const engine::ServicePlan& plan = service.plan;
  const Node& node = *placed.node;
  const RungDraft& draft = placed.value;
  const Node* settings = node.items.empty() ? &node : &node.items.front();
  if (const std::string_view wrong = unfit(draft.plan, service); !wrong.empty())
    in.reader.problem(node.at, std::string(wrong));
  if (draft.plan.when.ejected && !in.config.plan.ejections.contains(plan.name))
    in.reader.problem(settings->where("when"), "`requests_fail` needs the service's `traffic: { breaker: {} }`");
  if (draft.plan.strategy == StrategyKind::escalate) {
    const bool named = !draft.notify.empty();
    return escalate(
        in, named ? find_notifier(in, draft.notify, settings->where("notify")) : in.config.plan.default_notifier);
  }
  engine::RungPlan rung = draft.plan;
  check_raise(in, rung, plan, settings->where("max"));
  if (draft.verify_within) check_verify(in, plan, *draft.verify_within, settings->where("verify_within"));
  rung.verify_within = draft.verify_within.value_or(default_verify(plan));
  if (rung.strategy == StrategyKind::exec) {
    rung.reference = static_cast<std::uint32_t>(in.config.commands.size());
    const CommandSpec& command = draft.command;
    rung.identity = Fingerprint().add(command.argv).add(command.user).add(command.cwd).value();
    in.config.commands.push_back(draft.command);
  }
  return rung;
}

void check_order(const Resolution& in, const std::vector<Placed<RungDraft>>& rungs) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const engine::RungPlan& plan = rungs[i].value.plan;
    if (plan.strategy == StrategyKind::escalate && i + 1 < rungs.size()) {
      in.reader.problem(rungs[i].node->at, "`escalate` ends the ladder; the rungs after it would never be used");
    }
    if (plan.strategy == StrategyKind::exec && !names.insert(plan.name).second) {
      in.reader.problem(rungs[i].node->at,
                        fmt::format("a second exec rung called {}; give it a `name`", quote(plan.name)));
    }
  }
}

}  // namespace

engine::LadderPlan ladder_of(const Resolution& in, Named<ServiceDraft>& service, const LadderDraft& draft,
                             std::vector<engine::RungPlan> usual) {
  std::vector<engine::RungPlan> out = std::move(usual);
  if (draft.rungs) {
    check_order(in, *draft.rungs);
    for (const Placed<RungDraft>& rung : *draft.rungs) {
      check_version(in, service.value, rung);
      out.push_back(rung_of(in, service.value, rung));
    }
  }
  // A command of the user's is repeated only when he says that it may be.
  const auto* commands = std::get_if<runtime::ExecSpec>(&service.value.run.spec);
  for (engine::RungPlan& rung : out) {
    if (commands != nullptr && rung.strategy != StrategyKind::exec) rung.idempotent = commands->idempotent;
  }
  if (out.empty() || out.back().strategy != StrategyKind::escalate) {
    out.push_back(escalate(in, in.config.plan.default_notifier));
  }
  return out;
}

void resolve_ladder(const Resolution& in, Named<ServiceDraft>& service) {
  engine::ServicePlan& plan = service.value.plan;
  const LadderDraft& draft = service.value.remediation;
  std::vector<engine::RungPlan> usual;
  if (!draft.rungs && plan.runtime.restart) {
    engine::RungPlan restart;
    restart.attempts = 3;
    restart.verify_within = default_verify(plan);
    usual.push_back(restart);
  }
  plan.ladder = ladder_of(in, service, draft, std::move(usual));
  plan.limits = draft.limits;
}

}  // namespace homeostat::config
