// What the autoscaler remembers: a plain value that can be saved, loaded and compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "homeostat/scaling_drain.hpp"
#include "homeostat/scaling_panic.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// What the metrics asked for at some time, before any rule bound it.
struct Recommendation {
  std::int32_t instances = 0;
  Instant at{};
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("instances", self.instances);
    visit("at", self.at);
  };
  friend bool operator==(const Recommendation&, const Recommendation&) = default;
};

/// So many instances were added (or removed).
struct ScaleEvent {
  std::int32_t change = 0;
  Instant at{};
  bool outdated = false;  // its place may be taken
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("change", self.change);
    visit("at", self.at);
    visit("outdated", self.outdated);
  };
  friend bool operator==(const ScaleEvent&, const ScaleEvent&) = default;
};

/// What one metric's rule remembers.
struct MetricMemory {
  std::string id{};
  PanicState panic{};
  LoadWindow load{};
  DrainState drain{};
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("id", self.id);
    visit("panic", self.panic);
    visit("load", self.load);
    visit("drain", self.drain);
  };
  friend bool operator==(const MetricMemory&, const MetricMemory&) = default;
};

/// Whether the instances that were added last helped.
struct HelpMemory {
  bool waiting = false;     // for those that were added to show what they do
  std::string metric{};     // that asked for them
  std::int32_t wanted = 0;  // so many ready ones
  std::int64_t before = 0;  // what would press without them: measured / target in millionths, or what would wait
  Instant ready_at = kNever;
  std::int32_t failed = 0;  // times in a row that it did not help
  Instant hold_until = kLongAgo;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("waiting", self.waiting);
    visit("metric", self.metric);
    visit("wanted", self.wanted);
    visit("before", self.before);
    visit("ready_at", self.ready_at);
    visit("failed", self.failed);
    visit("hold_until", self.hold_until);
  };
  friend bool operator==(const HelpMemory&, const HelpMemory&) = default;
};

/// The memory of one service's autoscaler. Bounded: places of what is outdated are taken again, and no list is longer
/// than kMostRemembered.
struct ScalingHistory {
  bool seeded = false;  // the first sight of a service counts as a recommendation: it cannot shrink for one window
  std::vector<Recommendation> recommendations{};
  std::vector<ScaleEvent> ups{};
  std::vector<ScaleEvent> downs{};
  std::vector<MetricMemory> metrics{};  // by the rule's id
  Instant decided_at = kLongAgo;
  Instant up_at = kLongAgo;  // last scaled
  Instant down_at = kLongAgo;
  std::vector<Instant> turns{};  // from up to down, within the last hour
  std::int32_t failures = 0;     // decisions in a row for which a metric was missing
  Instant active_at = kLongAgo;  // last in use, by the activation metric
  Duration start_time{};         // from its start until an instance serves, as learned; 0: not yet
  HelpMemory help{};

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("seeded", self.seeded);
    visit("recommendations", self.recommendations);
    visit("ups", self.ups);
    visit("downs", self.downs);
    visit("metrics", self.metrics);
    visit("decided_at", self.decided_at);
    visit("up_at", self.up_at);
    visit("down_at", self.down_at);
    visit("turns", self.turns);
    visit("failures", self.failures);
    visit("active_at", self.active_at);
    visit("start_time", self.start_time);
    visit("help", self.help);
  };
  friend bool operator==(const ScalingHistory&, const ScalingHistory&) = default;
};

/// An hour, the longest window, looked at every two seconds. Beyond it the oldest is forgotten.
inline constexpr std::size_t kMostRemembered = 1800;

}  // namespace homeostat
