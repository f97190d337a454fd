// escalate: a human is called; nothing is repaired by it, so the ladder goes on at once.
#include "engine/calls.hpp"
#include "engine/diagnose.hpp"
#include "engine/escalate.hpp"
#include "engine/repair.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

std::optional<std::string> validate(const Case& c) {
  if (auto why = unmet(c)) return why;
  return c.walk.by.empty() ? told_already(c.t, c.service, c.rung.name) : std::nullopt;
}

Wish wish(const Case& c) { return common_wish(c, "escalate"); }

std::string summary_of(const Case& c) {
  const LadderState& ladder = c.t.durable(c.service).ladders[c.place.slot];
  const std::uint32_t repairs = ladder.tries > 0 ? ladder.tries - 1 : 0;
  const bool shadow = calls_nobody(c.t, c.service);
  const std::string tried = std::to_string(repairs) + (shadow ? " repairs would have been tried" : " repairs tried");
  const std::string name = place_name(c.t, c.service, c.place.slot);
  if (!c.walk.by.empty() && !c.view.failing) {
    return name + ": what " + c.walk.by + " asked for did not help; " + tried;
  }
  std::string down = name + " is down: " + wish(c).evidence + "; " + tried;
  if (connected_with(c.t, c.service).size() == 1) return down;
  return down + ". It fails with others: " + candidates_of(c.t, c.service);
}

void execute(const Case& c) {
  escalate(c.t, c.service, c.incident, c.rung.name, summary_of(c));
  ladder_try_failed(c.t, c.service, c.place);
}

}  // namespace

const Strategy kEscalate{validate, execute, wish, false};

}  // namespace homeostat::engine
