#include <fmt/format.h>

#include <algorithm>

#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kMostChecks = 10'000;  // of one service

constexpr std::string_view kProcess = "process";

std::vector<std::string_view> texts_of(const probe::HttpSpec& http) {
  std::vector<std::string_view> texts{http.host, http.port, http.path};
  for (const auto& [name, value] : http.headers) texts.push_back(value);
  return texts;
}

/// Every text of a target in which something may have to be filled in; they live as long as `spec`.
std::vector<std::string_view> texts_of(const probe::Spec& spec) {
  std::vector<std::string_view> texts;
  if (const auto* http = std::get_if<probe::HttpSpec>(&spec)) {
    texts = texts_of(*http);
  } else if (const auto* tcp = std::get_if<probe::TcpSpec>(&spec)) {
    texts = {tcp->host, tcp->port, tcp->send};
  } else if (const auto* exec = std::get_if<probe::ExecSpec>(&spec)) {
    texts.assign(exec->argv.begin(), exec->argv.end());
    for (const auto& [name, value] : exec->env) texts.push_back(value);
    texts.push_back(exec->cwd);
  } else if (const auto* file = std::get_if<probe::FileSpec>(&spec)) {
    texts = {file->path};
  } else if (const auto* promql = std::get_if<probe::PromqlSpec>(&spec)) {
    texts = texts_of(*promql->request);
  } else if (const auto* haproxy = std::get_if<probe::HaproxySpec>(&spec)) {
    texts = {haproxy->server};
  } else if (const auto* alert = std::get_if<probe::AlertSpec>(&spec)) {
    for (const auto& [name, value] : alert->labels) texts.push_back(value);
  }
  return texts;
}

void check_placeholders(const Resolution& in, const Named<CheckDraft>& check, const ServiceDraft& service) {
  const probe::Spec& spec = check.value.spec;
  check_placeholders(in, spec, service, *check.node);
  if (check.value.scope == Scope::service && tells_apart(spec)) {
    in.reader.problem(check.node->where("scope"),
                      "with `scope: service` there is no instance to look at or to fill in");
  }
}

void check_process_kind(const Resolution& in, const Named<CheckDraft>& check, const ServiceDraft& service, bool& seen) {
  const bool process =
      std::holds_alternative<probe::ProcessSpec>(check.value.spec) && check.node->find(kProcess) != nullptr;
  if (!process) {
    if (check.name == kProcess)
      in.reader.problem(check.at, "the name `process` is kept for the check of the process itself");
    return;
  }
  if (!service.run.plan.managed) {
    in.reader.problem(check.node->at, "the exec runtime has no process to look at");
  }
  if (check.value.role != Role::alive) in.reader.problem(check.node->where("role"), "a process check is always alive");
  if (seen) in.reader.problem(check.at, "a second check of the process");
  seen = true;
}

void add_check(const Resolution& in, engine::ServicePlan& plan, std::string name, CheckDraft draft) {
  engine::CheckPlan check;
  check.name = std::move(name);
  check.policy = draft.policy;
  check.role = draft.role;
  check.scope = draft.scope.value_or(tells_apart(draft.spec) || plan.instances == 1 ? Scope::instance : Scope::service);
  check.process = std::holds_alternative<probe::ProcessSpec>(draft.spec);
  check.identity = draft.identity;
  check.probe = static_cast<std::uint32_t>(in.config.probes.size());
  in.config.probes.push_back(std::move(draft.spec));
  plan.checks.push_back(std::move(check));
}

void add_process_check(const Resolution& in, engine::ServicePlan& plan) {
  CheckDraft draft;
  draft.policy = process_timing(in.draft.defaults);
  draft.identity = Fingerprint().add(kProcess).value();
  add_check(in, plan, std::string(kProcess), std::move(draft));
}

void add_status_check(const Resolution& in, engine::ServicePlan& plan, const runtime::ExecSpec& runtime) {
  CheckDraft draft;
  draft.policy = in.draft.defaults;
  probe::ExecSpec spec{.argv = runtime.status, .env = {}, .cwd = runtime.cwd, .user = runtime.user};
  draft.identity = Fingerprint().add("exec").add(spec.argv).add(Pairs{}).add(spec.cwd).add(spec.user).value();
  draft.spec = std::move(spec);
  add_check(in, plan, "status", std::move(draft));
}

}  // namespace

bool uses(const probe::Spec& spec, std::string_view placeholder) {
  const auto texts = texts_of(spec);
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string_view text) { return text.find(placeholder) != std::string_view::npos; });
}

bool tells_apart(const probe::Spec& spec) {
  return std::holds_alternative<probe::ProcessSpec>(spec) || std::holds_alternative<probe::RuntimeSpec>(spec) ||
         uses(spec, "{port}") || uses(spec, "{instance}") || uses(spec, "{release}");
}

void check_placeholders(const Resolution& in, const probe::Spec& spec, const ServiceDraft& service, const Node& node) {
  if (service.run.plan.identity == 0) return;  // the runtime could not be read, and that is reported already
  const auto* process = std::get_if<runtime::ProcessSpec>(&service.run.spec);
  if (uses(spec, "{port}") && (process == nullptr || process->first_port == 0)) {
    const bool said = node.find("http") == nullptr || node.find("http")->find("path") == nullptr;
    in.reader.problem(node.at, said ? "`{port}` is used but the service has no `ports`"
                                    : "`path` needs a port: give the service `ports`, or name a `port` or `url`");
  }
  if (uses(spec, "{release}") && (process == nullptr || process->releases.empty())) {
    in.reader.problem(node.at, "`{release}` is used but the service has no `releases`");
  }
}

void check_timing(const Resolution& in, const CheckPolicy& policy, const Node& node) {
  if (policy.fast_interval > policy.interval) {
    in.reader.problem(node.where("fast_interval"),
                      fmt::format("fast_interval {} is longer than interval {}", show_duration(policy.fast_interval),
                                  show_duration(policy.interval)));
  }
  if (policy.degraded_above.count() > 0 && policy.degraded_above >= policy.timeout) {
    in.reader.problem(node.where("degraded_above"),
                      fmt::format("degraded_above {} is never reached: the timeout is {}",
                                  show_duration(policy.degraded_above), show_duration(policy.timeout)));
  }
}

void resolve_checks(const Resolution& in, Named<ServiceDraft>& service) {
  engine::ServicePlan& plan = service.value.plan;
  if (service.value.checks.size() > kMostChecks)
    in.reader.problem(service.node->where("checks"), fmt::format("more than {} checks", kMostChecks));
  bool process_seen = false, alive_seen = false;
  for (const Named<CheckDraft>& check : service.value.checks) {
    check_process_kind(in, check, service.value, process_seen);
    alive_seen = alive_seen || check.value.role == Role::alive;
  }
  if (plan.runtime.managed && !process_seen) add_process_check(in, plan);
  for (Named<CheckDraft>& check : service.value.checks) {
    // An interval shortened alone takes the fast one with it.
    CheckPolicy& policy = check.value.policy;
    if (check.node->find("fast_interval") == nullptr)
      policy.fast_interval = std::min(policy.fast_interval, policy.interval);
    check_timing(in, policy, *check.node);
    complete_check(in, service, check);
    check_placeholders(in, check, service.value);
    const bool kept = std::holds_alternative<runtime::KeptSpec>(service.value.run.spec);
    if (std::holds_alternative<probe::RuntimeSpec>(check.value.spec) && !kept && plan.runtime.identity != 0) {
      in.reader.problem(check.node->at,
                        "this runtime has no view of its own: a `runtime` check is for `systemd`, "
                        "`supervisord`, `docker` and `podman`");
    }
    const auto* http = std::get_if<probe::HttpSpec>(&check.value.spec);
    if (http != nullptr && http->latency_below >= policy.timeout) {
      in.reader.problem(find_at(*check.node, {"http", "expect", "latency_below"}),
                        fmt::format("latency_below {} is never reached: the timeout is {}",
                                    show_duration(http->latency_below), show_duration(policy.timeout)));
    }
    if (std::holds_alternative<probe::AlertSpec>(check.value.spec) && !in.draft.alerts)
      remark(in, check.node->where("alert"), "nobody can post this alert: without `alerts` it never fires");
    add_check(in, plan, check.name, std::move(check.value));
  }
  const auto* exec = std::get_if<runtime::ExecSpec>(&service.value.run.spec);
  if (exec != nullptr && !alive_seen && !exec->status.empty()) {
    for (const Named<CheckDraft>& check : service.value.checks) {
      if (check.name == "status")
        in.reader.problem(check.at, "the name `status` is kept for the runtime's `status` command");
    }
    add_status_check(in, plan, *exec);
  }
  if (exec != nullptr && plan.checks.empty()) {
    in.reader.problem(service.at, "nothing observes this service: give it a check, or its runtime a `status` command");
  }
}

}  // namespace homeostat::config
