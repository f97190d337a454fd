// What the autoscaler remembers: a plain value that can be saved, loaded and compared.
#pragma once

#include <cstdint>
#include <vector>

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

/// The memory of one service's autoscaler. Bounded: places of what is outdated are taken again, and there are never
/// more than kMostRemembered.
struct ScalingHistory {
  bool seeded = false;  // the first sight of a service counts as a recommendation: it cannot shrink for one window
  std::vector<Recommendation> recommendations{};
  std::vector<ScaleEvent> ups{};
  std::vector<ScaleEvent> downs{};

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("seeded", self.seeded);
    visit("recommendations", self.recommendations);
    visit("ups", self.ups);
    visit("downs", self.downs);
  };
  friend bool operator==(const ScalingHistory&, const ScalingHistory&) = default;
};

/// An hour, the longest window, looked at every two seconds. Beyond it the oldest is forgotten.
inline constexpr std::size_t kMostRemembered = 1800;

}  // namespace homeostat
