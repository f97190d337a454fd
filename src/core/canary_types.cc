#include "homeostat/canary_types.hpp"

#include <cmath>

namespace homeostat::canary {
namespace {

std::unexpected<std::string> wrong(const std::string& field, const std::string& must) {
  return std::unexpected(field + " must be " + must);
}

constexpr double kMostHarm = 10;  // ten times as much again

std::string below(double most) { return "0 or more, and less than " + std::string(most == 1 ? "1" : "10"); }

bool chance(double x) { return x > 0 && x < 0.5; }

std::expected<void, std::string> validate(const Metric& metric) {
  const std::string where = "metric \"" + metric.name + "\": ";
  if (metric.name.empty()) return wrong("a metric's name", "given");
  const double most = metric.worse == Worse::higher ? kMostHarm : 1;  // nothing gets lower by more than all of it
  if (!(metric.fail_above >= 0 && metric.fail_above < most)) return wrong(where + "fail_above", below(most));
  if (!(metric.promote_below > 0 && metric.promote_below < most)) return wrong(where + "promote_below", below(most));
  if (!(metric.promote_points >= 0 && metric.promote_points < 1)) {
    return wrong(where + "promote_points", "from 0 to below 1");
  }
  if (!(metric.weight > 0 && std::isfinite(metric.weight))) return wrong(where + "weight", "above 0");
  if (metric.promote_below < metric.fail_above) return wrong(where + "promote_below", "fail_above or more");
  return {};
}

}  // namespace

std::expected<void, std::string> validate(const Options& options, std::span<const Metric> metrics) {
  if (!chance(options.alpha)) return wrong("alpha", "between 0 and 0.5");
  if (!chance(options.beta)) return wrong("beta", "between 0 and 0.5");
  if (options.stages == 0) return wrong("stages", "at least 1");
  if (options.block < std::chrono::seconds(1)) return wrong("block", "at least 1s");
  if (metrics.empty()) return wrong("metrics", "at least one");
  for (const Metric& metric : metrics) {
    if (auto valid = validate(metric); !valid) return valid;
  }
  return {};
}

std::string_view to_string(Arm arm) { return kArmNames[static_cast<std::size_t>(arm)]; }

std::string_view to_string(Worse worse) { return kWorseNames[static_cast<std::size_t>(worse)]; }
std::string_view to_string(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
std::string_view to_string(Verdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)]; }

}  // namespace homeostat::canary
