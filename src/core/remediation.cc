#include "homeostat/remediation.hpp"

#include <algorithm>

#include "core/planted.hpp"

namespace homeostat {

Duration backoff(const BackoffPolicy& policy, std::uint32_t tries, Random& random) {
  if (tries == 0) return Duration{};
  Duration wait = std::min(policy.initial, policy.max);
  for (std::uint32_t i = 1; i < tries && wait < policy.max; ++i) {
    wait = wait > policy.max / 2 ? policy.max : wait * 2;
  }
  const std::int64_t spread = wait.count() / 100 * std::min(policy.jitter_percent, 100U);  // never before `at`
  const auto draw = random.below(static_cast<std::uint64_t>(2 * spread + 1));
  return wait - Duration(spread) + Duration(static_cast<std::int64_t>(draw));
}

namespace ladder {

bool spent(const LadderState& state, std::span<const RungPolicy> rungs) { return state.rung >= rungs.size(); }

void begin_try(LadderState& state) {
  ++state.attempts;
  ++state.tries;
}

void try_failed(LadderState& state, std::span<const RungPolicy> rungs, const BackoffPolicy& policy, Instant at,
                Random& random) {
  if (state.rung < rungs.size() && state.attempts >= rungs[state.rung].attempts) {
    ++state.rung;
    state.attempts = 0;
  }
  state.not_before = later(at, backoff(policy, state.tries, random));
  if (state.healthy_since != kNever) state.healthy_since = at;  // what did not prove well counts no health before it
}

void skip(LadderState& state) {
  ++state.rung;
  state.attempts = 0;
}

void rearm(LadderState& state, const BackoffPolicy& policy, Instant at, Random& random, Duration cooldown) {
  state.rung = 0;
  state.attempts = 0;
  ++state.rounds;
  state.began = kNever;
  const BackoffPolicy longest{policy.max, policy.max, policy.jitter_percent};
  state.not_before = later(at, backoff(longest, 1, random));
  if (cooldown > Duration{}) state.cool_until = later(at, cooldown);
}

void recovered(LadderState& state, Instant at, Duration cooldown) {
  state.healthy_since = at;
  if (state.began != kNever && cooldown > Duration{}) state.cool_until = later(at, cooldown);
  state.began = kNever;
}

void failed_again(LadderState& state, std::span<const RungPolicy> rungs, const BackoffPolicy& policy,
                  Duration rearm_after, Instant at, Random& random) {
  if (planted(Bug::ladder_forgets)) rearm_after = {};
  const bool well_long_enough = state.healthy_since != kNever && at >= later(state.healthy_since, rearm_after);
  if (state.tries == 0 || well_long_enough) {
    const Instant cool_until = state.cool_until;
    state = LadderState{};
    state.cool_until = cool_until;
    return;
  }
  state.healthy_since = kNever;
  try_failed(state, rungs, policy, at, random);
  if (at < state.cool_until) state.rung = state.attempts = 0;  // after its rest it begins anew
}

}  // namespace ladder

}  // namespace homeostat
