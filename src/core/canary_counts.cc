#include <algorithm>
#include <cmath>
#include <limits>

#include "homeostat/canary_evidence.hpp"

namespace homeostat::canary {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kKnown = 1e12;  // degrees of freedom of a variance that needs no estimate
constexpr std::size_t kCanary = 0;
constexpr std::size_t kBaseline = 1;

constexpr std::size_t kPoints = 2 * RatioGrid::kReach + 1;

/// How much is bet on a ratio that is so many steps of the grid away from the null: most on 1.5 to 3 times as much.
/// The bets add up to one.
constexpr std::array<double, kPoints> kBets = [] {
  constexpr double kScale = 0.7;
  std::array<double, kPoints> bets{};
  double sum = 0;
  for (std::size_t steps = 1; steps < kPoints; ++steps) {
    const double x = static_cast<double>(steps) * RatioGrid::kStep / kScale;
    bets[steps] = x * x / ((1 + x * x * x) * (1 + x * x * x));
    sum += bets[steps];
  }
  for (double& bet : bets) bet /= sum;
  return bets;
}();

}  // namespace

void RatioGrid::add(const std::array<double, 2>& events, const std::array<double, 2>& traffic) {
  const double all = events[kCanary] + events[kBaseline];
  if (all == 0) return;
  const double log_traffic = std::log(traffic[kCanary] / traffic[kBaseline]);
  for (int i = 0; i < static_cast<int>(kPoints); ++i) {
    const double log_odds = log_ratio(i) + log_traffic;
    likelihood_[static_cast<std::size_t>(i)] += events[kCanary] * log_odds - all * std::log1p(std::exp(log_odds));
  }
}

double RatioGrid::evidence(int null, Worse worse) const {
  const int step = worse == Worse::lower ? -1 : 1;
  const auto at = [&](int i) { return likelihood_[static_cast<std::size_t>(i)]; };
  double most = -kInfinity;
  for (int i = null + step; inside(i); i += step) most = std::max(most, at(i));
  if (most == -kInfinity) return most;
  double sum = 0;
  std::size_t steps = 1;
  for (int i = null + step; inside(i); i += step) sum += kBets[steps++] * std::exp(at(i) - most);
  return most + std::log(sum) - at(null);
}

bool RatioGrid::refuted(Worse worse, double alpha) const { return evidence(kReach, worse) >= -std::log(alpha); }

double RatioGrid::lower(double alpha) const {
  for (int i = 2 * kReach - 1; i >= 0; --i) {
    if (evidence(i, Worse::higher) >= -std::log(alpha)) return log_ratio(i);
  }
  return -kInfinity;
}

double RatioGrid::upper(double alpha) const {
  for (int i = 1; i <= 2 * kReach; ++i) {
    if (evidence(i, Worse::lower) >= -std::log(alpha)) return log_ratio(i);
  }
  return kInfinity;
}

CountEvidence::CountEvidence(Worse worse, double fail_above, bool binomial) : worse_(worse), binomial_(binomial) {
  if (worse != Worse::lower) grids_.emplace_back(std::log1p(fail_above));
  if (worse != Worse::higher) grids_.emplace_back(std::log1p(-fail_above));
}

void CountEvidence::add(Arm arm, double events, double traffic) {
  open_events_[static_cast<std::size_t>(arm)] += events;
  open_traffic_[static_cast<std::size_t>(arm)] += traffic;
}

void CountEvidence::close() {
  const double n1 = open_traffic_[kCanary];
  const double n0 = open_traffic_[kBaseline];
  for (std::size_t side = 0; side < 2; ++side) {
    events_[side] += open_events_[side];
    traffic_[side] += open_traffic_[side];
  }
  if (n1 > 0 && n0 > 0) {
    for (RatioGrid& grid : grids_) grid.add(open_events_, open_traffic_);
    const double w = n1 * n0 / (n1 + n0);
    weight_ += w;
    difference_ += w * (open_events_[kCanary] / n1 - open_events_[kBaseline] / n0);
    baseline_ += w * open_events_[kBaseline] / n0;
    share_[kCanary] += w * w / n1;
    share_[kBaseline] += w * w / n0;
    crossed_[kCanary] += open_events_[kCanary] * n0 / (n1 + n0);
    crossed_[kBaseline] += open_events_[kBaseline] * n1 / (n1 + n0);
  }
  open_events_ = {};
  open_traffic_ = {};
}

bool CountEvidence::harmful(double alpha) const {
  if (worse_ != Worse::either) return grids_.front().refuted(worse_, alpha);
  return grids_.front().refuted(Worse::higher, alpha / 2) || grids_.back().refuted(Worse::lower, alpha / 2);
}

double CountEvidence::lower(double alpha) const { return std::exp(grids_.front().lower(alpha)); }
double CountEvidence::upper(double alpha) const { return std::exp(grids_.back().upper(alpha)); }

double CountEvidence::ratio() const {
  return crossed_[kBaseline] > 0 ? crossed_[kCanary] / crossed_[kBaseline] : crossed_[kCanary] > 0 ? kInfinity : 1;
}

double CountEvidence::rate(Arm arm) const {
  const auto side = static_cast<std::size_t>(arm);
  return traffic_[side] > 0 ? events_[side] / traffic_[side] : 0;
}

Estimate CountEvidence::estimate(double margin) const {
  Estimate result;
  if (weight_ == 0) return result;
  const double n1 = traffic_[kCanary];
  const double n0 = traffic_[kBaseline];
  const double pooled = (events_[kCanary] + events_[kBaseline]) / (n1 + n0);
  // The rates that fit best among those which are `margin` apart.
  const double lowest = std::max(0.0, pooled - std::abs(margin) * (margin > 0 ? n1 : n0) / (n1 + n0));
  const double highest = lowest + std::abs(margin);
  const auto scatter = [&](double rate) { return binomial_ ? std::min(rate, 1.0) * std::max(0.0, 1 - rate) : rate; };
  const double canary = scatter(margin > 0 ? highest : lowest);
  const double baseline = scatter(margin > 0 ? lowest : highest);
  result.difference = difference_ / weight_;
  result.baseline = baseline_ / weight_;
  result.variance = (canary * share_[kCanary] + baseline * share_[kBaseline]) / (weight_ * weight_);
  result.freedom = kKnown;
  return result;
}

}  // namespace homeostat::canary
