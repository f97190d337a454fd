// The autoscaler: one pure function from policy, memory, metrics and instances to a decision and every number that led
// to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "homeostat/scaling_history.hpp"
#include "homeostat/scaling_policy.hpp"
#include "homeostat/scaling_types.hpp"

namespace homeostat {

/// How a metric came to its proposal.
enum class ProposalReason : std::uint8_t {
  none,               // no proposal: see the fault
  scaled,             // by the ratio of measured to target
  within_tolerance,   // as many as now: the ratio is near enough to one
  would_turn_around,  // as many as now: with the instances filled in that measured nothing, it goes the other way
  from_zero,          // by the value alone, as nothing runs that could be multiplied
  within_band,        // as many as now: between the thresholds
  cooling_down,       // as many as now: it was scaled in this direction only just now
  rule_bound,         // the bounds of this rule
  some_unmeasured,    // as many as now: not all that serve were measured, so it may not shrink
  starting_credited,  // as many as now: those that are starting are on their way
  drains,             // by arrivals, and by what waits
  panics,             // by the short window
};
std::string_view to_string(ProposalReason reason);

/// What one metric said and what was made of it.
struct MetricTrace {
  MetricFault fault = MetricFault::unread;
  ProposalReason reason = ProposalReason::none;
  std::int32_t proposal = 0;               // meaningless with a fault
  std::optional<std::int64_t> measured{};  // in the unit of the target
  std::optional<std::int64_t> average{};   // utilization only: use of an instance, in thousandths
  std::optional<std::int64_t> ahead{};     // a queue only: what will wait when an instance started now begins to serve
  std::int64_t target = 0;
  std::int64_t ready = 0;  // instances of each class
  std::int64_t unready = 0;
  std::int64_t missing = 0;
  std::int64_t ignored = 0;
  std::vector<InstanceClass> classes{};  // of each instance; empty where the metric is not told by instance
  std::vector<std::int32_t> samples{};   // of each instance: which of the reading's samples is its own; -1: none

  /// Measured / target in thousandths, rounded down; absent when nothing was measured.
  std::optional<std::int64_t> utilisation() const;
};

/// The rule that made the result what it is.
enum class ScalingRule : std::uint8_t {
  metrics,          // what the metrics ask for, nothing bound it
  disabled,         // nothing runs and min is not 0: it was stopped by hand
  above_max,        // more run than may: down to max at once
  below_min,        // fewer run than must: up to min at once
  invalid_metric,   // a metric is missing, and without it nothing may shrink
  stabilized_up,    // a recommendation of the last while was lower
  stabilized_down,  // a recommendation of the last while was higher
  up_limit,         // not so fast up
  down_limit,       // not so fast down
  max,              //
  min,              //
  fallback,         // a metric could not be read for long
  idle,             // not in use: none is needed
  not_idle,         // in use, or was only just now: one is needed
  no_help,          // what was added before did not move the metric
  flap_budget,      // it has turned too often within the hour: it stays up
  repairing,        // while something is repaired nothing is taken away
  frozen,           // by hand, in this direction
  by_hand,          // a number by hand
  paused,           // by hand
};
std::string_view to_string(ScalingRule rule);

/// The proposal after the windows: at least `low`, at most `high`.
struct Stabilized {
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::int32_t result = 0;
};

/// How many there are: as asked for, and as the runtime counts them.
struct ScaleCounts {
  std::int32_t wanted = 0;
  std::int32_t running = 0;
};

/// What people, and the repair of the same service, have to say.
struct ScalingControl {
  bool paused = false;
  bool freeze_up = false;
  bool freeze_down = false;
  bool repairing = false;
  std::optional<std::int32_t> by_hand{};
  std::int32_t at_least = 0;  // a repair has asked for so many; no more than max
};

/// Everything that is told anew for each decision.
struct ScalingInput {
  std::span<const MetricReading> readings{};  // one for each metric of the policy, in its order
  std::span<const ScalingInstance> instances{};
  ScaleCounts counts{};
  ScalingControl control{};
  std::span<const LocalMinutes> local{};  // the time in the zone of each schedule, in their order
};

/// The decision and its trace. Reuse one: then nothing is allocated.
struct ScalingDecision {
  std::int32_t current = 0;
  std::int32_t desired = 0;
  ScalingRule rule = ScalingRule::metrics;  // that bound; of several the last
  std::int32_t without = 0;                 // what would be desired if that rule did not exist
  bool act = true;                          // false: in shadow, only to be told
  bool hand_over = false;                   // more instances do not help: let somebody look for the cause
  CountRange range{};                       // by the hour
  /// Whether the metrics had a say; not when the current number is out of bounds, or 0 and not to be.
  bool weighed = false;
  MetricFault fault = MetricFault::none;  // of the first metric that gave no number
  std::int32_t fault_metric = -1;
  std::int32_t proposal = 0;                   // the largest of the valid proposals
  std::int32_t winner = -1;                    // the metric it came from; -1: none was valid
  Stabilized stable{};                         // the proposal after the windows
  std::int32_t limit = 0;                      // how far it may go in this direction at once
  ScalingRule limited = ScalingRule::metrics;  // up_limit, down_limit, max, min; metrics: none of them bound
  std::vector<MetricTrace> metrics{};

  bool changes() const { return desired != current; }
};

/// Decides. `history` takes up what was seen and recommended; nothing else changes. Calls must not go back in time.
void decide(const ScalingPolicy& policy, ScalingHistory& history, const ScalingInput& input, Instant now,
            ScalingDecision& out);

/// Tells the history that the decision was carried out.
void note_scaled(const ScalingPolicy& policy, ScalingHistory& history, const ScalingDecision& decision, Instant now);

/// What one rule recommends, for people.
struct RuleAdvice {
  std::string_view id{};
  std::int32_t current = 0;
  std::int32_t desired = 0;
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::optional<std::int64_t> utilisation{};  // measured / target in thousandths; absent when nothing was measured
  std::string why_not{};                      // why it is not as desired now; empty: it is, or will be at once
};

std::vector<RuleAdvice> recommend(const ScalingPolicy& policy, const ScalingDecision& decision);

/// One sentence: from what to what, what bound, what would be without it.
std::string explain(const ScalingPolicy& policy, const ScalingDecision& decision);

}  // namespace homeostat
