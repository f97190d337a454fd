// escalate: a human is called; nothing is repaired by it, so the ladder goes on at once.
#include "engine/escalate.hpp"
#include "engine/repair.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

std::optional<std::string> validate(const Case& c) { return unmet(c); }

Wish wish(const Case& c) { return common_wish(c, "escalate"); }

void execute(const Case& c) {
  const Wish w = wish(c);
  const std::string where = c.place.slot < 0 ? std::string() : "/" + std::to_string(c.place.slot);
  const LadderState& ladder = c.t.durable(c.service).ladders[c.place.slot];
  const std::uint32_t repairs = ladder.tries > 0 ? ladder.tries - 1 : 0;
  const bool asked = !c.walk.by.empty() && !c.view.failing;
  if (asked) {
    escalate(c.t, c.service, c.incident, c.rung.name,
             c.t.plan(c.service).name + where + ": what " + c.walk.by + " asked for did not help; " +
                 std::to_string(repairs) + " repairs tried");
    return ladder_try_failed(c.t, c.service, c.place);
  }
  escalate(
      c.t, c.service, c.incident, c.rung.name,
      c.t.plan(c.service).name + where + " is down: " + w.evidence + "; " + std::to_string(repairs) + " repairs tried");
  ladder_try_failed(c.t, c.service, c.place);
}

}  // namespace

const Strategy kEscalate{validate, execute, wish, false};

}  // namespace homeostat::engine
