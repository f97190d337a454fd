#include "config/resolve.hpp"

#include <fmt/format.h>

#include <map>

#include "config/resolve_parts.hpp"
#include "config/servers.hpp"

namespace homeostat::config {
namespace {

constexpr std::uint64_t kMostInstances = 100'000;
constexpr std::uint64_t kMostTargets = 1'000'000;  // (check, instance) pairs

struct PortUse {
  std::string port_of;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool own = false;  // Homeostat itself holds it: what is started gets another one
};

/// Ports of one service: enough of them, and nobody else's.
void check_ports(const Resolution& in, const Named<ServiceDraft>& service, std::vector<PortUse>& used) {
  const auto* spec = std::get_if<runtime::ProcessSpec>(&service.value.run.spec);
  if (spec == nullptr || spec->first_port == 0) return;
  const Position at = find_at(*service.node, {"run", "process", "ports"});
  const std::uint32_t room = spec->last_port - spec->first_port + 1U;
  if (room < service.value.plan.instances) {
    in.reader.problem(at, fmt::format("{} ports for {}", room, show_places(service.value.plan)));
  }
  for (const PortUse& other : used) {
    if (other.own && room > service.value.plan.instances) continue;
    if (spec->first_port <= other.last && other.first <= spec->last_port) {
      in.reader.problem(at, other.first == other.last
                                ? fmt::format("{} uses port {} already", other.port_of, other.first)
                                : fmt::format("{} uses ports {}-{} already", other.port_of, other.first, other.last));
      break;
    }
  }
  used.push_back({fmt::format("service `{}`", service.name), spec->first_port, spec->last_port});
}

/// The key of its name, and an example of one for several instances.
std::pair<const char*, const char*> naming_of(const runtime::KeptSpec& spec) {
  using By = runtime::KeptSpec::By;
  if (spec.by == By::systemd) return {"unit", "web@{instance}.service"};
  return {spec.by == By::supervisord ? "program" : "container", "web-{instance}"};
}

/// Instances that somebody else runs are told apart by their names, and each is ours alone.
void check_units(const Resolution& in, const Named<ServiceDraft>& service, std::map<std::string, std::string>& used) {
  const auto* spec = std::get_if<runtime::KeptSpec>(&service.value.run.spec);
  if (spec == nullptr || spec->unit.empty()) return;
  const Node& run = service.node->find("run")->items.front();
  const auto [key, example] = naming_of(*spec);
  const bool template_of = spec->unit.find(kInstance) != std::string::npos;
  if (!template_of && service.value.plan.instances > 1) {
    in.reader.problem(run.where(key), fmt::format("one {} cannot be {} instances: name a template, such as `{}`", key,
                                                  service.value.plan.instances, example));
  }
  if (!spec->releases.empty() && service.value.plan.instances > 1) {
    in.reader.problem(run.where("releases"), "one link cannot be several versions: `releases` needs `instances: 1`");
  }
  in.config.units.push_back({static_cast<std::uint32_t>(in.config.plan.services.size()), run.where(key)});
  const auto [other, fresh] = used.emplace(spec->peer + " " + spec->unit, service.name);
  if (!fresh) in.reader.problem(run.where(key), fmt::format("service `{}` is this {} already", other->second, key));
}

/// Numbers of one service that must fit together; fills what has a default that depends on others.
void check_counts(const Resolution& in, Named<ServiceDraft>& service) {
  const Node& node = *service.node;
  engine::ServicePlan& plan = service.value.plan;
  plan.min_healthy = service.value.min_healthy.value_or(std::min(1U, plan.instances));
  if (plan.min_healthy > plan.instances) {
    in.reader.problem(node.where("min_healthy"), fmt::format("min_healthy {} of {} instances can never be reached",
                                                             plan.min_healthy, plan.instances));
  }
  plan.max_unavailable = service.value.max_unavailable.value_or(in.draft.guardrails.max_unavailable);
  if (service.value.max_unavailable && plan.max_unavailable.count > std::max(plan.instances, 1U)) {
    in.reader.problem(node.where("max_unavailable"), fmt::format("max_unavailable {} of {} instances guards nothing",
                                                                 plan.max_unavailable.count, plan.instances));
  }
  if (plan.backoff.initial > plan.backoff.max) {
    in.reader.problem(find_at(node, {"backoff", "initial"}),
                      fmt::format("the first wait {} is longer than the longest {}",
                                  show_duration(plan.backoff.initial), show_duration(plan.backoff.max)));
  }
}

/// Which group's budget the service shares.
void resolve_group(const Resolution& in, const Named<ServiceDraft>& service, engine::ServicePlan& plan) {
  const std::string& name = service.value.group;
  if (name.empty()) return;
  std::vector<std::string_view> known;
  for (const engine::GroupPlan& group : in.config.plan.groups) {
    if (group.name == name) plan.group = static_cast<std::uint32_t>(known.size());
    known.push_back(group.name);
  }
  if (plan.group == engine::kNone) {
    in.reader.problem(service.node->where("group"), fmt::format("no group of `guardrails` is called {}", quote(name)),
                      nearest(name, known));
  }
}

void resolve_guardrails(const Resolution& in) {
  const GuardrailsDraft& draft = in.draft.guardrails;
  engine::Plan& plan = in.config.plan;
  plan.instance = draft.instance;
  for (const Named<engine::Budget>& group : draft.groups) plan.groups.push_back({group.name, group.value});
  plan.fleet = draft.fleet;
  plan.maintenance = resolve_windows(in, draft.maintenance);
  plan.approval_within = draft.approve_within;
  plan.storm_cool_down = draft.storm_cool_down;
}

// Who ends by himself is neither scaled nor replaced in stages.
void check_completion(const Resolution& in, const Named<ServiceDraft>& service) {
  const engine::ServicePlan& plan = service.value.plan;
  if (!plan.completion) return;
  const Position at = service.node->where("completion");
  if (!plan.runtime.managed && plan.runtime.identity != 0) {
    in.reader.problem(
        at,
        "this runtime does not tell how a run ended (`status` of `exec` tells how it is now): `completion` "
        "needs `process`, `systemd`, `supervisord`, `docker` or `podman`");
  }
  if (plan.scaling || plan.rollout) in.reader.problem(at, "what is meant to end has neither `scaling` nor `rollout`");
}

std::uint32_t default_notifier(const std::vector<NotifierSpec>& notifiers) {
  for (const std::string_view usual : {"default", "oncall"}) {
    for (std::uint32_t i = 0; i < notifiers.size(); ++i) {
      if (notifiers[i].command.name == usual) return i;
    }
  }
  return notifiers.size() == 1 ? 0 : engine::kNone;
}

void check_totals(const Resolution& in, const Node& root) {
  std::uint64_t instances = 0, targets = 0;
  for (const engine::ServicePlan& service : in.config.plan.services) {
    instances += service.instances;
    targets += std::uint64_t{service.instances} * service.checks.size();
  }
  if (instances > kMostInstances || targets > kMostTargets) {
    in.reader.problem(root.where("services"),
                      fmt::format("{} instances with {} checks together; at most {} and {} are supported", instances,
                                  targets, kMostInstances, kMostTargets));
  }
  if (in.config.plan.services.empty() && root.find("services") != nullptr) {
    in.reader.problem(root.where("services"), "at least one service is needed");
  }
}

}  // namespace

void remark(const Resolution& in, Position at, std::string text) {
  in.config.remarks.push_back({in.config.path, at.line, at.column, std::move(text), {}});
}

Position find_at(const Node& node, std::initializer_list<std::string_view> path) {
  const Node* at = &node;
  for (const std::string_view key : path) {
    const Node* next = at->find(key);
    if (next == nullptr) break;
    at = next;
  }
  return at->at;
}

void check_breakers(const Resolution& in, const Node& root) {
  const BreakerOptions& breakers = in.draft.breakers;
  if (breakers.open_for > breakers.open_cap) {
    in.reader.problem(find_at(root, {"breakers", "open_for"}),
                      fmt::format("the first wait {} is longer than open_cap {}", show_duration(breakers.open_for),
                                  show_duration(breakers.open_cap)));
  }
  if (const auto valid = validate(breakers); !valid) in.reader.problem(find_at(root, {"breakers"}), valid.error());
}

std::uint64_t identity_of(const NotifierDraft& notifier) {
  const CommandSpec& c = notifier.spec.command;
  Fingerprint print;
  print.add(c.argv).add(c.user).add(c.cwd).add(static_cast<std::uint64_t>(c.timeout.count()));
  if (notifier.spec.sender) print.add(notifier.identity);
  return print.value();
}

// A notifier is ended at its time-out; whatever takes longer than all of them has been lost.
Duration notified_within(const std::vector<NotifierSpec>& notifiers) {
  Duration longest{};
  for (const NotifierSpec& notifier : notifiers) longest = std::max(longest, notifier.command.timeout);
  return longest + std::chrono::seconds(30);
}

// What nobody says how to run is not ours: it is looked at, and what needs it can be explained by it.
void make_external(ServiceDraft& service) {
  service.run.spec = runtime::ExecSpec{};
  service.run.plan.identity = Fingerprint().add("external").value();
  service.plan.external = true;
}

void resolve(FileDraft& draft, const Node& root, Reader& reader, Config& config) {
  const Resolution in{draft, reader, config};
  for (Named<NotifierDraft>& notifier : draft.notifiers) {
    NotifierSpec& spec = notifier.value.spec;
    spec.command.name = notifier.name;
    // So that the sender says itself that time is up, which tells more than to be killed.
    if (spec.sender) spec.sender->timeout = spec.command.timeout / 10 * 9;
    config.plan.notifiers.push_back({notifier.name, identity_of(notifier.value)});
    config.notifiers.push_back(std::move(spec));
  }
  config.notifiers_at = root.where("notify");
  config.plan.default_notifier = default_notifier(config.notifiers);
  config.plan.notified_within = notified_within(config.notifiers);
  resolve_guardrails(in);
  config.plan.breaker = draft.breakers;
  check_breakers(in, root);
  if (draft.alerts) config.alerts = take_alerts(*draft.alerts, *root.find("alerts"), reader);
  if (const Node* own = root.find("defaults"); own != nullptr && own->find("fast_interval") != nullptr) {
    check_timing(in, draft.defaults, *own);
  }
  config.plan.services.reserve(draft.services.size());
  config.runtimes.reserve(draft.services.size());
  std::vector<PortUse> ports;
  if (config.alerts)
    ports.push_back({.port_of = "`alerts`", .first = config.alerts->port, .last = config.alerts->port, .own = true});
  std::map<std::string, std::string> units;
  for (std::uint32_t i = 0; i < draft.services.size(); ++i) {
    Named<ServiceDraft>& service = draft.services[i];
    engine::ServicePlan& plan = service.value.plan;
    plan.name = service.name;
    if (service.node->find("run") == nullptr) make_external(service.value);
    plan.runtime = service.value.run.plan;
    plan.runtime.reference = i;
    plan.release = service.value.run.release;
    resolve_scaling(in, service);
    check_counts(in, service);
    resolve_group(in, service, plan);
    plan.maintenance = resolve_windows(in, service.value.maintenance);
    resolve_rollout(in, service);
    resolve_traffic(in, service);
    check_ports(in, service, ports);
    check_units(in, service, units);
    resolve_checks(in, service);
    resolve_ladder(in, service);
    resolve_issues(in, service);
    check_completion(in, service);
    config.runtimes.push_back(std::move(service.value.run.spec));
    config.plan.services.push_back(std::move(plan));
  }
  // They stay for as long as the program runs: no room that is never used.
  config.probes.shrink_to_fit();
  resolve_names(in);
  check_issues(in);
  check_totals(in, root);
}

}  // namespace homeostat::config
