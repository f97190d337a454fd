#include "traffic/share.hpp"

#include <algorithm>
#include <cstdlib>

namespace homeostat::traffic {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kExact = 500;  // 0.05 points

struct Choice {
  std::vector<Weighted> weights;
  std::int64_t error = 0;  // the largest of a group, in millionths
};

double part_of_server(const Group& group, const Weighted& weighted) {
  return static_cast<double>(group.share) / std::max(1U, weighted.servers);
}

std::int64_t error_of(std::span<const Group> groups, std::span<const Weighted> weights) {
  const std::vector<std::uint32_t> got = shares_of(weights);
  std::int64_t worst = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    worst = std::max(worst, std::abs(std::int64_t{got[i]} - std::int64_t{groups[i].share}));
  }
  return worst;
}

/// With the weight of the busiest server given, each other one follows by rounding: the best of all such choices, where
/// so many of each group serve.
Choice best_for(std::span<const Group> groups, std::vector<Weighted> weights) {
  double most = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) most = std::max(most, part_of_server(groups[i], weights[i]));
  Choice best;
  for (int top = kMostWeight; top >= 1; --top) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (groups[i].share == 0) continue;
      weights[i].weight = std::max(1, static_cast<int>(part_of_server(groups[i], weights[i]) / most * top + 0.5));
    }
    const std::int64_t error = error_of(groups, weights);
    if (best.weights.empty() || error < best.error) best = {weights, error};
  }
  return best;
}

/// One server less of the group whose servers have the least to do; false: there is none that could do without.
bool concentrate(std::span<const Group> groups, std::vector<Weighted>& weights) {
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].share == 0 || weights[i].servers < 2) continue;
    if (!least || part_of_server(groups[i], weights[i]) < part_of_server(groups[*least], weights[*least])) least = i;
  }
  if (least) --weights[*least].servers;
  return least.has_value();
}

}  // namespace

std::vector<std::uint32_t> shares_of(std::span<const Weighted> weights) {
  std::int64_t all = 0;
  for (const Weighted& group : weights) all += std::int64_t{group.weight} * group.servers;
  std::vector<std::uint32_t> shares;
  for (const Weighted& group : weights) {
    const std::int64_t part = std::int64_t{group.weight} * group.servers * kMillion;
    shares.push_back(all == 0 ? 0 : static_cast<std::uint32_t>((part + all / 2) / all));
  }
  return shares;
}

std::optional<std::vector<Weighted>> weights_of(std::span<const Group> groups) {
  std::vector<Weighted> serving;
  std::int64_t sum = 0;
  for (const Group& group : groups) {
    if (group.share > 0 && group.servers == 0) return std::nullopt;
    serving.push_back({0, group.share > 0 ? group.servers : 0});
    sum += group.share;
  }
  if (sum != kMillion) return std::nullopt;
  Choice best = best_for(groups, serving);
  while (best.error > kExact && concentrate(groups, serving)) {
    Choice fewer = best_for(groups, serving);
    if (fewer.error < best.error) best = std::move(fewer);
  }
  return best.weights;
}

std::vector<Change> in_safe_order(std::span<const Change> changes) {
  std::vector<Change> order;
  for (const Change& change : changes) {
    if (change.to > change.from) order.push_back(change);
  }
  for (const Change& change : changes) {
    if (change.to < change.from) order.push_back(change);
  }
  return order;
}

}  // namespace homeostat::traffic
