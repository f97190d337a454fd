#include "engine/strategy.hpp"

#include <algorithm>

#include "engine/ejection.hpp"
#include "engine/engine.hpp"
#include "engine/failure.hpp"

namespace homeostat::engine {
namespace {

// What did not help yesterday may help today.
constexpr Duration kTriedAgain = std::chrono::hours(24);

bool changed_within(const Case& c, Duration span) {
  return std::ranges::any_of(c.t.durable(c.service).changed, [&](const auto& change) {
    const auto& [slot, last] = change;
    const bool here = c.place.slot < 0 || slot < 0 || slot == c.place.slot;  // below 0: all of it
    return here && c.t.now < later(last.at, span);
  });
}

// It fails, or is about to: its last look has failed, and the verdict is a question of time.
bool begins_to_fail(const Case& c, const Place& place) {
  if (view_of(c.t, c.service, place.slot).failing) return true;
  return std::ranges::any_of(place.targets, [&](TargetId id) {
    const Target& target = c.t.s.targets[id];
    const bool alive = c.t.plan(c.service).checks[target.check].role == Role::alive;
    return alive && target.active && target.health.failures() > 0;
  });
}

// Where the service as a whole fails, all of its instances do.
std::optional<std::string> too_few_fail(const Case& c, std::uint32_t percent) {
  if (view_of(c.t, c.service, kWhole).failing) return std::nullopt;
  std::uint32_t wanted = 0;
  std::uint32_t failing = 0;
  for (const Place& place : c.t.live(c.service).places) {
    if (place.slot < 0 || !c.t.wanted(c.service, place.slot)) continue;
    ++wanted;
    failing += begins_to_fail(c, place) ? 1 : 0;
  }
  if (std::uint64_t{100} * failing > std::uint64_t{percent} * wanted) return std::nullopt;
  return std::to_string(failing) + " of " + std::to_string(wanted) + " instances fail, not more than " +
         std::to_string(percent) + " %";
}

// What it died of is told in the same words as here.
bool killed_so(const Case& c) {
  const Condition& when = c.rung.when;
  const Observation killed{Result::failure, Reason::signalled, when.killed_by, {}};
  const std::string how = c.view.dead ? c.t.durable(c.service).detail_of(c.place.slot) : std::string();
  return how == explain_end(killed, true) || (!when.out_of_memory && how == explain_end(killed, false));
}

std::optional<std::string> in_vain(const Case& c) {
  if (c.rung.skip_after == 0) return std::nullopt;
  const std::string failure = failure_of(c.t, c.service, c.place.slot);
  const Wish wish = strategy_of(c.rung.strategy).wish(c);
  const std::string strategy =
      c.rung.reach != Reach::one ? std::string(name_of(OperationKind::restart_all)) : wish.strategy;
  const auto& known = c.t.durable(c.service).in_vain;
  const auto tries = known.find(in_vain_key(strategy, wish.name, failure));
  if (tries == known.end() || tries->second.tries < c.rung.skip_after) return std::nullopt;
  if (c.t.now >= later(tries->second.last, kTriedAgain)) return std::nullopt;
  return "its last " + std::to_string(tries->second.tries) + " tries against " + failure + " did not help";
}

}  // namespace

const Strategy& strategy_of(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::restart:
      return kRestart;
    case StrategyKind::rollback:
      return kRollback;
    case StrategyKind::scale_up:
      return kScaleUp;
    case StrategyKind::drain:
      return kDrain;
    case StrategyKind::exec:
      return kExec;
    case StrategyKind::escalate:
      break;
  }
  return kEscalate;
}

const Strategy& adjusting(std::string_view name) { return name == "drain" ? kDrain : kScaleUp; }

Wish common_wish(const Case& c, const char* strategy) {
  Wish wish;
  wish.service = c.service;
  wish.slot = c.place.slot;
  wish.strategy = strategy;
  wish.incident = c.incident;
  wish.rung = c.rung_index;
  wish.attempt = c.attempt;
  wish.issue = c.walk.issue;
  wish.by = c.walk.by;
  wish.verify_within = c.rung.verify_within;
  const InstanceState* instance = c.place.slot < 0 ? nullptr : c.t.instance(c.service, c.place.slot);
  if (instance != nullptr) wish.version = instance->version;
  if (c.view.dead && instance != nullptr) {
    wish.evidence = c.t.durable(c.service).detail_of(c.place.slot);
  } else if (c.view.check != kNone) {
    for (const TargetId id : c.place.targets) {
      const Target& target = c.t.s.targets[id];
      if (target.check == c.view.check) wish.evidence = explain(target.health.last());
    }
    wish.evidence = c.t.plan(c.service).checks[c.view.check].name + ": " + wish.evidence;
  }
  if (!c.view.failing && !c.walk.by.empty()) wish.evidence = "asked for";
  return wish;
}

std::optional<std::string> unmet(const Case& c) {
  const Condition& when = c.rung.when;
  if (when.changed_within != Duration{} && !changed_within(c, when.changed_within)) {
    return "it has not changed recently";
  }
  if (when.ejected && !ejection_of(c.t.s, c.service, c.place.slot)) {
    return "the proxy does not see it fail requests";
  }
  if (when.failing_above) {
    if (auto why = too_few_fail(c, *when.failing_above)) return why;
  }
  if (when.killed_by != 0 && !killed_so(c)) {
    return when.out_of_memory ? "it was not killed for its memory"
                              : "it was not killed by signal " + std::to_string(when.killed_by);
  }
  return in_vain(c);
}

}  // namespace homeostat::engine
