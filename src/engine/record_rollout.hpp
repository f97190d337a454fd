// The records of rollouts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/rollout_types.hpp"

namespace homeostat::engine {

/// A rollout began, moved on or ended, or its places have changed with the configuration; the whole of it each time.
struct RolloutMoved {
  static constexpr std::string_view kType = "rollout";
  static constexpr bool kCritical = true;
  std::string service;
  std::optional<rollout::State> state;           // none: there has been none
  std::vector<std::int32_t> spare;               // the places that are not needed
  std::map<std::int32_t, std::string> versions;  // of the places that shall not run the service's own
  std::string detail;                            // in words
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("state", self.state);
    v("spare", self.spare);
    v("versions", self.versions);
    v("detail", self.detail);
    v("by", self.by);
  };
};

}  // namespace homeostat::engine
