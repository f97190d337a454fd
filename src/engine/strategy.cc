#include "engine/strategy.hpp"

#include "engine/engine.hpp"

namespace homeostat::engine {

const Strategy& strategy_of(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::restart:
      return kRestart;
    case StrategyKind::rollback:
      return kRollback;
    case StrategyKind::exec:
      return kExec;
    case StrategyKind::escalate:
      break;
  }
  return kEscalate;
}

Wish common_wish(const Case& c, const char* strategy) {
  Wish wish;
  wish.service = c.service;
  wish.slot = c.place.slot;
  wish.strategy = strategy;
  wish.incident = c.incident;
  wish.rung = c.rung_index;
  wish.attempt = c.attempt;
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
  return wish;
}

std::optional<std::string> not_changed_within(const Case& c) {
  if (c.rung.changed_within == Duration{}) return std::nullopt;
  for (const auto& [slot, at] : c.t.durable(c.service).changed) {
    if (c.place.slot >= 0 && slot >= 0 && slot != c.place.slot) continue;  // below 0: all of it has
    if (c.t.now < later(at, c.rung.changed_within)) return std::nullopt;
  }
  return "the release has not changed recently";
}

}  // namespace homeostat::engine
