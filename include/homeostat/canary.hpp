// Is the new version as good as the old one? Told the samples of both sides as they come, the judge may be asked at any
// time, as often as one likes, without a false alarm becoming more likely.
//
//   auto judge = homeostat::canary::Judge::make({}, {{.name = "latency"}, {.name = "errors", .kind = Kind::errors}});
//   judge->sample(0, Arm::canary, 0.182, now);
//   if (judge->judge(now).verdict == Verdict::fail) roll_back();
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "homeostat/canary_evidence.hpp"
#include "homeostat/canary_forecast.hpp"
#include "homeostat/canary_types.hpp"

namespace homeostat::canary {

class Judge {
 public:
  /// For loading: knows no metric.
  Judge() = default;
  static std::expected<Judge, std::string> make(const Options& options, std::vector<Metric> metrics);

  /// One sample of a latency or value. Time does not go backwards; what comes late counts for the present block.
  void sample(std::size_t metric, Arm arm, double value, Instant at);
  /// `events` of `traffic`: errors of so many requests, or events in so much of anything.
  void count(std::size_t metric, Arm arm, double events, double traffic, Instant at);
  /// It cannot be measured. The metric never passes any more.
  void broken(std::size_t metric);

  Judgement judge(Instant now) const;
  const std::vector<Metric>& metrics() const { return metrics_; }
  /// The other compares the same metrics, and calls harm proven by the same rules.
  bool same_task(const Judge& other) const { return options_ == other.options_ && metrics_ == other.metrics_; }
  /// How much it has been told of a metric within so long, and how that spreads. Nothing: too little to say.
  std::optional<Traffic> traffic(std::size_t metric, Duration within) const;
  /// What it will be able to see of a metric, of which there is so much.
  Forecast expect(std::size_t metric, const Traffic& traffic, Duration horizon) const;

  /// All of it, so that it can be saved at any time and go on later as if nothing had happened.
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("options", self.options_);
    visit("metrics", self.metrics_);
    visit("states", self.states_);
  };
  /// False where something else than a judge has been loaded: it must not be used.
  bool intact() const;

 private:
  struct State {
    MeanEvidence means;
    std::optional<CountEvidence> counts;  // of errors and events, instead of means
    std::int64_t block = 0;               // the open one's number
    std::array<Instant, 2> last{kLongAgo, kLongAgo};
    bool broken = false;
    static constexpr auto fields = [](auto& self, auto& visit) {
      visit("means", self.means);
      visit("counts", self.counts);
      visit("block", self.block);
      visit("last", self.last);
      visit("broken", self.broken);
    };
  };

  Judge(const Options& options, std::vector<Metric> metrics);
  Duration block_of(const State& state) const;
  State& at(std::size_t metric, Arm arm, Instant now);
  static void close(State& state);
  double share_of(const Metric& metric) const;
  double alpha_of(const Metric& metric) const;
  bool silent(const State& state, Instant now) const;
  MetricReport report(const Metric& metric, State state, Instant now) const;

  Options options_;
  std::vector<Metric> metrics_;
  std::vector<State> states_;
};

}  // namespace homeostat::canary
