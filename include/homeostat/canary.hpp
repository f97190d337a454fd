// Is the new version as good as the old one? Told the samples of both sides as they come, the judge may be asked at any
// time, as often as one likes, without a false alarm becoming more likely.
//
//   auto judge = homeostat::canary::Judge::make({}, {{.name = "latency"}, {.name = "errors", .kind = Kind::errors}});
//   judge->sample(0, Arm::canary, 0.182, now);
//   if (judge->judge(now).verdict == Verdict::fail) roll_back();
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "homeostat/canary_evidence.hpp"
#include "homeostat/canary_types.hpp"

namespace homeostat::canary {

class Judge {
 public:
  static std::expected<Judge, std::string> make(const Options& options, std::vector<Metric> metrics);

  /// One sample of a latency or value. Time does not go backwards; what comes late counts for the present block.
  void sample(std::size_t metric, Arm arm, double value, Instant at);
  /// `events` of `traffic`: errors of so many requests, or events in so much of anything.
  void count(std::size_t metric, Arm arm, double events, double traffic, Instant at);
  /// It cannot be measured. The metric never passes any more.
  void broken(std::size_t metric);

  Judgement judge(Instant now) const;
  const std::vector<Metric>& metrics() const { return metrics_; }

 private:
  using Evidence = std::variant<MeanEvidence, CountEvidence>;
  struct State {
    Evidence evidence;
    std::int64_t block = 0;  // the open one's number
    Instant first = kNever;
    std::array<Instant, 2> last{kLongAgo, kLongAgo};
    bool broken = false;
  };

  Judge(const Options& options, std::vector<Metric> metrics);
  Duration block_of(const State& state) const;
  State& at(std::size_t metric, Arm arm, Instant now);
  static void close(State& state);
  double alpha_of(const Metric& metric) const;
  bool silent(const State& state, Instant now) const;
  MetricReport report(const Metric& metric, State state, Instant now) const;

  Options options_;
  std::vector<Metric> metrics_;
  std::vector<State> states_;
};

}  // namespace homeostat::canary
