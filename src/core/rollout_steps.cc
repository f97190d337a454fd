#include "core/rollout_steps.hpp"

#include <algorithm>
#include <utility>

namespace homeostat::rollout {
namespace {

/// A split seen from the side that grows: going up that is the new version, going down the old one.
struct Shift {
  std::uint32_t growing = 0;
  std::uint32_t other = 0;
  std::uint32_t weight = 0;  // of the growing side
  std::uint32_t ready_growing = 0;
  std::uint32_t ready_other = 0;
  std::uint32_t total() const { return growing + other; }
};

/// So many must be ready at any time, and so many may run.
struct Room {
  std::uint32_t base = 0;
  std::uint32_t most = 1;
};

struct Want {
  std::uint32_t weight = kAll;
  std::uint32_t growing = 0;
  std::uint32_t other = 0;
};

Room room_of(const Policy& policy, std::uint32_t needed) {
  const std::uint32_t surge = surge_of(policy, needed);
  return surge == 0 ? Room{needed - 1, needed} : Room{needed, needed + surge};
}

/// The share that so many ready instances carry, rounded up: as capacity_for sees it.
std::uint32_t carried(std::uint32_t ready, std::uint32_t base) {
  if (ready == 0) return 0;
  if (base == 0) return kAll;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(kAll, (std::uint64_t{ready} * kAll + base - 1) / base));
}

/// What does not serve costs nothing; of the rest, as many as leave `need` behind.
std::uint32_t removable(std::uint32_t count, std::uint32_t ready, std::uint32_t ready_in_all, std::uint32_t need) {
  const std::uint32_t idle = count - std::min(count, ready);
  const std::uint32_t spare = ready_in_all > need ? ready_in_all - need : 0;
  return idle + std::min(spare, std::min(count, ready));
}

Want wanted(const Policy& policy, const State& state, const Goal& goal, const Room& room) {
  if (goal.weight == kAll) return {kAll, state.needed, goal.keep_other ? state.needed : 0};
  Want want;
  want.weight = goal.weight;
  if (policy.routing == Routing::by_count) {
    // Beside all of the old ones, as long as there is room for it; then instead of some of them.
    const std::uint64_t rest = kAll - goal.weight;
    const auto beside = static_cast<std::uint32_t>((2 * std::uint64_t{state.needed} * goal.weight + rest) / (2 * rest));
    want.growing = std::max(1U, beside);
    want.other = state.needed;
    if (state.needed + want.growing <= room.most) return want;
    const std::uint32_t shares[] = {goal.weight, kAll - goal.weight};
    want.growing = std::clamp(apportion(room.most, shares)[0], 1U, std::max(1U, room.most - 1));
    want.other = room.most - want.growing;
    return want;
  }
  const bool whole = policy.strategy == Strategy::blue_green;
  want.growing = whole ? state.needed : std::max(1U, capacity_for(room.base, goal.weight));
  want.other = std::min(capacity_for(room.base, kAll - goal.weight), room.most - want.growing);
  return want;
}

Shift fewer(Shift s, std::uint32_t count) {
  s.other -= count;
  return s;
}

/// Room is made for what grows by taking the other side away.
std::optional<Shift> make_room(const Shift& s, const Want& want, std::uint32_t may_go) {
  const std::uint32_t count = std::min(may_go, want.growing - s.growing);
  return count == 0 ? std::nullopt : std::optional(fewer(s, count));
}

std::optional<Shift> next_by_count(Shift s, const Want& want, const Room& room) {
  const std::uint32_t ready = std::min(s.ready_growing, s.growing) + std::min(s.ready_other, s.other);
  const std::uint32_t may_go = removable(s.other, s.ready_other, ready, room.base);
  const std::uint32_t free = room.most - std::min(room.most, s.total());
  std::optional<Shift> next;
  if (s.total() == 0 && want.other > 0 && free > 0) {  // people have stopped all of it: from the beginning
    next = s;
    next->other = std::min(free, want.other);
  } else if (s.growing < want.growing && free > 0) {
    next = s;
    next->growing += std::min(free, want.growing - s.growing);
  } else if (s.growing < want.growing) {
    next = make_room(s, want, may_go);
  } else if (s.other > want.other) {
    const std::uint32_t count = std::min(may_go, s.other - want.other);
    if (count > 0) next = fewer(s, count);
  } else if (s.other < want.other && free > 0) {
    next = s;
    next->other += std::min(free, want.other - s.other);
  } else if (s.growing > want.growing && want.weight == kAll) {  // a stage had more of them than are needed
    const std::uint32_t count = removable(s.growing, s.ready_growing, ready, room.base);
    if (count > 0) {
      next = s;
      next->growing -= std::min(count, s.growing - want.growing);
    }
  }
  if (next) next->weight = share_of(next->growing, next->total());
  return next;
}

std::optional<Shift> next_by_weight(Shift s, const Want& want, const Room& room, bool back) {
  const std::uint32_t ready_other = std::min(s.ready_other, s.other);
  std::uint32_t able = std::min(want.weight, carried(std::min(s.ready_growing, s.growing), room.base));
  // On the way back: what is dead on the other side cannot keep its share, whoever has to carry it.
  if (back && s.ready_growing > 0 && ready_other < s.other)
    able = std::max(able, kAll - carried(ready_other, room.base));
  if (able > s.weight) {
    s.weight = able;
    return s;
  }
  const std::uint32_t need = capacity_for(room.base, kAll - s.weight);
  const std::uint32_t free = room.most - std::min(room.most, s.total());
  std::uint32_t may_go = removable(s.other, s.ready_other, ready_other, need);
  // Forward, none goes that would be started again at once; on the way back none of the other side is started any more.
  if (!back) may_go = std::min(may_go, s.other - std::min(s.other, need));
  if (!back && s.other < need && free > 0) {  // more is needed than when it began
    s.other += std::min(free, need - s.other);
    return s;
  }
  if (s.growing < want.growing && free > 0) {
    s.growing += std::min(free, want.growing - s.growing);
    return s;
  }
  if (s.growing < want.growing) return make_room(s, want, may_go);
  if (want.weight == kAll && s.weight == kAll && s.other > want.other) {
    const std::uint32_t count = std::min(may_go, s.other - want.other);
    if (count > 0) return fewer(s, count);
  }
  if (want.weight == kAll && s.weight == kAll && s.growing > want.growing) {  // fewer are needed than when it began
    const std::uint32_t count = removable(s.growing, s.ready_growing, std::min(s.ready_growing, s.growing), room.base);
    if (count == 0) return std::nullopt;
    s.growing -= std::min(count, s.growing - want.growing);
    return s;
  }
  return std::nullopt;
}

std::optional<Shift> next(const Policy& policy, const State& state, const Shift& s, const Goal& goal, bool back) {
  const Room room = room_of(policy, state.needed);
  const Want want = wanted(policy, state, goal, room);
  if (policy.routing == Routing::by_count) return next_by_count(s, want, room);
  return next_by_weight(s, want, room, back);
}

// What it is compared with is as young as the new version itself, and gets as much to do: the rest must be able to give
// that away.
std::uint32_t baseline_beside(const Policy& policy, const State& state, std::uint32_t fresh, const Goal& goal) {
  if (policy.baseline == 0) return 0;
  const std::uint64_t most = wanted(policy, state, goal, room_of(policy, state.needed)).growing;
  const bool room = goal.weight * (most + std::min<std::uint64_t>(policy.baseline, most)) < kAll * most;
  return room ? std::min(policy.baseline, fresh) : 0;
}

/// The split with the baseline that belongs to it; nothing: it is so already.
std::optional<Split> with_baseline(const Policy& policy, const Split& at, Split to, std::uint32_t baseline) {
  to.baseline = baseline;
  if (to == at) return std::nullopt;
  if (policy.routing == Routing::by_count && at.baseline + baseline > 0)
    to.weight = share_of(to.fresh, to.stable + to.fresh + to.baseline);
  return to;
}

}  // namespace

std::vector<std::uint32_t> apportion(std::uint32_t total, std::span<const std::uint32_t> shares) {
  std::vector<std::uint32_t> parts(shares.size());
  std::uint64_t all = 0;
  for (const std::uint32_t share : shares) all += share;
  if (all == 0) return parts;
  std::uint32_t left = total;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    parts[i] = static_cast<std::uint32_t>(std::uint64_t{total} * shares[i] / all);
    left -= parts[i];
  }
  // The largest remainders first; of equal ones the first.
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < shares.size(); ++i) order.emplace_back(all - std::uint64_t{total} * shares[i] % all, i);
  std::ranges::sort(order);
  for (std::size_t i = 0; left > 0; ++i, --left) ++parts[order[i].second];
  return parts;
}

// Less than a hundredth of a percent too much needs no further instance.
std::uint32_t capacity_for(std::uint32_t needed, std::uint32_t weight) {
  if (weight == 0 || needed == 0) return 0;
  return static_cast<std::uint32_t>(std::uint64_t{weight - 1} * needed / kAll + 1);
}

std::uint32_t surge_of(const Policy& policy, std::uint32_t needed) {
  return policy.strategy == Strategy::blue_green ? needed : policy.surge;
}

std::uint32_t share_of(std::uint32_t part, std::uint32_t total) {
  return total == 0 ? 0 : static_cast<std::uint32_t>(std::uint64_t{part} * kAll / total);
}

std::uint32_t least_room(const Policy& policy) { return 1 + std::min(1U, surge_of(policy, 1)) + policy.baseline; }

Fitted fit(const Policy& policy, std::uint32_t needed, std::uint32_t room) {
  const std::uint32_t own = room - std::min(room, policy.baseline);
  const bool doubled = policy.strategy == Strategy::blue_green;
  const std::uint32_t most = doubled ? own / 2 : own - std::min(own, std::min(1U, policy.surge));
  const std::uint32_t fits = std::max(1U, std::min(needed, most));
  return {fits, std::min(policy.surge, own - std::min(own, fits))};
}

std::optional<Split> step_up(const Policy& policy, const State& state, const Seen& seen, const Goal& goal) {
  const Split& at = state.split;
  const Shift s{at.fresh, at.stable, at.weight, seen.ready_fresh, seen.ready_stable};
  const auto to = next(policy, state, s, goal, false);
  const Split split = to ? Split{to->other, to->growing, to->weight} : at;
  return with_baseline(policy, at, split, baseline_beside(policy, state, split.fresh, goal));
}

std::optional<Split> step_down(const Policy& policy, const State& state, const Seen& seen) {
  const Split& at = state.split;
  const Shift s{at.stable, at.fresh, kAll - at.weight, seen.ready_stable, seen.ready_fresh};
  const auto to = next(policy, state, s, Goal{}, true);
  return with_baseline(policy, at, to ? Split{to->growing, to->other, kAll - to->weight} : at, 0);
}

bool reached(const Policy& policy, const State& state, const Goal& goal) {
  const Want want = wanted(policy, state, goal, room_of(policy, state.needed));
  const Split& at = state.split;
  if (at.baseline != baseline_beside(policy, state, at.fresh, goal)) return false;
  if (goal.weight == kAll) {
    return at.weight == kAll && at.fresh == want.growing && (goal.keep_other || at.stable == 0);
  }
  if (policy.routing == Routing::by_weight) return at.weight >= goal.weight && at.fresh >= want.growing;
  return at.fresh >= want.growing && at.stable <= want.other;
}

bool reverted(const State& state) {
  return state.split.fresh == 0 && state.split.weight == 0 && state.split.stable >= state.needed &&
         state.split.baseline == 0;
}

}  // namespace homeostat::rollout
