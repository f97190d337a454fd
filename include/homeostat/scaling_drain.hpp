// Queues: as many instances as the arrivals need, and so many more that what has piled up is gone in time. What one
// instance does in a second is learned from what was done.
#pragma once

#include <cstdint>
#include <span>

#include "homeostat/scaling_types.hpp"

namespace homeostat {

struct DrainPolicy {
  /// From the moment new instances serve, what is waiting then is to be gone within this time.
  Duration drain_within = std::chrono::seconds(60);
  /// Instances beyond the arrivals' need, in millionths of it.
  std::int64_t spare = 0;
  friend bool operator==(const DrainPolicy&, const DrainPolicy&) = default;
};

/// Items and items a second are thousandths.
struct DrainState {
  bool begun = false;
  Instant at{};
  std::int64_t backlog = 0;
  std::int64_t completed = 0;  // the source's counter
  std::int64_t capacity = 0;   // items a second that one instance does; 0: not yet learned
  std::int64_t arrivals = 0;   // items a second, in the last interval

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("begun", self.begun);
    visit("at", self.at);
    visit("backlog", self.backlog);
    visit("completed", self.completed);
    visit("capacity", self.capacity);
    visit("arrivals", self.arrivals);
  };
  friend bool operator==(const DrainState&, const DrainState&) = default;
};

struct DrainReading {
  std::int64_t backlog = 0;    // items that wait now
  std::int64_t completed = 0;  // items done since the source began to count
};

struct DrainDecision {
  bool learned = false;  // false: nothing is known of the capacity, `wanted` means nothing
  std::int32_t wanted = 0;
  std::int64_t ahead = 0;  // the backlog when an instance that is started now begins to serve
};

/// `start_time` is how long an instance takes from its start until it serves, as far as it is known. Instances that are
/// starting count as what they will be.
DrainDecision decide_drain(const DrainPolicy& policy, DrainState& state, const DrainReading& reading,
                           std::span<const ScalingInstance> instances, Duration start_time, Instant now);

}  // namespace homeostat
