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

void add_dependent(PlanIndex& index, ServiceId on, ServiceId dependent) {
  std::vector<ServiceId>& list = index.dependents[on];
  if (list.empty() || list.back() != dependent) list.push_back(dependent);
}

}  // namespace

void index_plan(State& s) {
  s.index = {};
  s.index.facts.reserve(s.plan.services.size());
  s.index.by_name.reserve(s.plan.services.size());
  for (ServiceId id = 0; id < s.plan.services.size(); ++id) {
    const ServicePlan& plan = s.plan.services[id];
    ServiceState& facts = s.durable.services[plan.name];
    if (plan.runtime.managed) facts.instances.reserve(plan.instances);
    s.index.facts.push_back(&facts);
    s.index.by_name.push_back(id);
    s.index.instances += plan.instances;
    for (const ServiceId on : plan.depends_on) add_dependent(s.index, on, id);
    for (const Prerequisite& p : plan.prerequisites) {
      if (p.service != kNone) add_dependent(s.index, p.service, id);
    }
  }
  std::ranges::sort(s.index.by_name, {}, [&s](ServiceId id) -> const std::string& { return s.plan.services[id].name; });
  index_policies(s);
}

std::optional<ServiceId> service_named(const State& s, std::string_view name) {
  const auto name_of = [&s](ServiceId id) -> std::string_view { return s.plan.services[id].name; };
  const auto at = std::ranges::lower_bound(s.index.by_name, name, {}, name_of);
  return at != s.index.by_name.end() && name_of(*at) == name ? std::optional(*at) : std::nullopt;
}

}  // namespace homeostat::engine
