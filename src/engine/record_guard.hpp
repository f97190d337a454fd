// The records of the guardrails that people set: pauses and maintenance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat::engine {

struct Paused {
  static constexpr std::string_view kType = "paused";
  static constexpr bool kCritical = true;
  std::string service;  // empty: everything
  Instant until = kNever;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("until", self.until);
    v("by", self.by);
  };
};

struct Resumed {
  static constexpr std::string_view kType = "resumed";
  static constexpr bool kCritical = true;
  std::string service;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("by", self.by);
  };
};

/// Somebody works on a service: it is looked at, and nothing is done to it by itself.
struct MaintenanceBegan {
  static constexpr std::string_view kType = "maintenance";
  static constexpr bool kCritical = true;
  std::string service;     // empty: everything
  bool scheduled = false;  // by a window of the configuration
  Instant until = kNever;  // by hand: it ends then; by a window: as far as that could be told
  std::string reason;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("scheduled", self.scheduled);
    v("until", self.until);
    v("reason", self.reason);
    v("by", self.by);
  };
};

struct MaintenanceEnded {
  static constexpr std::string_view kType = "maintenance_over";
  static constexpr bool kCritical = true;
  std::string service;
  bool scheduled = false;
  bool early = false;  // by hand, although the window lasts
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("scheduled", self.scheduled);
    v("early", self.early);
    v("by", self.by);
  };
};

}  // namespace homeostat::engine
