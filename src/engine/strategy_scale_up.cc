// scale_up: for a while at least so many instances, whatever the metrics say.
#include <algorithm>

#include "core/planted.hpp"
#include "engine/ladder.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

// By the hour, once that has been decided.
std::int32_t most(const Case& c) {
  const auto& live = c.t.live(c.service).scaling;
  const std::int32_t allowed = live && live->max > 0 ? live->max : c.t.plan(c.service).scaling->policy.range.max;
  return c.rung.raise.max == 0 ? allowed : std::min(allowed, static_cast<std::int32_t>(c.rung.raise.max));
}

// One more at least: half as many again of one is one.
std::int32_t wanted(const Case& c) {
  const std::int64_t now = c.t.count(c.service);
  const std::int64_t more = std::max(now + 1, (now * c.rung.raise.percent + 99) / 100);
  if (planted(Bug::raised_beyond)) return static_cast<std::int32_t>(std::max<std::int64_t>(more, most(c) + 1));
  return static_cast<std::int32_t>(std::min<std::int64_t>(more, most(c)));
}

std::optional<std::string> validate(const Case& c) {
  if (!c.t.plan(c.service).scaling) return "it has a fixed number of instances";
  if (auto why = unmet(c)) return why;
  const ScalingState& scaling = *c.t.durable(c.service).scaling;
  if (c.t.now < scaling.held_until) return "its number of instances is held by hand";
  const bool frozen = scaling.frozen == Freeze::up || scaling.frozen == Freeze::both;
  if (frozen && c.t.now < scaling.frozen_until) return "its number of instances is frozen by hand";
  const auto count = static_cast<std::int32_t>(c.t.count(c.service));
  if (count >= most(c))
    return "it has " + std::to_string(count) + " of at most " + std::to_string(most(c)) + " instances";
  return std::nullopt;
}

Wish wish(const Case& c) {
  Wish w = common_wish(c, "scale_up");
  w.op = Op::adjust;
  w.idempotent = true;
  if (c.t.plan(c.service).scaling) w.count = static_cast<std::uint32_t>(wanted(c));
  return w;
}

void execute(const Case& c) { begin_action(c.t, wish(c)); }

Duration hold_of(Turn& t, ServiceId id, const Intent& intent) {
  const auto& rungs = rungs_of(t.plan(id), intent.issue);
  return intent.rung < rungs.size() ? rungs[intent.rung].raise.hold : Raise{}.hold;
}

std::string adjust(Turn& t, ServiceId id, const Intent& intent) {
  const auto count = static_cast<std::int32_t>(intent.count);
  t.record(ScalingRaised{intent.id, intent.service, count, later(t.now, hold_of(t, id, intent))});
  if (t.live(id).scaling) t.live(id).scaling->next_at = kLongAgo;
  return "at least " + std::to_string(count) + " instances from now on";
}

}  // namespace

const Strategy kScaleUp{validate, execute, wish, true, adjust};

}  // namespace homeostat::engine
