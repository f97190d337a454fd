#include "config/warnings.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "config/releases.hpp"
#include "homeostat/scaling_check.hpp"

namespace homeostat::config {
namespace {

/// The core begins a warning with the direction or the metric that it is about. Of limits that nobody has given nothing
/// is said.
std::optional<Position> place_of(const ScalingPosition& at, const ScalingPolicy& policy, std::string_view warning) {
  if (warning.starts_with("up:")) return at.up_limits;
  if (warning.starts_with("down:")) return at.down_limits;
  for (std::size_t i = 0; i < policy.metrics.size(); ++i) {
    if (warning.starts_with(policy.metrics[i].id + " ")) return at.metrics[i];
  }
  return at.whole;
}

void warn_of_calls(const Config& config, std::vector<Problem>& out) {
  if (config.notifiers.empty() || config.plan.default_notifier != engine::kNone) return;
  const Position at = config.notifiers_at;
  out.push_back({config.path,
                 at.line,
                 at.column,
                 "none of these notifiers is called `default` or `oncall`: calls for which no rung names one, as those "
                 "of a service without `remediation` and those about Homeostat itself, go to nobody",
                 {}});
}

void warn_of_scaling(const Config& config, std::vector<Problem>& out) {
  for (const ScalingPosition& at : config.scalings) {
    const engine::ServicePlan& plan = config.plan.services[at.service];
    const ScalingPolicy& policy = plan.scaling->policy;
    for (const std::string& warning : warnings(policy)) {
      const auto place = place_of(at, policy, warning);
      if (place) out.push_back({config.path, place->line, place->column, plan.name + ": " + warning, {}});
    }
  }
}

/// Releases come and go, so that this keeps nobody from starting; where there are none at all, this is another machine.
void warn_of_releases(const Config& config, std::vector<Problem>& out) {
  namespace fs = std::filesystem;
  for (const VersionPosition& named : config.rollbacks) {
    const std::string releases = releases_of(config.runtimes[named.service]);
    std::error_code error;
    if (!fs::is_directory(releases, error) || fs::is_directory(fs::path(releases) / named.version, error)) continue;
    const std::string& service = config.plan.services[named.service].name;
    out.push_back(
        {config.path,
         named.at.line,
         named.at.column,
         fmt::format("{}: there is no release {} in {}: this rung will fail", service, named.version, releases),
         {}});
  }
}

}  // namespace

std::vector<Problem> warnings_of(const Config& config) {
  std::vector<Problem> out = config.remarks;
  warn_of_calls(config, out);
  warn_of_scaling(config, out);
  warn_of_releases(config, out);
  return out;
}

}  // namespace homeostat::config
