#include "homeostat/canary_forecast.hpp"

#include <cmath>

#include "core/canary_report.hpp"

namespace homeostat::canary {
namespace {

constexpr double kMinutesOfAMonth = 30 * 24 * 60;
constexpr double kMostHarm = 9;
constexpr int kHalvings = 50;

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
  for (int i = 0; i < kHalvings; ++i) {
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

}  // namespace homeostat::canary
