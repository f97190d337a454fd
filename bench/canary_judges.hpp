// The judges that are compared, all asked in the same way: after every minute, with what that minute brought.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "canary_worlds.hpp"
#include "homeostat/canary.hpp"
#include "homeostat/canary_kayenta.hpp"
#include "homeostat/canary_ranks.hpp"

namespace canary_bench {

namespace canary = homeostat::canary;
using canary::Verdict;

/// Our own, with its defaults.
class Native {
 public:
  explicit Native(const World& world) : judge_(*canary::Judge::make({}, {metric(world)})) {}

  Verdict minute(const Minute& minute) {
    using std::chrono::seconds;
    for (const canary::Arm arm : {canary::Arm::canary, canary::Arm::baseline}) {
      const auto side = static_cast<std::size_t>(arm);
      for (const double x : minute.samples[side]) judge_.sample(0, arm, x, now_ + seconds(30));
    }
    for (std::size_t i = 0; i < minute.errors[0].size(); ++i) {
      const auto at = now_ + seconds(5 * static_cast<int>(i));
      judge_.count(0, canary::Arm::canary, minute.errors[0][i], minute.requests, at);
      judge_.count(0, canary::Arm::baseline, minute.errors[1][i], minute.requests, at);
    }
    now_ += seconds(60);
    return judge_.judge(now_).verdict;
  }

 private:
  static canary::Metric metric(const World& world) {
    canary::Metric metric;
    metric.name = "metric";
    metric.kind = world.data == World::Data::points      ? canary::Kind::value
                  : world.data == World::Data::latencies ? canary::Kind::latency
                                                         : canary::Kind::errors;
    return metric;
  }

  canary::Judge judge_;
  homeostat::Instant now_{};
};

/// All samples so far, sorted; of errors the rate of each minute, as such judges are fed.
class Pool {
 public:
  void add(const Minute& minute) {
    for (const std::size_t side : {0U, 1U}) {
      std::vector<double>& all = sides_[side];
      const auto before = static_cast<std::ptrdiff_t>(all.size());
      all.insert(all.end(), minute.samples[side].begin(), minute.samples[side].end());
      if (!minute.errors[side].empty()) {
        const double failed = std::accumulate(minute.errors[side].begin(), minute.errors[side].end(), 0.0);
        all.push_back(failed / (minute.requests * static_cast<double>(minute.errors[side].size())));
      }
      std::sort(all.begin() + before, all.end());
      std::vector<double> merged(all.size());
      std::merge(all.begin(), all.begin() + before, all.begin() + before, all.end(), merged.begin());
      all.swap(merged);
    }
  }
  const std::vector<double>& canary() const { return sides_[0]; }
  const std::vector<double>& baseline() const { return sides_[1]; }

 private:
  std::array<std::vector<double>, 2> sides_;
};

/// A Mann-Whitney test at 5 %, asked every minute as if it were asked once.
class MannWhitney {
 public:
  explicit MannWhitney(const World&) {}
  Verdict minute(const Minute& minute) {
    pool_.add(minute);
    return canary::ShiftTest(pool_.canary(), pool_.baseline()).p_value() < 0.05 ? Verdict::fail : Verdict::undecided;
  }

 private:
  Pool pool_;
};

/// Kayenta's judge, asked every five minutes; it knows pass and fail only.
class Kayenta {
 public:
  explicit Kayenta(const World&) { rules_.direction = canary::kayenta::Direction::increase; }
  Verdict minute(const Minute& minute) {
    pool_.add(minute);
    if (++minutes_ % 5 != 0) return Verdict::undecided;
    const auto label = canary::kayenta::classify(pool_.canary(), pool_.baseline(), rules_).label;
    return label == canary::kayenta::Label::pass ? Verdict::pass : Verdict::fail;
  }

 private:
  canary::kayenta::MetricRules rules_;
  Pool pool_;
  int minutes_ = 0;
};

/// A z-test of the two means over all samples, asked every minute: what is blind to time.
class PooledMeans {
 public:
  explicit PooledMeans(const World&) {}
  Verdict minute(const Minute& minute) {
    for (const std::size_t side : {0U, 1U}) {
      for (const double x : minute.samples[side]) {
        n_[side] += 1;
        sum_[side] += x;
        squares_[side] += x * x;
      }
    }
    const double difference = sum_[0] / n_[0] - sum_[1] / n_[1];
    return std::abs(difference) > 1.96 * std::sqrt(variance(0) + variance(1)) ? Verdict::fail : Verdict::undecided;
  }

 private:
  double variance(std::size_t side) const {
    const double mean = sum_[side] / n_[side];
    return (squares_[side] / n_[side] - mean * mean) / n_[side];
  }
  std::array<double, 2> n_{};
  std::array<double, 2> sum_{};
  std::array<double, 2> squares_{};
};

}  // namespace canary_bench
