// What the canary judge keeps of one metric: a few sums, however many samples there are. The bounds drawn from them
// hold at all times at once, so that they may be asked for after every sample.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "homeostat/canary_types.hpp"

namespace homeostat::canary {

/// A difference of canary and baseline that is known up to a variance, itself known up to `freedom`.
struct Estimate {
  double difference = 0;
  double variance = 0;
  double freedom = 0;   // degrees of
  double spread = 0;    // standard deviation of one sample
  double baseline = 0;  // the baseline's average
};

/// How far the truth may lie from an estimate, on one side, at any time: a confidence sequence from a normal mixture
/// with unknown variance, the tightest around effects of the size `scale`. Fails with a chance of `alpha` at most.
double radius(const Estimate& estimate, double scale, double alpha);

/// Both sides of one block of time.
struct SampleBlock {
  struct Half {
    std::uint64_t count = 0;
    double origin = 0;  // the first sample: sums are taken around it
    double sum = 0;
    double squares = 0;
    static constexpr auto fields = [](auto& self, auto& visit) {
      visit("count", self.count);
      visit("origin", self.origin);
      visit("sum", self.sum);
      visit("squares", self.squares);
    };
    void add(double x) {
      if (count == 0) origin = x;
      ++count;
      sum += x - origin;
      squares += (x - origin) * (x - origin);
    }
    double mean() const { return origin + sum / static_cast<double>(count); }
    double scatter() const { return squares - sum * sum / static_cast<double>(count); }
  };
  std::array<Half, 2> halves{};
  static constexpr auto fields = [](auto& self, auto& visit) { visit("halves", self.halves); };
};

/// The difference of two means, compared within blocks.
class MeanEvidence {
 public:
  void add(Arm arm, double x) { open_.halves[static_cast<std::size_t>(arm)].add(x); }
  /// The block is over.
  void close();
  /// All of it, the open block as well. Nothing is known while freedom is 0.
  Estimate estimate() const;
  std::uint64_t samples(Arm arm) const;

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("open", self.open_);
    visit("sums", self.sums_);
  };

 private:
  struct Sums {
    double weight = 0;                // of all blocks: n1 n0 / (n1 + n0) each
    double difference = 0;            // weighted mean of the blocks'
    double baseline = 0;              // the same of the baseline's means
    double between = 0;               // weighted squares around the mean difference
    double blocks = 0;                // those with samples on both sides
    std::array<double, 2> share{};    // how much of each side's variance is in the mean difference
    std::array<double, 2> scatter{};  // squares around the blocks' means
    std::array<double, 2> freedom{};
    std::array<std::uint64_t, 2> count{};
    static constexpr auto fields = [](auto& self, auto& visit) {
      visit("weight", self.weight);
      visit("difference", self.difference);
      visit("baseline", self.baseline);
      visit("between", self.between);
      visit("blocks", self.blocks);
      visit("share", self.share);
      visit("scatter", self.scatter);
      visit("freedom", self.freedom);
      visit("count", self.count);
    };
    void add(const SampleBlock& block);
    Estimate estimate() const;
  };
  SampleBlock open_;
  Sums sums_;
};

/// The ratio of two rates, as evidence for every ratio on a grid. Given that an event happened, it happened in the
/// canary with a chance that follows from the ratio and the traffic alone, however the common rate moves.
class RatioGrid {
 public:
  static constexpr int kReach = 24;
  static constexpr double kStep = 0.1;

  explicit RatioGrid(double log_null = 0) : log_null_(log_null) {}
  void add(const std::array<double, 2>& events, const std::array<double, 2>& traffic);

  /// True when a ratio at or below the null (above it, for Worse::lower) is refuted.
  bool refuted(Worse worse, double alpha) const;
  /// Logarithms of the ratios that are not refuted from below and from above; infinite where all are.
  double lower(double alpha) const;
  double upper(double alpha) const;

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("log_null", self.log_null_);
    visit("likelihood", self.likelihood_);
  };

 private:
  static bool inside(int i) { return i >= 0 && i <= 2 * kReach; }
  double log_ratio(int i) const { return log_null_ + kStep * (i - kReach); }
  /// Logarithm of the e-value against the ratio at `null` and all that are better.
  double evidence(int null, Worse worse) const;

  double log_null_;
  std::array<double, 2 * kReach + 1> likelihood_{};  // logarithms
};

/// The rates of two sides, compared within blocks.
class CountEvidence {
 public:
  CountEvidence() = default;
  CountEvidence(Worse worse, double fail_above, bool binomial);

  void add(Arm arm, double events, double traffic);
  void close();

  bool harmful(double alpha) const;
  /// Of the ratio of the rates.
  double lower(double alpha) const;
  double upper(double alpha) const;
  double ratio() const;
  /// The difference of the rates, with the variance that it has where the canary's is higher by `margin`.
  Estimate estimate(double margin) const;
  double traffic(Arm arm) const { return traffic_[static_cast<std::size_t>(arm)]; }
  double rate(Arm arm) const;
  /// What it keeps fits what it is told, as after loading something else.
  bool intact(Worse worse) const { return worse_ == worse && grids_.size() == (worse == Worse::either ? 2U : 1U); }

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("grids", self.grids_);
    visit("worse", self.worse_);
    visit("binomial", self.binomial_);
    visit("open_events", self.open_events_);
    visit("open_traffic", self.open_traffic_);
    visit("events", self.events_);
    visit("traffic", self.traffic_);
    visit("weight", self.weight_);
    visit("difference", self.difference_);
    visit("baseline", self.baseline_);
    visit("share", self.share_);
    visit("crossed", self.crossed_);
  };

 private:
  std::vector<RatioGrid> grids_;  // against each harmful side
  Worse worse_ = Worse::higher;
  bool binomial_ = false;
  std::array<double, 2> open_events_{};
  std::array<double, 2> open_traffic_{};
  std::array<double, 2> events_{};
  std::array<double, 2> traffic_{};
  double weight_ = 0;
  double difference_ = 0;  // weighted sum
  double baseline_ = 0;    // weighted sum
  std::array<double, 2> share_{};
  std::array<double, 2> crossed_{};  // Mantel and Haenszel's sums
};

}  // namespace homeostat::canary
