#include <array>

#include "core/pick.hpp"
#include "homeostat/healing.hpp"
#include "homeostat/observation.hpp"

namespace homeostat {

std::string_view to_string(Result result) {
  static constexpr std::array<std::string_view, 5> kNames{"success", "degraded", "failure", "timeout", "unknown"};
  return pick(kNames, result);
}

std::string_view to_string(Reason reason) {
  static constexpr std::array<std::string_view, 21> kNames{
      "none",         "exited",     "signalled", "refused",        "reset",       "unreachable", "timed_out",
      "wrong_status", "wrong_body", "garbage",   "too_large",      "too_slow",    "exit_code",   "not_found",
      "stale",        "tls",        "other",     "no_descriptors", "no_resolver", "internal",    "reported"};
  return pick(kNames, reason);
}

std::string_view to_string(Status status) {
  static constexpr std::array<std::string_view, 5> kNames{"unknown", "healthy", "degraded", "unhealthy", "critical"};
  return pick(kNames, status);
}

std::string_view to_string(Role role) {
  static constexpr std::array<std::string_view, 3> kNames{"alive", "ready", "watch"};
  return pick(kNames, role);
}

std::string_view to_string(Scope scope) {
  static constexpr std::array<std::string_view, 2> kNames{"instance", "service"};
  return pick(kNames, scope);
}

std::string_view to_string(HealingStep step) {
  static constexpr std::array<std::string_view, 10> kNames{"verdict",   "skipped",          "failed",   "timed_out",
                                                           "repaired",  "unverified",       "verified", "recovered",
                                                           "escalated", "escalation_failed"};
  return pick(kNames, step);
}

}  // namespace homeostat
