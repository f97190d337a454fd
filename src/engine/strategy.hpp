// The repairs. A strategy says whether it applies (`validate`) and begins (`execute`); a new one is a file that
// defines a Strategy, and a line in strategy.cc.
#pragma once

#include <optional>
#include <string>

#include "engine/actions.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// What a strategy is asked to repair.
struct Case {
  Turn& t;
  ServiceId service;
  Place& place;
  const RungPlan& rung;
  std::uint32_t rung_index = 0;
  std::uint32_t attempt = 1;
  std::uint64_t incident = 0;
  View view;
  Walk walk{};
};

struct Strategy {
  /// Why it does not apply now; nothing: it does.
  std::optional<std::string> (*validate)(const Case&);
  /// Begins it. It ends through attempt_ended or its judge_at.
  void (*execute)(const Case&);
  /// The wish the gates are asked about.
  Wish (*wish)(const Case&);
  /// Calling a human passes no gate.
  bool guarded = true;
  /// Of those whose operation is `adjust`: does it, and says what was done.
  std::string (*adjust)(Turn&, ServiceId, const Intent&) = nullptr;
};

const Strategy& strategy_of(StrategyKind kind);
/// Of those that adjust what the engine itself wants, by the name their intents have.
const Strategy& adjusting(std::string_view name);

/// A wish with what every strategy says alike.
Wish common_wish(const Case& c, const char* strategy);
/// Why the rung's condition does not hold, or that it has been tried in vain too often; nothing: it may be used.
std::optional<std::string> unmet(const Case& c);

extern const Strategy kRestart;
extern const Strategy kRollback;
extern const Strategy kScaleUp;
extern const Strategy kDrain;
extern const Strategy kExec;
extern const Strategy kEscalate;

}  // namespace homeostat::engine
