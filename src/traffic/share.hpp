// From the shares of the traffic that groups of servers are to get to the weight of each server.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace homeostat::traffic {

/// The largest weight that HAProxy knows; weights of one backend are relative to each other.
inline constexpr int kMostWeight = 256;

/// The servers of one version.
struct Group {
  std::uint32_t servers = 0;
  std::uint32_t share = 0;  // of the backend's requests, in millionths; all groups together: a million
};

/// What the servers of one group get.
struct Weighted {
  int weight = 0;             // of each that gets requests
  std::uint32_t servers = 0;  // so many get requests, the others have weight 0
  friend bool operator==(const Weighted&, const Weighted&) = default;
};

/// The weights with which the groups' shares are within 0.05 points of the wanted ones, or as close as weights of
/// 0 … 256 allow. All servers of a group serve, unless their part would be too small for a weight. A group with a share
/// is never without weight, one without a share never with any. Nothing: a group is to get traffic and has no server,
/// or the shares are not a million.
std::optional<std::vector<Weighted>> weights_of(std::span<const Group> groups);

/// What the groups get with these weights, in millionths.
std::vector<std::uint32_t> shares_of(std::span<const Weighted> weights);

/// One server's weight as it is and as it is to be.
struct Change {
  std::string server;
  int from = 0;
  int to = 0;
};

/// Raised first, then lowered, so that there is no moment at which nobody may take a request; what stays is left out.
std::vector<Change> in_safe_order(std::span<const Change> changes);

}  // namespace homeostat::traffic
