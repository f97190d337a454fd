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

/// What is wrong with using this strategy on this service; empty: nothing.
std::string_view unfit(const engine::RungPlan& rung, const engine::RuntimePlan& runtime) {
  if (runtime.identity == 0) return {};  // it could not be read, and that is reported already
  if (rung.strategy == StrategyKind::restart && !runtime.restart) {
    return "the runtime cannot restart it: `run: exec:` needs a `restart` command";
  }
  if (rung.when.killed_by != 0 && !runtime.managed) {
    return "only the process runtime can tell by what signal an instance was killed";
  }
  if (rung.strategy == StrategyKind::rollback && !runtime.releases) {
    return "nothing to roll back to: `run:` needs `releases` or `image`, or `exec` a `rollback` command";
  }
  return {};
}

void add_rung(const Resolution& in, engine::ServicePlan& plan, Placed<RungDraft>& placed) {
  const Node& node = *placed.node;
  RungDraft& draft = placed.value;
  const Node* settings = node.items.empty() ? &node : &node.items.front();
  if (const std::string_view wrong = unfit(draft.plan, plan.runtime); !wrong.empty())
    in.reader.problem(node.at, std::string(wrong));
  if (draft.plan.strategy == StrategyKind::escalate) {
    const bool named = !draft.notify.empty();
    plan.ladder.push_back(escalate(
        in, named ? find_notifier(in, draft.notify, settings->where("notify")) : in.config.plan.default_notifier));
    return;
  }
  if (draft.verify_within) check_verify(in, plan, *draft.verify_within, settings->where("verify_within"));
  draft.plan.verify_within = draft.verify_within.value_or(default_verify(plan));
  if (draft.plan.strategy == StrategyKind::exec) {
    draft.plan.reference = static_cast<std::uint32_t>(in.config.commands.size());
    in.config.commands.push_back(std::move(draft.command));
  }
  plan.ladder.push_back(std::move(draft.plan));
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

void resolve_ladder(const Resolution& in, Named<ServiceDraft>& service) {
  engine::ServicePlan& plan = service.value.plan;
  if (service.value.remediation) {
    check_order(in, *service.value.remediation);
    for (Placed<RungDraft>& rung : *service.value.remediation) add_rung(in, plan, rung);
  } else if (plan.runtime.restart) {
    engine::RungPlan restart;
    restart.attempts = 3;
    restart.verify_within = default_verify(plan);
    plan.ladder.push_back(restart);
  }
  // A command of the user's is repeated only when he says that it may be.
  const auto* commands = std::get_if<runtime::ExecSpec>(&service.value.run.spec);
  for (engine::RungPlan& rung : plan.ladder) {
    if (commands != nullptr && rung.strategy != StrategyKind::exec) rung.idempotent = commands->idempotent;
  }
  if (plan.ladder.empty() || plan.ladder.back().strategy != StrategyKind::escalate) {
    plan.ladder.push_back(escalate(in, in.config.plan.default_notifier));
  }
}

}  // namespace homeostat::config
