// The records of rollouts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/canary.hpp"
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
  std::vector<std::int32_t> baseline{};  // of them: what the new version is compared with
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("state", self.state);
    v("spare", self.spare);
    v("versions", self.versions);
    v("detail", self.detail);
    v("by", self.by);
    v("baseline", self.baseline);
  };
};

/// How the proxy is to divide the requests: the new version's places get `share` of them together, each of the baseline
/// as much as one of them, the others the rest. A place that is in no list gets none. Those on trial get `part` percent
/// of what others of their version get.
struct Route {
  std::uint32_t share = 0;  // hundredths of a percent
  std::vector<std::int32_t> stable{};
  std::vector<std::int32_t> fresh{};
  std::vector<std::int32_t> baseline{};
  std::vector<std::int32_t> trial{};
  std::uint32_t part = 0;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("share", self.share);
    v("stable", self.stable);
    v("fresh", self.fresh);
    v("baseline", self.baseline);
    v("trial", self.trial);
    v("part", self.part);
  };
  friend bool operator==(const Route&, const Route&) = default;
};

/// Requests are to be led so from now on, and the action that does it follows; or the proxy is left to itself.
struct RouteSet {
  static constexpr std::string_view kType = "route";
  static constexpr bool kCritical = true;
  std::string service;
  std::optional<Route> route;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("route", self.route);
  };
};

/// What the judge of a rollout's stage has seen so far, to the bit.
struct JudgeKept {
  static constexpr std::string_view kType = "judge";
  static constexpr bool kCritical = false;
  std::string service;
  std::string to;
  Instant began{};  // of the rollout
  std::uint32_t stage = 0;
  Instant since{};  // when the judge began …
  Instant until{};  // … and what it has seen ends
  canary::Judge judge;
  std::map<std::string, std::uint64_t> told{};  // by whom: the number of what was told last
  std::uint64_t told_by = 0;                    // what its sources were
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("to", self.to);
    v("began", self.began);
    v("stage", self.stage);
    v("since", self.since);
    v("until", self.until);
    v("judge", self.judge);
    v("told", self.told);
    v("told_by", self.told_by);
  };
};

}  // namespace homeostat::engine
