// rollback: every instance on the failing release returns to the last one that was proved well, or to the one named.
#include "engine/operations.hpp"
#include "engine/rollout.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

std::string failing_version(const Case& c) {
  for (const auto& [slot, instance] : c.t.durable(c.service).instances) {
    if (slot == c.place.slot || c.place.slot < 0) return instance.version;
  }
  return {};
}

std::string rollback_target(const Case& c) {
  if (!c.rung.version.empty()) return c.rung.version;
  const ServiceState& state = c.t.durable(c.service);
  const std::string bad = failing_version(c);
  for (const std::string& version : std::views::reverse(state.stable.all())) {
    if (version != bad && !state.quarantined.contains(version)) return version;
  }
  return {};
}

std::optional<std::string> unfit_to_leave(const Case& c) {
  if (c.t.durable(c.service).is_stable(failing_version(c))) return "its release has been proved well";
  if (rollback_target(c).empty()) return "no other release has been proved well";
  return std::nullopt;
}

// Who names a release wants it also where the one that fails was proved well.
std::optional<std::string> unfit_to_take(const Case& c) {
  const std::string& named = c.rung.version;
  if (failing_version(c) == named) return "it is on " + named + " already";
  if (c.t.durable(c.service).quarantined.contains(named)) return "release " + named + " is quarantined";
  return std::nullopt;
}

std::optional<std::string> validate(const Case& c) {
  if (!c.t.plan(c.service).runtime.releases) return "the runtime has no releases";
  if (rollout_active(c.t, c.service)) return "a rollout is under way: it turns back by itself";
  if (auto why = unmet(c)) return why;
  if (!c.t.plan(c.service).runtime.managed) return std::nullopt;  // the user's command knows its releases
  return c.rung.version.empty() ? unfit_to_leave(c) : unfit_to_take(c);
}

Wish wish(const Case& c) {
  Wish w = common_wish(c, "rollback");
  w.op = c.t.plan(c.service).runtime.managed ? Op::restart : Op::rollback;
  w.version = rollback_target(c);
  return w;
}

void execute(const Case& c) {
  if (!c.t.plan(c.service).runtime.managed || is_shadow(c.t, c.service)) return begin_action(c.t, wish(c));
  stop_operation(c.t, c.service, "its release fails; rolled back");
  OperationWish operation;
  operation.kind = OperationKind::rollback;
  operation.version = rollback_target(c);
  const std::string bad = failing_version(c);
  // The failing instance first: it has nothing to lose.
  if (c.place.slot >= 0) operation.slots.push_back(c.place.slot);
  for (const auto& [slot, instance] : c.t.durable(c.service).instances) {
    if (slot != c.place.slot && instance.version == bad && c.t.wanted(c.service, slot)) operation.slots.push_back(slot);
  }
  operation.incident = c.incident;
  operation.repair = true;
  operation.for_slot = c.place.slot;
  operation.verify_within = c.rung.verify_within;
  begin_operation(c.t, c.service, std::move(operation));
}

}  // namespace

const Strategy kRollback{validate, execute, wish, true};

}  // namespace homeostat::engine
