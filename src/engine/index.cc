#include "engine/index.hpp"

#include <algorithm>

namespace homeostat::engine {
namespace {

using Policies = std::map<CheckPolicy, std::uint32_t>;

std::uint32_t policy_index(PlanIndex& index, Policies& known, const CheckPolicy& policy) {
  const auto [at, fresh] = known.emplace(policy, static_cast<std::uint32_t>(index.policies.size()));
  if (fresh) index.policies.push_back(policy);
  return at->second;
}

void index_policies(State& s) {
  Policies known;
  for (Target& target : s.targets) {
    const bool look = target.check == kNone;
    target.policy = policy_index(s.index, known,
                                 look ? CheckPolicy{} : s.plan.services[target.service].checks[target.check].policy);
  }
}

void share_ladders(Plan& plan) {
  constexpr std::size_t kTried = 16;  // one that is rarer than so many others is kept by itself
  std::vector<LadderPlan> known;
  for (ServicePlan& service : plan.services) {
    service.ladder.share(known);
    if (known.size() > kTried) known.erase(known.begin());
  }
}

void add_dependent(PlanIndex& index, ServiceId on, ServiceId dependent) {
  std::vector<ServiceId>& list = index.dependents[on];
  if (list.empty() || list.back() != dependent) list.push_back(dependent);
}

void index_graph(State& s) {
  std::vector<diagnosis::Edge> edges;
  for (ServiceId id = 0; id < s.plan.services.size(); ++id) {
    for (const Need& need : s.plan.services[id].depends_on) edges.push_back({id, need.service, need.tie, need.any_of});
  }
  if (edges.empty()) return;
  auto graph = diagnosis::Graph::make(static_cast<std::uint32_t>(s.plan.services.size()), std::move(edges));
  if (graph) s.index.diagnosing.machine.emplace(*std::move(graph));
}

}  // namespace

void index_plan(State& s) {
  s.index = {};
  share_ladders(s.plan);
  s.index.of_group.resize(s.plan.groups.size());
  s.index.facts.reserve(s.plan.services.size());
  s.index.by_name.reserve(s.plan.services.size());
  for (ServiceId id = 0; id < s.plan.services.size(); ++id) {
    const ServicePlan& plan = s.plan.services[id];
    ServiceState& facts = s.durable.services[plan.name];
    if (plan.runtime.managed) facts.instances.reserve(plan.instances);
    s.index.facts.push_back(&facts);
    s.index.by_name.push_back(id);
    s.index.instances += plan.instances;
    if (plan.group != kNone) s.index.of_group[plan.group] += plan.instances;
    if (plan.scaling || plan.rollout) s.index.elastic.push_back(id);
    if (!plan.maintenance.empty()) s.index.windowed.push_back(id);
    for (const Need& need : plan.depends_on) add_dependent(s.index, need.service, id);
    for (const Prerequisite& p : plan.prerequisites) {
      if (p.service != kNone) add_dependent(s.index, p.service, id);
    }
  }
  std::ranges::sort(s.index.by_name, {}, [&s](ServiceId id) -> const std::string& { return s.plan.services[id].name; });
  index_policies(s);
  index_graph(s);
}

std::optional<ServiceId> service_named(const State& s, std::string_view name) {
  const auto name_of = [&s](ServiceId id) -> std::string_view { return s.plan.services[id].name; };
  const auto at = std::ranges::lower_bound(s.index.by_name, name, {}, name_of);
  return at != s.index.by_name.end() && name_of(*at) == name ? std::optional(*at) : std::nullopt;
}

}  // namespace homeostat::engine
