// How a service is to be scaled: which metrics, how fast, within which bounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "homeostat/scaling_drain.hpp"
#include "homeostat/scaling_panic.hpp"
#include "homeostat/scaling_schedule.hpp"
#include "homeostat/scaling_types.hpp"

namespace homeostat {

struct CountRange {
  std::int32_t min = 1;
  std::int32_t max = 1;
  friend bool operator==(const CountRange&, const CountRange&) = default;
};

/// How a metric is turned into a number of instances.
enum class MetricKind : std::uint8_t {
  utilization,    // use of a resource in percent of what the instances were promised; target: percent
  average,        // a number for each instance; target: their average
  total,          // one number for the service; target: its value. Scales the ready instances by the ratio
  total_average,  // one number for the service; target: the share of each instance
  threshold,      // the classic form: see ThresholdForm. Told by instance (their average counts) or as one number
  drain,          // a queue: totals are what waits now and a counter of what was done. Needs no target
  panic,          // two windows: totals are the averages over both, or the load now (then the windows are kept here)
};
std::string_view to_string(MetricKind kind);

/// Up when measured / target exceeds `up`, down when it falls below `down`; between them nothing happens. The number
/// of instances times that ratio is rounded up on the way up, and down on the way down.
struct ThresholdForm {
  std::int64_t up = 1'100'000;  // millionths of the target
  std::int64_t down = 700'000;
  CountRange range{0, kMostInstances};  // of this rule
  Duration up_cooldown{};               // since the service was last scaled up
  Duration down_cooldown{};
  friend bool operator==(const ThresholdForm&, const ThresholdForm&) = default;
};

/// One metric and what it should be.
struct MetricRule {
  std::string id{};
  MetricKind kind = MetricKind::utilization;
  std::int64_t target = 0;  // utilization: percent; all others: thousandths
  /// It is a processor's use: instances that are starting up are no measure.
  bool cpu = false;
  /// `total` and `total_average` of a system outside: what saturates is shown as it is.
  bool external = false;
  /// `total`: while it asks for more, instances that are starting are not taken away.
  bool credit_starting = false;
  ThresholdForm threshold{};
  DrainPolicy drain{};
  PanicPolicy panic{};
  friend bool operator==(const MetricRule&, const MetricRule&) = default;
};

enum class LimitUnit : std::uint8_t { instances, percent };

/// At most so much change within `period`.
struct RateLimit {
  LimitUnit unit = LimitUnit::instances;
  std::int32_t value = 0;
  Duration period{};
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Which of several rate limits binds: the one that allows the largest change, the smallest, or no change at all.
enum class LimitSelect : std::uint8_t { largest, smallest, disabled };

/// How fast it may go in one direction.
struct DirectionRules {
  LimitSelect select = LimitSelect::largest;
  Duration window{};  // stabilization: how long a recommendation binds
  std::vector<RateLimit> limits{};
  friend bool operator==(const DirectionRules&, const DirectionRules&) = default;
};

/// Up: four instances or 100 % in 15 s, whichever is more. Down: no limit but the window.
DirectionRules default_up_rules();
DirectionRules default_down_rules(Duration window = std::chrono::minutes(5));

/// The distance of the ratio from one that is not acted upon, in millionths.
struct Tolerance {
  std::int64_t up = 100'000;
  std::int64_t down = 100'000;
  friend bool operator==(const Tolerance&, const Tolerance&) = default;
};

/// What to do while a metric cannot be read: hold, or after some decisions in a row at least a stated number. It is
/// never a reason to shrink.
struct FallbackRule {
  std::int32_t after = 0;  // decisions; 0: only hold
  std::int32_t instances = 0;
  friend bool operator==(const FallbackRule&, const FallbackRule&) = default;
};

/// When it may be none at all, and when there must be one again. Needs min 0.
struct ActivationRule {
  std::int32_t metric = -1;                     // which of the metrics; -1: off
  std::int64_t above = 0;                       // in use while it measures more
  Duration idle_for = std::chrono::minutes(5);  // so long not in use: it may go
  friend bool operator==(const ActivationRule&, const ActivationRule&) = default;
};

/// Instances were added and the metric did not move: more of them will not help either. After `tries` times it grows no
/// more for a while and says so, so that somebody looks for the cause.
struct HelpRule {
  std::int32_t tries = 0;                      // 0: off
  std::int64_t improvement = 50'000;           // by so much of itself the metric has to fall, in millionths
  Duration settle = std::chrono::seconds(30);  // after the added ones are ready
  Duration hold = std::chrono::minutes(10);
  friend bool operator==(const HelpRule&, const HelpRule&) = default;
};

struct ScalingPolicy {
  CountRange range{};
  std::vector<MetricRule> metrics{};
  Tolerance tolerance{};
  /// False: the rules of a plain HorizontalPodAutoscaler without `behavior` (at most twice as many, at least four, at a
  /// time; shrinking waits for `plain_window`).
  bool behavior = true;
  Duration plain_window = std::chrono::minutes(5);
  DirectionRules up = default_up_rules();
  DirectionRules down = default_down_rules();
  /// After its start an instance's processor use says nothing for so long (unless it is ready and freshly measured).
  Duration cpu_start_period = std::chrono::minutes(5);
  /// An instance that became unready within this time of its start has never been ready.
  Duration first_ready_delay = std::chrono::seconds(30);

  std::vector<ScalingSchedule> schedules{};
  FallbackRule fallback{};
  ActivationRule activation{};
  HelpRule help{};
  /// So many times an hour it may turn from up to down; then it stays up. 0: any number of times.
  std::int32_t flap_budget = 0;
  /// Decide and say, but do nothing.
  bool shadow = false;
  friend bool operator==(const ScalingPolicy&, const ScalingPolicy&) = default;
};

}  // namespace homeostat
