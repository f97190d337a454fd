// The ladder: which repair comes next, how often, and how long to wait before it.
#pragma once

#include <cstdint>
#include <span>

#include "homeostat/random.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// Exponential back-off with jitter, in integers: initial, 2 x initial, 4 x initial … up to max, each +- jitter.
struct BackoffPolicy {
  Duration initial = std::chrono::seconds(1);
  Duration max = std::chrono::minutes(5);
  std::uint32_t jitter_percent = 20;  // more than 100 counts as 100
};

/// The wait before try number `tries` (0: the first, at once). One draw from `random` when tries > 0.
Duration backoff(const BackoffPolicy& policy, std::uint32_t tries, Random& random);

/// One rung as the ladder sees it: how many times it may be tried.
struct RungPolicy {
  std::uint32_t attempts = 1;
};

/// Where a target stands on its ladder. Tries are kept over a recurrence; only `reset` forgets them.
struct LadderState {
  std::uint32_t rung = 0;      // index of the rung to use next; == rungs.size() when spent
  std::uint32_t attempts = 0;  // tries used on this rung
  std::uint32_t tries = 0;     // tries on any rung since the last reset
  std::uint32_t rounds = 0;    // times the whole ladder was spent
  Instant not_before = kLongAgo;
  Instant healthy_since = kNever;  // kNever while failing
  Instant began = kNever;          // the first rung was considered then; kNever: none since it was last well
  Instant cool_until = kLongAgo;   // of the last ladder: the next does not begin before

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("rung", self.rung);
    visit("attempts", self.attempts);
    visit("tries", self.tries);
    visit("rounds", self.rounds);
    visit("not_before", self.not_before);
    visit("healthy_since", self.healthy_since);
    visit("began", self.began);
    visit("cool_until", self.cool_until);
  };
};

/// The moves on a ladder. Free functions on a plain state, so that the state can be saved, hashed and replayed.
namespace ladder {

bool spent(const LadderState& state, std::span<const RungPolicy> rungs);
/// A try on the current rung begins at `at`.
void begin_try(LadderState& state);
/// The try did not lead to a verified recovery: the next is due after a back-off; a used-up rung is left behind.
void try_failed(LadderState& state, std::span<const RungPolicy> rungs, const BackoffPolicy& policy, Instant at,
                Random& random);
/// The current rung does not apply now: go on with the next without waiting.
void skip(LadderState& state);
/// A spent ladder begins again after the longest back-off, and not before its cool-down is over.
void rearm(LadderState& state, const BackoffPolicy& policy, Instant at, Random& random, Duration cooldown = {});
/// The target is well since `at`; what was tried for it is followed by so much rest.
void recovered(LadderState& state, Instant at, Duration cooldown = {});
/// The target fails again at `at`: forget everything after `rearm_after` of health, else go on where it stood, with
/// a back-off when something has been tried before. What fails while it cools down begins at the first rung after that.
void failed_again(LadderState& state, std::span<const RungPolicy> rungs, const BackoffPolicy& policy,
                  Duration rearm_after, Instant at, Random& random);

}  // namespace ladder

}  // namespace homeostat
