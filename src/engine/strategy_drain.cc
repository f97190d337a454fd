// drain: the instance gets no requests until it is well again; what it does with the rest is its own affair.
#include "engine/strategy.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

std::optional<std::string> validate(const Case& c) {
  if (!c.t.plan(c.service).routed) return "no proxy leads requests to it";
  if (c.place.slot < 0) return "all of it fails: somebody has to answer";
  if (auto why = unmet(c)) return why;
  if (is_drained(c.t, c.service, c.place.slot)) return "it is out of the traffic already";
  if (others_serving(c.t, c.service, c.place.slot) == 0) return "no other instance could take its requests";
  return std::nullopt;
}

Wish wish(const Case& c) {
  Wish w = common_wish(c, "drain");
  w.op = Op::adjust;
  w.idempotent = true;
  return w;
}

void execute(const Case& c) { begin_action(c.t, wish(c)); }

std::string adjust(Turn& t, ServiceId, const Intent& intent) {
  t.record(Drained{intent.service, intent.slot, true, intent.evidence});
  return "it gets no requests until it is well";
}

}  // namespace

const Strategy kDrain{validate, execute, wish, true, adjust};

}  // namespace homeostat::engine
