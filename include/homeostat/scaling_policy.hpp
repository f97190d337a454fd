// How a service is to be scaled: which metrics, how fast, within which bounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "homeostat/scaling_types.hpp"

namespace homeostat {

/// How a metric is turned into a number of instances.
enum class MetricKind : std::uint8_t {
  utilization,    // use of a resource in percent of what the instances were promised; target: percent
  average,        // a number for each instance; target: their average
  total,          // one number for the service; target: its value. Scales the ready instances by the ratio
  total_average,  // one number for the service; target: the share of each instance
};
std::string_view to_string(MetricKind kind);

/// One metric and what it should be.
struct MetricRule {
  std::string id{};
  MetricKind kind = MetricKind::utilization;
  std::int64_t target = 0;  // utilization: percent; all others: thousandths
  /// It is a processor's use: instances that are starting up are no measure.
  bool cpu = false;
  /// `total` and `total_average` of a system outside: what saturates is shown as it is.
  bool external = false;
};

enum class LimitUnit : std::uint8_t { instances, percent };

/// At most so much change within `period`.
struct RateLimit {
  LimitUnit unit = LimitUnit::instances;
  std::int32_t value = 0;
  Duration period{};
};

/// Which of several rate limits binds: the one that allows the largest change, the smallest, or no change at all.
enum class LimitSelect : std::uint8_t { largest, smallest, disabled };

/// How fast it may go in one direction.
struct DirectionRules {
  LimitSelect select = LimitSelect::largest;
  Duration window{};  // stabilization: how long a recommendation binds
  std::vector<RateLimit> limits{};
};

/// Up: four instances or 100 % in 15 s, whichever is more. Down: no limit but the window.
DirectionRules default_up_rules();
DirectionRules default_down_rules(Duration window = std::chrono::minutes(5));

/// The distance of the ratio from one that is not acted upon, in millionths.
struct Tolerance {
  std::int64_t up = 100'000;
  std::int64_t down = 100'000;
};

struct CountRange {
  std::int32_t min = 1;
  std::int32_t max = 1;
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
};

}  // namespace homeostat
