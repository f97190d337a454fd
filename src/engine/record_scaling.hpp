// The records of the autoscaler.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ids.hpp"
#include "homeostat/incarnation.hpp"
#include "homeostat/scaling_history.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

/// The number of instances that shall run has changed: by a decision, by hand or by the configuration.
struct Scaled {
  static constexpr std::string_view kType = "scaled";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::vector<std::int32_t> spare;  // the places that are not needed from now on
  std::int32_t places = 0;          // in all: the most there may be; 0: it is not scaled any more
  std::string rule;                 // what made it so
  std::string reason;
  ScalingHistory history;  // of the autoscaler after it
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("from", self.from);
    v("to", self.to);
    v("spare", self.spare);
    v("places", self.places);
    v("rule", self.rule);
    v("reason", self.reason);
    v("history", self.history);
  };
};

/// The number would be changed now, and somebody has to approve it (mode: approve). `leaving`: what runs in those of
/// the places in `spare` that are needed now.
struct ScalingAsked {
  static constexpr std::string_view kType = "scaling_asked";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string service;
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::vector<std::int32_t> spare;  // the places that would not be needed any more
  std::vector<Incarnation> leaving;
  Instant until = kNever;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("from", self.from);
    v("to", self.to);
    v("spare", self.spare);
    v("leaving", self.leaving);
    v("until", self.until);
    v("reason", self.reason);
  };
};

/// It is not asked for any more.
struct ScalingDropped {
  static constexpr std::string_view kType = "scaling_dropped";
  static constexpr bool kCritical = true;
  CommandId id;
  std::string service;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("reason", self.reason);
  };
};

/// A decision that changed nothing but what the autoscaler remembers: what has changed of it (delta.hpp), or all of it.
struct ScalingSeen {
  static constexpr std::string_view kType = "scaling";
  static constexpr bool kCritical = false;
  std::string service;
  std::optional<ScalingHistory> history;
  std::vector<std::int64_t> change;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("history", self.history);
    v("change", self.change);
  };
};

/// So many instances, by hand, whatever the metrics say. `until` in the past: as the metrics say again.
struct ScaleHeld {
  static constexpr std::string_view kType = "scale_held";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t count = 0;
  Instant until = kLongAgo;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("count", self.count);
    v("until", self.until);
    v("by", self.by);
  };
};

enum class Freeze : std::uint8_t { none, up, down, both };
inline constexpr std::array<std::string_view, 4> kFreezeNames{"none", "up", "down", "both"};
constexpr std::span<const std::string_view> names_of(Freeze) { return kFreezeNames; }

/// Not more instances, not fewer, or neither, by hand. None: it is over.
struct ScalingFrozen {
  static constexpr std::string_view kType = "scaling_frozen";
  static constexpr bool kCritical = true;
  std::string service;
  Freeze direction = Freeze::none;
  Instant until = kLongAgo;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("direction", self.direction);
    v("until", self.until);
    v("by", self.by);
  };
};

}  // namespace homeostat::engine
