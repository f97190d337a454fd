// A queue, and instances that work it off and take a while to start. Items flow; a second is one step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "homeostat/scaling.hpp"

namespace homeostat::sim {

/// What arrives in each second, in thousandths of an item.
struct QueueLoad {
  std::string name;
  std::vector<std::int64_t> arrivals;
};

/// Who decides, how often, and what it is told.
struct QueueRule {
  std::string name;
  ScalingPolicy policy;
  Duration every = std::chrono::seconds(15);
  bool saw_first_start = true;  // false: nothing is known of how long a start takes until one was seen
};

struct QueueOutcome {
  std::int32_t peak = 0;              // instances, the starting ones included
  std::int64_t instance_seconds = 0;  // the same
  std::int64_t arrived = 0;           // thousandths of an item
  std::int64_t waited = 0;            // thousandths of an item, times seconds
  std::int64_t first_drain = -1;      // seconds until the backlog was gone for the first time; -1: it never was

  std::size_t remembered = 0;  // the most entries the autoscaler's memory held

  double instance_hours() const { return static_cast<double>(instance_seconds) / 3600; }
  double mean_wait() const { return static_cast<double>(waited) / static_cast<double>(arrived); }
};

/// Ten items a second for each instance.
inline constexpr std::int64_t kItemsASecond = 10'000;

QueueOutcome run_queue(const QueueLoad& load, const QueueRule& rule, Duration start_up);

/// 100 a second for ten minutes, then 10 for fifty; and four more of an hour each, made of a seed.
std::vector<QueueLoad> queue_loads();

/// The HorizontalPodAutoscaler with its default behaviour and a target of ten items: in all, and for each instance.
QueueRule hpa_value();
QueueRule hpa_average();
/// Ours: one policy for all loads and start-up times. It is told neither what an instance can do nor how long it
/// starts.
QueueRule drain_rule();

}  // namespace homeostat::sim
