#include "engine/failure.hpp"

#include "engine/engine.hpp"

namespace homeostat::engine {
namespace {

/// There are as many kinds as reasons, and of what ends by itself as many as ways to end.
std::string kind_of(const Observation& seen) {
  const bool ended = seen.reason == Reason::exited || seen.reason == Reason::signalled;
  const bool told = (ended || seen.reason == Reason::exit_code) && seen.code >= 0;
  return std::string(to_string(seen.reason)) + (told ? " " + std::to_string(seen.code) : std::string());
}

}  // namespace

std::string failure_of(Turn& t, ServiceId id, Slot slot) {
  const View view = view_of(t, id, slot);
  if (!view.failing) return {};
  std::string failing;
  for (const TargetId one : t.place(id, slot).targets) {
    const Target& target = t.s.targets[one];
    const CheckPlan& check = t.plan(id).checks[target.check];
    if (view.dead ? !check.process : check.role != Role::alive || !target.health.failing()) continue;
    const Observation seen = target.health.last();
    // What ended while nobody looked, or could not be started, has left its check with an older end.
    const std::string how = t.durable(id).detail_of(slot);
    const bool this_end = !view.dead || how == explain_end(seen, false) || how == explain_end(seen, true);
    if (seen.bad() && this_end) return check.name + ": " + kind_of(seen);
    if (failing.empty()) failing = check.name;
  }
  return failing.empty() ? "process" : failing;
}

}  // namespace homeostat::engine
