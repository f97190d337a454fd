#include "homeostat/canary_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace homeostat::canary {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Blocks that differ by more than their own samples explain, before the samples are no longer trusted.
constexpr double kLeastBlocks = 5;
constexpr double kDeviations = 2;
constexpr double kMostExcess = 0.5;  // of few blocks as well

constexpr int kHalvings = 40;

/// What is bet on an effect of so many times the scale. Small stakes on small effects let the bounds go on shrinking.
struct Bet {
  double effect;
  double stake;
};
constexpr std::array kBets{Bet{1 / 64.0, 0.005}, Bet{1 / 32.0, 0.005}, Bet{1 / 16.0, 0.01}, Bet{1 / 8.0, 0.01},
                           Bet{1 / 4.0, 0.02},   Bet{1 / 2.0, 0.04},   Bet{1, 0.64},        Bet{2, 0.04},
                           Bet{4, 0.20},         Bet{8, 0.02},         Bet{16, 0.01}};

/// What a stake of one has become where the difference is `z` standard errors and an effect of the scale is `signal`
/// of them. Its mean is one at most while there is no effect, whenever one looks.
double winnings(double z, double signal) {
  double sum = 0;
  for (const Bet& bet : kBets) {
    const double expected = bet.effect * signal;
    sum += bet.stake * std::exp(expected * (z - expected / 2));
  }
  return sum;
}

}  // namespace

double radius(const Estimate& estimate, double scale, double alpha) {
  if (!(estimate.freedom > 0) || !(scale > 0)) return kInfinity;
  if (!(estimate.variance > 0)) return 0;
  const double signal = scale / std::sqrt(estimate.variance);
  double low = 0;
  double high = 1;
  while (winnings(high, signal) < 1 / alpha) high *= 2;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (winnings(middle, signal) < 1 / alpha ? low : high) = middle;
  }
  // The statistic that is as unlikely where the variance is known from so few degrees of freedom (Wallace 1959).
  const double t = std::sqrt(estimate.freedom * std::expm1(high * high / estimate.freedom));
  return t * std::sqrt(estimate.variance);
}

void MeanEvidence::Sums::add(const SampleBlock& block) {
  const auto n1 = static_cast<double>(block.halves[0].count);
  const auto n0 = static_cast<double>(block.halves[1].count);
  count[0] += block.halves[0].count;
  count[1] += block.halves[1].count;
  if (n1 == 0 || n0 == 0) return;
  const double w = n1 * n0 / (n1 + n0);
  const double d = block.halves[0].mean() - block.halves[1].mean();
  weight += w;
  blocks += 1;
  const double before = d - difference;
  difference += before * w / weight;
  between += w * before * (d - difference);
  baseline += (block.halves[1].mean() - baseline) * w / weight;
  for (std::size_t side = 0; side < 2; ++side) {
    const auto n = static_cast<double>(block.halves[side].count);
    share[side] += w * w / n;
    freedom[side] += n - 1;
    scatter[side] += std::max(0.0, block.halves[side].scatter());
  }
}

Estimate MeanEvidence::Sums::estimate() const {
  Estimate result{difference, 0, 0, 0, baseline};
  if (weight == 0) return result;
  std::array<double, 2> part{};
  double satterthwaite = 0;
  for (std::size_t side = 0; side < 2; ++side) {
    if (freedom[side] == 0) continue;
    part[side] = scatter[side] / freedom[side] * share[side] / (weight * weight);
    satterthwaite += part[side] * part[side] / freedom[side];
  }
  const double within = part[0] + part[1];
  const bool both = freedom[0] > 0 && freedom[1] > 0;
  const double inner = !both ? 0 : satterthwaite > 0 ? within * within / satterthwaite : freedom[0] + freedom[1];
  const double outer = blocks - 1;
  if (inner + outer <= 0) return result;
  const double across = outer > 0 ? between / outer / weight : 0;
  result.variance = (inner * within + outer * across) / (inner + outer);
  result.freedom = inner + outer;
  // A side that wavers as a whole: only whole blocks tell how much.
  if (inner > 0 && outer >= kLeastBlocks &&
      across > within * (1 + std::min(kMostExcess, kDeviations * std::sqrt(2 / outer)))) {
    result.variance = across;
    result.freedom = outer;
  }
  result.spread = std::sqrt(result.variance * weight);
  return result;
}

void MeanEvidence::close() {
  sums_.add(open_);
  open_ = {};
}

Estimate MeanEvidence::estimate() const {
  Sums all = sums_;
  all.add(open_);
  return all.estimate();
}

std::uint64_t MeanEvidence::samples(Arm arm) const {
  const auto side = static_cast<std::size_t>(arm);
  return sums_.count[side] + open_.halves[side].count;
}

}  // namespace homeostat::canary
