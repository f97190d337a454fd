#include <algorithm>
#include <cmath>
#include <utility>

#include "core/canary_report.hpp"
#include "homeostat/canary.hpp"

namespace homeostat::canary {
namespace {

/// Counts lose nothing by short blocks, and what fails at once is seen at once.
constexpr int kCountBlocks = 12;
/// A metric from which nothing has come for so many blocks has stopped.
constexpr int kSilentBlocks = 3;

// Beyond these the sums of squares leave what a number can hold.
constexpr double kMost = 1e100;
constexpr double kLeast = 1e-100;
constexpr double kMostTraffic = 1e15;

bool usable(double value, bool logarithmic) {
  const double size = std::abs(value);
  return size <= kMost && (value > 0 || !logarithmic) && (size >= kLeast || value == 0);
}

bool possible(double events, double traffic, bool errors) {
  return events >= 0 && events <= kMostTraffic && traffic >= 0 && traffic <= kMostTraffic &&
         (!errors || events <= traffic);
}

std::uint64_t whole(double traffic) { return static_cast<std::uint64_t>(std::min(traffic, 1e18)); }

/// The votes of a verdict, by weight.
double votes(const Judgement& judgement, const std::vector<Metric>& metrics, Verdict verdict) {
  double sum = 0;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (judgement.metrics[i].verdict == verdict) sum += metrics[i].weight;
  }
  return sum;
}

double all_weight(const std::vector<Metric>& metrics) {
  double sum = 0;
  for (const Metric& metric : metrics) sum += metric.weight;
  return sum;
}

/// The first metric, the critical ones before the others, whose report has `verdict`.
const MetricReport* find(const Judgement& judgement, const std::vector<Metric>& metrics, Verdict verdict) {
  for (const bool critical : {true, false}) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const MetricReport& report = judgement.metrics[i];
      if (metrics[i].critical == critical && report.verdict == verdict) return &report;
    }
  }
  return nullptr;
}

bool any_critical(const Judgement& judgement, const std::vector<Metric>& metrics, Verdict verdict) {
  const MetricReport* report = find(judgement, metrics, verdict);
  if (report == nullptr) return false;
  return metrics[static_cast<std::size_t>(report - judgement.metrics.data())].critical;
}

void conclude(Judgement& judgement, const std::vector<Metric>& metrics) {
  const double half = all_weight(metrics) / 2;
  const auto settle = [&](Verdict verdict) {
    judgement.verdict = verdict;
    const MetricReport* report = find(judgement, metrics, verdict);
    judgement.why = report == nullptr ? "harm is excluded for too few of the metrics" : report->why;
  };
  if (any_critical(judgement, metrics, Verdict::fail) || votes(judgement, metrics, Verdict::fail) >= half) {
    return settle(Verdict::fail);
  }
  const bool nothing = votes(judgement, metrics, Verdict::not_enough_data) >= 2 * half;
  if (nothing || any_critical(judgement, metrics, Verdict::not_enough_data)) {
    return settle(Verdict::not_enough_data);
  }
  const bool open = any_critical(judgement, metrics, Verdict::undecided);
  if (open || votes(judgement, metrics, Verdict::pass) < half) {
    return settle(Verdict::undecided);
  }
  settle(Verdict::pass);
}

}  // namespace

Judge::Judge(const Options& options, std::vector<Metric> metrics) : options_(options), metrics_(std::move(metrics)) {
  for (const Metric& metric : metrics_) {
    State state;
    if (metric.kind == Kind::errors || metric.kind == Kind::events) {
      state.counts = CountEvidence(metric.worse, metric.fail_above, metric.kind == Kind::errors);
    }
    states_.push_back(std::move(state));
  }
}

std::expected<Judge, std::string> Judge::make(const Options& options, std::vector<Metric> metrics) {
  if (auto valid = validate(options, metrics); !valid) return std::unexpected(valid.error());
  return Judge(options, std::move(metrics));
}

bool Judge::intact() const {
  if (!validate(options_, metrics_) || states_.size() != metrics_.size()) return false;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    const bool counted = metrics_[i].kind == Kind::errors || metrics_[i].kind == Kind::events;
    const auto& counts = states_[i].counts;
    if (counts.has_value() != counted || (counts && !counts->intact(metrics_[i].worse))) return false;
  }
  return true;
}

Duration Judge::block_of(const State& state) const {
  return state.counts ? options_.block / kCountBlocks : options_.block;
}

void Judge::close(State& state) {
  if (state.counts)
    state.counts->close();
  else
    state.means.close();
}

Judge::State& Judge::at(std::size_t metric, Arm arm, Instant now) {
  State& state = states_.at(metric);
  const std::int64_t block = now.time_since_epoch() / block_of(state);
  if (block > state.block) {
    close(state);
    state.block = block;
  }
  Instant& last = state.last[static_cast<std::size_t>(arm)];
  last = std::max(last, now);
  return state;
}

void Judge::sample(std::size_t metric, Arm arm, double value, Instant at_time) {
  State& state = at(metric, arm, at_time);
  const bool logarithmic = metrics_[metric].kind == Kind::latency;
  if (state.counts || !usable(value, logarithmic)) {
    state.broken = true;
    return;
  }
  state.means.add(arm, logarithmic ? std::log(value) : value);
}

void Judge::count(std::size_t metric, Arm arm, double events, double traffic, Instant at_time) {
  State& state = at(metric, arm, at_time);
  if (!state.counts || !possible(events, traffic, metrics_[metric].kind == Kind::errors)) {
    state.broken = true;
    return;
  }
  state.counts->add(arm, events, traffic);
}

void Judge::broken(std::size_t metric) { states_.at(metric).broken = true; }

double Judge::share_of(const Metric& metric) const { return metric.weight / all_weight(metrics_); }

double Judge::alpha_of(const Metric& metric) const { return options_.alpha * share_of(metric) / options_.stages; }

bool Judge::silent(const State& state, Instant now) const {
  const auto stopped = [&](Instant last) { return last != kLongAgo && now - last > kSilentBlocks * options_.block; };
  return stopped(state.last[0]) || stopped(state.last[1]);
}

MetricReport Judge::report(const Metric& metric, State state, Instant now) const {
  MetricReport report;
  report.name = metric.name;
  report.broken = state.broken || silent(state, now);
  if (now.time_since_epoch() / block_of(state) > state.block) close(state);
  const auto enough = [&] { return std::min(report.canary.samples, report.baseline.samples) >= kLeastSamples; };
  if (!state.counts) {
    const Estimate estimate = state.means.estimate();
    const auto shown = [&](double x) { return metric.kind == Kind::latency ? std::exp(x) : x; };
    report.canary = {state.means.samples(Arm::canary), shown(estimate.baseline + estimate.difference)};
    report.baseline = {state.means.samples(Arm::baseline), shown(estimate.baseline)};
    if (enough()) weigh(metric, estimate, alpha_of(metric), options_.beta, report);
  } else {
    const CountEvidence& counts = *state.counts;
    report.canary = {whole(counts.traffic(Arm::canary)), counts.rate(Arm::canary)};
    report.baseline = {whole(counts.traffic(Arm::baseline)), counts.rate(Arm::baseline)};
    if (enough()) weigh(metric, counts, alpha_of(metric), options_.beta, report);
  }
  const bool may_pass = !report.broken && std::min(report.canary.samples, report.baseline.samples) >= kLeastToPass;
  if (report.verdict == Verdict::pass && !may_pass) report.verdict = Verdict::undecided;
  report.why = explain(metric, report);
  return report;
}

Judgement Judge::judge(Instant now) const {
  Judgement judgement;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    judgement.metrics.push_back(report(metrics_[i], states_[i], now));
  }
  conclude(judgement, metrics_);
  return judgement;
}

}  // namespace homeostat::canary
