#include "config/servers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace homeostat::config {
namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) out += (i == 0 ? "" : ", ") + quote(names[i]);
  return names.size() > kShown ? fmt::format("{} and {} more", out, names.size() - kShown) : out;
}

}  // namespace

std::string show_places(const engine::ServicePlan& plan) {
  if (!plan.rollout) return fmt::format("{} instances", plan.instances);
  const std::uint32_t baseline = plan.rollout->policy.baseline;
  const std::uint32_t rest = plan.instances - baseline;
  const std::uint32_t surge =
      plan.rollout->policy.strategy == rollout::Strategy::blue_green ? rest / 2 : plan.rollout->policy.surge;
  const std::string compared = baseline > 0 ? fmt::format(" and {} to compare with", baseline) : std::string();
  return fmt::format("{} instances: {}, {} more while a new version takes over{}", plan.instances, rest - surge, surge,
                     compared);
}

std::string lacking_servers(const engine::ServicePlan& plan, std::string_view backend,
                            const std::vector<std::string>& needed, const std::vector<std::string>& has) {
  if (has.empty()) return fmt::format("HAProxy has no backend {} with servers", quote(backend));
  std::vector<std::string> lacks;
  for (const std::string& name : needed) {
    if (std::ranges::find(has, name) == has.end()) lacks.push_back(name);
  }
  if (lacks.empty()) return {};
  const std::size_t count = needed.size() - lacks.size();
  // Where none is known the names are wrong rather than the number.
  return fmt::format("HAProxy's backend {} has {} servers for {}; it has no {}{}", quote(backend), count,
                     show_places(plan), listed(lacks), count == 0 ? ", but " + listed(has) : "");
}

}  // namespace homeostat::config
