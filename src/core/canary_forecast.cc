#include "homeostat/canary_forecast.hpp"

#include <cmath>

#include "core/canary_report.hpp"
#include "homeostat/canary.hpp"

namespace homeostat::canary {
namespace {

constexpr double kMinutesOfAMonth = 30 * 24 * 60;
constexpr double kMostHarm = 9;
constexpr int kHalvings = 50;
constexpr double kExact = 1e-3;  // a forecast need not be more so

/// What the judge would say after so many minutes that bring just what is to be expected.
class Expected {
 public:
  Expected(const Metric& metric, const Options& options, double share, const Traffic& traffic)
      : metric_(metric), alpha_(options.alpha * share / options.stages), beta_(options.beta), traffic_(traffic) {}

  Verdict after(double minutes, double harm) const {
    const double n1 = traffic_.canary_per_minute * minutes;
    const double n0 = traffic_.baseline_per_minute * minutes;
    if (!(n1 >= kLeastSamples && n0 >= kLeastSamples)) return Verdict::not_enough_data;
    MetricReport report;
    const double change = metric_.worse == Worse::lower ? -harm : harm;
    if (metric_.kind == Kind::errors || metric_.kind == Kind::events) {
      CountEvidence evidence(metric_.worse, metric_.fail_above, metric_.kind == Kind::errors);
      evidence.add(Arm::canary, n1 * traffic_.rate * (1 + change), n1);
      evidence.add(Arm::baseline, n0 * traffic_.rate, n0);
      evidence.close();
      weigh(metric_, evidence, alpha_, beta_, report);
    } else {
      const double difference = metric_.kind == Kind::latency ? std::log1p(change) : change;
      const double variance = traffic_.spread * traffic_.spread * (1 / n1 + 1 / n0);
      weigh(metric_, Estimate{difference, variance, n1 + n0 - 2, traffic_.spread, 1}, alpha_, beta_, report);
    }
    const bool early = n1 < kLeastToPass || n0 < kLeastToPass;
    return report.verdict == Verdict::pass && early ? Verdict::undecided : report.verdict;
  }

 private:
  const Metric& metric_;
  double alpha_;
  double beta_;
  const Traffic& traffic_;
};

/// The least value for which `holds`, which it does at `most` and from there down to it.
template <class F>
double least(double none, double most, F holds) {
  for (int i = 0; i < kHalvings && most - none > kExact * most; ++i) {
    const double middle = (none + most) / 2;
    (holds(middle) ? most : none) = middle;
  }
  return most;
}

}  // namespace

Forecast forecast(const Metric& metric, const Options& options, double share, const Traffic& traffic,
                  Duration horizon) {
  const Expected expected(metric, options, share, traffic);
  const double minutes = std::chrono::duration<double, std::ratio<60>>(horizon).count();
  const auto caught = [&](double harm) { return expected.after(minutes, harm) == Verdict::fail; };
  const auto passed = [&](double after) { return expected.after(after, 0) == Verdict::pass; };
  Forecast forecast;
  const double most = metric.worse == Worse::higher ? kMostHarm : 0.999;
  if (caught(most)) forecast.least_harm = least(0, most, caught);
  if (passed(kMinutesOfAMonth)) {
    const std::chrono::duration<double, std::ratio<60>> after(least(0, kMinutesOfAMonth, passed));
    forecast.passes_after = std::chrono::duration_cast<Duration>(after);
  }
  return forecast;
}

std::optional<Traffic> Judge::traffic(std::size_t metric, Duration within) const {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(within).count();
  const State& state = states_.at(metric);
  Traffic traffic;
  std::array<double, 2> told{};
  for (const Arm arm : {Arm::canary, Arm::baseline}) {
    double& count = told[static_cast<std::size_t>(arm)];
    count = state.counts ? state.counts->traffic(arm) : static_cast<double>(state.means.samples(arm));
    if (count < static_cast<double>(kLeastToPass) || minutes <= 0) return std::nullopt;
  }
  traffic.canary_per_minute = told[0] / minutes;
  traffic.baseline_per_minute = told[1] / minutes;
  if (state.counts) {
    // None so far is no proof that there are none.
    traffic.rate = std::max(state.counts->rate(Arm::baseline), 1 / told[1]);
    return traffic;
  }
  const Estimate estimate = state.means.estimate();
  if (!(estimate.freedom > 0)) return std::nullopt;
  traffic.spread =
      metrics_[metric].kind == Kind::latency ? estimate.spread : estimate.spread / std::abs(estimate.baseline);
  return std::isfinite(traffic.spread) ? std::optional(traffic) : std::nullopt;
}

Forecast Judge::expect(std::size_t metric, const Traffic& traffic, Duration horizon) const {
  return canary::forecast(metrics_.at(metric), options_, share_of(metrics_[metric]), traffic, horizon);
}

}  // namespace homeostat::canary
