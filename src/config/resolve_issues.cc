#include <fmt/format.h>

#include <algorithm>

#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

const Named<IssueDraft>* find_issue(const Resolution& in, const Placed<std::string>& named) {
  std::vector<std::string_view> known;
  for (const Named<IssueDraft>& issue : in.draft.issues) {
    if (issue.name == named.value) return &issue;
    known.push_back(issue.name);
  }
  in.reader.problem(named.node->at, fmt::format("no issue is called {}", quote(named.value)),
                    nearest(named.value, known));
  return nullptr;
}

/// The name of the alert that this check waits for; empty: it is none.
std::string_view alert_of(const Resolution& in, const engine::CheckPlan& check) {
  if (check.probe == engine::kNone) return {};
  const auto* spec = std::get_if<probe::AlertSpec>(&in.config.probes[check.probe]);
  if (spec == nullptr) return {};
  for (const auto& [label, value] : spec->labels) {
    if (label == "alertname") return value;
  }
  return {};
}

bool names(const std::vector<Placed<std::string>>& list, std::string_view name) {
  return std::ranges::any_of(list, [&](const auto& one) { return one.value == name; });
}

bool is_of(const Resolution& in, const IssueDraft& issue, const engine::CheckPlan& check) {
  if (names(issue.checks, check.name)) return true;
  const std::string_view alert = alert_of(in, check);
  return !alert.empty() && names(issue.alerts, alert);
}

std::string list_of(const IssueDraft& issue) {
  std::string text;
  for (const auto* list : {&issue.checks, &issue.alerts}) {
    for (const auto& one : *list) text += (text.empty() ? "" : ", ") + quote(one.value);
  }
  return text;
}

void take_checks(const Resolution& in, const engine::ServicePlan& plan, const Named<IssueDraft>& issue, Position at,
                 engine::IssuePlan& out) {
  for (engine::CheckId id = 0; id < plan.checks.size(); ++id) {
    const engine::CheckPlan& check = plan.checks[id];
    if (!is_of(in, issue.value, check)) continue;
    if (check.role != Role::alive) {
      in.reader.problem(at, fmt::format("check `{}` of `{}` is of the role `{}`, which never repairs", check.name,
                                        issue.name, to_string(check.role)));
    }
    for (const engine::IssuePlan& other : plan.issues) {
      if (std::ranges::find(other.checks, id) == other.checks.end()) continue;
      in.reader.problem(at, fmt::format("check `{}` is part of `{}` already", check.name, other.name));
    }
    out.checks.push_back(id);
  }
  if (out.checks.empty()) {
    in.reader.problem(at, fmt::format("service `{}` has none of the checks and alerts of `{}`: {}", plan.name,
                                      issue.name, list_of(issue.value)));
  }
}

std::vector<const engine::ServicePlan*> services_with(const Resolution& in, std::string_view issue) {
  std::vector<const engine::ServicePlan*> out;
  for (const engine::ServicePlan& plan : in.config.plan.services) {
    if (std::ranges::find(plan.issues, issue, &engine::IssuePlan::name) != plan.issues.end()) out.push_back(&plan);
  }
  return out;
}

/// Where it has no part of it that was told.
bool has_part(const engine::ServicePlan& plan, std::string_view issue) {
  return !std::ranges::find(plan.issues, issue, &engine::IssuePlan::name)->checks.empty();
}

/// What an issue names must be there in one of its services at least: else it is misspelt. `name_of` a check: by which
/// it would be named; `what` that is.
template <class NameOf>
void check_known(const Resolution& in, const std::vector<const engine::ServicePlan*>& services,
                 const Placed<std::string>& named, std::string_view what, NameOf name_of) {
  std::vector<std::string_view> known;
  for (const engine::ServicePlan* plan : services) {
    for (const engine::CheckPlan& one : plan->checks) {
      known.push_back(name_of(one));
      if (known.back() == named.value) return;
    }
  }
  in.reader.problem(named.node->at, fmt::format("no service with this issue has {} {}", what, quote(named.value)),
                    nearest(named.value, known));
}

}  // namespace

void resolve_issues(const Resolution& in, Named<ServiceDraft>& service) {
  engine::ServicePlan& plan = service.value.plan;
  for (const Placed<std::string>& named : service.value.issues) {
    const Named<IssueDraft>* issue = find_issue(in, named);
    if (issue == nullptr) continue;
    if (std::ranges::find(plan.issues, issue->name, &engine::IssuePlan::name) != plan.issues.end()) {
      in.reader.problem(named.node->at, fmt::format("`{}` is named twice", issue->name));
      continue;
    }
    engine::IssuePlan out;
    out.name = issue->name;
    take_checks(in, plan, *issue, named.node->at, out);
    out.ladder = ladder_of(in, service, issue->value.ladder, {});
    out.limits = issue->value.ladder.limits;
    plan.issues.push_back(std::move(out));
  }
}

void check_issues(const Resolution& in) {
  for (const Named<IssueDraft>& issue : in.draft.issues) {
    if (issue.value.checks.empty() && issue.value.alerts.empty()) {
      in.reader.problem(issue.at, fmt::format("`checks` or `alerts` must say by what `{}` is known", issue.name));
    }
    const auto services = services_with(in, issue.name);
    if (services.empty()) {
      remark(in, issue.at,
             fmt::format("no service has `{0}` among its `issues`: its ladder is never taken", issue.name));
      continue;
    }
    if (std::ranges::none_of(services, [&](const auto* plan) { return has_part(*plan, issue.name); })) continue;
    for (const auto& check : issue.value.checks)
      check_known(in, services, check, "a check", [](const auto& one) -> std::string_view { return one.name; });
    for (const auto& alert : issue.value.alerts)
      check_known(in, services, alert, "a check of the alert", [&](const auto& one) { return alert_of(in, one); });
  }
}

}  // namespace homeostat::config
