#include "engine/scaling_approval.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/actions.hpp"
#include "engine/escalate.hpp"

namespace homeostat::engine {
namespace {

std::vector<Incarnation> leaving(Turn& t, ServiceId id, const std::vector<Slot>& spare) {
  std::vector<Incarnation> out;
  for (const Slot slot : spare) {
    if (!t.wanted(id, slot)) continue;
    const InstanceState* known = t.instance(id, slot);
    out.push_back(known == nullptr ? Incarnation{} : known->incarnation);
  }
  return out;
}

bool same(Turn& t, ServiceId id, const ScalingAsked& asked, const ScalingWish& wish) {
  return asked.from == wish.from && asked.to == wish.to && asked.spare == wish.spare &&
         asked.leaving == leaving(t, id, wish.spare);
}

/// What somebody has agreed to is part of what is wished for.
bool covers(Turn& t, ServiceId id, const ScalingAsked& asked, const ScalingWish& wish) {
  const bool same_way = (asked.to > asked.from) == (wish.to > wish.from);
  return asked.from == wish.from && same_way && std::abs(asked.to - asked.from) <= std::abs(wish.to - wish.from) &&
         asked.leaving == leaving(t, id, asked.spare);
}

}  // namespace

std::optional<ScalingAsked> ask_for_scaling(Turn& t, ServiceId id, const ScalingWish& wish) {
  if (const auto& asked = t.durable(id).scaling->asked) {
    const bool approved = t.durable(id).scaling->approved;
    if (approved && covers(t, id, *asked, wish)) return *asked;
    if (!approved && same(t, id, *asked, wish)) return std::nullopt;
    drop_scaling(t, id, "the decision has changed");
  }
  t.record(ScalingAsked{t.next_id(), t.plan(id).name, wish.from, wish.to, wish.spare, leaving(t, id, wish.spare),
                        later(t.now, t.s.plan.approval_within), wish.reason});
  return std::nullopt;
}

void drop_scaling(Turn& t, ServiceId id, const std::string& why) {
  const auto& scaling = t.durable(id).scaling;
  if (!scaling || !scaling->asked) return;
  t.record(ScalingDropped{scaling->asked->id, t.plan(id).name, why});
}

void expire_scaling(Turn& t, ServiceId id) {
  const ScalingAsked* asked = t.durable(id).asked_scaling();
  if (asked == nullptr) return;
  if (t.now < asked->until) return t.wake_at(asked->until);
  const std::string what = asked->reason;
  drop_scaling(t, id, "nobody has approved it in time");
  if (std::exchange(t.live(id).scaling->unanswered, true)) return;
  escalate(t, id, 0, default_notifier(t),
           "nobody has approved another number of instances of " + t.plan(id).name +
               " in time; it is asked for again: " + what);
}

bool approve_scaling(Turn& t, CommandId id, const std::string& by) {
  for (ServiceId service = 0; service < t.s.services.size(); ++service) {
    const auto& scaling = t.durable(service).scaling;
    if (!scaling || !scaling->asked || scaling->asked->id != id || !t.live(service).scaling) continue;
    if (scaling->approved) return true;
    t.record(Approved{id, by});
    t.live(service).scaling->next_at = kLongAgo;
    t.live(service).scaling->unanswered = false;
    t.mark(service);
    return true;
  }
  return false;
}

}  // namespace homeostat::engine
