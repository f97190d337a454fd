// The records of the ladders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/ids.hpp"
#include "homeostat/remediation.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

/// Which ladder a target is on, and who asked for it.
struct Walk {
  std::string issue;  // the kind of failure it is for; empty: any
  std::string by;     // an operator, who asked for it; empty: it fails
  bool none() const { return issue.empty() && by.empty(); }
  friend bool operator==(const Walk&, const Walk&) = default;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("issue", self.issue);
    v("by", self.by);
  };
};

/// Where a target stands on its ladder now.
struct LadderMoved {
  static constexpr std::string_view kType = "ladder";
  static constexpr bool kCritical = false;
  std::string service;
  std::int32_t slot = -1;
  LadderState state;
  Walk walk{};
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("state", self.state);
    v("walk", self.walk);
  };
};

/// A service is worked on with something that it shares with others; an empty service: it is free.
struct ResourceMoved {
  static constexpr std::string_view kType = "resource";
  static constexpr bool kCritical = true;
  std::string lock;
  std::string service;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("lock", self.lock);
    v("service", self.service);
  };
};

/// A repair has raised the least number of instances for a while.
struct ScalingRaised {
  static constexpr std::string_view kType = "scaling_raised";
  static constexpr bool kCritical = true;
  CommandId id;  // of the action
  std::string service;
  std::int32_t count = 0;
  Instant until = kLongAgo;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("id", self.id);
    v("service", self.service);
    v("count", self.count);
    v("until", self.until);
  };
};

/// A repair has taken an instance out of the traffic, or it gets requests again.
struct Drained {
  static constexpr std::string_view kType = "drained";
  static constexpr bool kCritical = true;
  std::string service;
  std::int32_t slot = 0;
  bool drained = true;
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("slot", self.slot);
    v("drained", self.drained);
    v("reason", self.reason);
  };
};

}  // namespace homeostat::engine
