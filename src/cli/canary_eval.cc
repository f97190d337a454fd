#include "cli/canary_eval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace homeostat::cli {
namespace {

using canary::Arm;
using canary::Verdict;

/// One sample on its way to the judge.
struct Told {
  double at;
  std::size_t metric;
  Arm arm;
  const CanarySample* sample;
  std::size_t order;
};

/// All samples as they came; of two at the same time both sides in turn.
std::vector<Told> in_time(const CanaryInput& input) {
  std::vector<Told> all;
  for (std::size_t m = 0; m < input.metrics.size(); ++m) {
    const CanaryInputMetric& metric = input.metrics[m];
    const std::size_t most = std::max(metric.canary.size(), metric.baseline.size());
    for (std::size_t i = 0; i < most; ++i) {
      if (i < metric.canary.size()) all.push_back({metric.canary[i].at, m, Arm::canary, &metric.canary[i], all.size()});
      if (i < metric.baseline.size())
        all.push_back({metric.baseline[i].at, m, Arm::baseline, &metric.baseline[i], all.size()});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Told& a, const Told& b) { return a.at != b.at ? a.at < b.at : a.order < b.order; });
  return all;
}

Instant instant(double seconds) {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

void tell(canary::Judge& judge, const CanaryInput& input, const Told& told, Instant at) {
  const canary::Kind kind = input.metrics[told.metric].metric.kind;
  if (kind == canary::Kind::errors || kind == canary::Kind::events) {
    judge.count(told.metric, told.arm, told.sample->value, told.sample->traffic, at);
  } else {
    judge.sample(told.metric, told.arm, told.sample->value, at);
  }
}

std::vector<double> values(const std::vector<CanarySample>& samples) {
  std::vector<double> values;
  values.reserve(samples.size());
  for (const CanarySample& sample : samples) values.push_back(sample.value);
  return values;
}

/// JSON knows neither infinities nor what is not a number.
json::value number_json(double x) { return std::isfinite(x) ? json::value(x) : json::value(nullptr); }

json::object side_json(const canary::Side& side) {
  return {{"samples", side.samples}, {"average", number_json(side.average)}};
}

json::object native(const CanaryInput& input, const std::vector<CanaryLook>& looks) {
  const canary::Judgement& last = looks.back().judgement;
  json::array metrics;
  for (std::size_t i = 0; i < last.metrics.size(); ++i) {
    const canary::MetricReport& report = last.metrics[i];
    metrics.push_back(json::object{{"name", report.name},
                                   {"kind", to_string(input.metrics[i].metric.kind)},
                                   {"verdict", to_string(report.verdict)},
                                   {"change_pct", number_json(100 * report.change)},
                                   {"lower_pct", number_json(100 * report.lower)},
                                   {"upper_pct", number_json(100 * report.upper)},
                                   {"canary", side_json(report.canary)},
                                   {"baseline", side_json(report.baseline)},
                                   {"broken", report.broken},
                                   {"why", report.why}});
  }
  json::object answer{{"mode", "native"}, {"verdict", to_string(last.verdict)}, {"why", last.why}};
  const auto first = std::find_if(looks.begin(), looks.end(), [](const CanaryLook& look) {
    return look.judgement.verdict == Verdict::fail || look.judgement.verdict == Verdict::pass;
  });
  answer["first"] = first == looks.end() ? json::value(nullptr)
                                         : json::object{{"verdict", to_string(first->judgement.verdict)},
                                                        {"after_s", first->at},
                                                        {"why", first->judgement.why}};
  answer["metrics"] = std::move(metrics);
  return answer;
}

json::object kayenta(const CanaryInput& input) {
  namespace kayenta = canary::kayenta;
  std::vector<kayenta::MetricResult> results;
  json::array metrics;
  for (const CanaryInputMetric& metric : input.metrics) {
    const std::string& name = metric.metric.name;
    const auto said = kayenta::classify(values(metric.canary), values(metric.baseline), metric.kayenta);
    results.push_back({name, said.label, said.critical, metric.muted, metric.groups});
    metrics.push_back(json::object{{"name", name},
                                   {"classification", to_string(said.label)},
                                   {"critical", said.critical},
                                   {"ratio", number_json(said.deviation)},
                                   {"why", said.reason}});
  }
  const kayenta::Score score = kayenta::score(results, input.score);
  json::object groups;
  for (const auto& [group, value] : score.groups) groups[group] = number_json(value);
  // Its scores know no "not enough data"; what is between is for a person to decide.
  const Verdict verdict = score.label == kayenta::ScoreLabel::pass   ? Verdict::pass
                          : score.label == kayenta::ScoreLabel::fail ? Verdict::fail
                                                                     : Verdict::undecided;
  std::string why =
      score.reason.empty() ? fmt::format("the score is {:g}: {}", score.summary, to_string(score.label)) : score.reason;
  return {{"mode", "kayenta"},
          {"verdict", to_string(verdict)},
          {"why", std::move(why)},
          {"score", number_json(score.summary)},
          {"classification", to_string(score.label)},
          {"groups", std::move(groups)},
          {"metrics", std::move(metrics)}};
}

json::object simple(const CanaryInput& input) {
  json::array metrics;
  Verdict verdict = Verdict::pass;
  std::string why = "no metric is worse than is tolerated";
  const auto graver = [](Verdict v) { return v == Verdict::fail ? 2 : v == Verdict::pass ? 0 : 1; };
  for (const CanaryInputMetric& metric : input.metrics) {
    const auto said = canary::compare_means(values(metric.canary), values(metric.baseline), metric.simple);
    if (graver(said.verdict) > graver(verdict)) {
      verdict = said.verdict;
      why = metric.metric.name + ": " + said.why;
    }
    metrics.push_back(json::object{{"name", metric.metric.name},
                                   {"verdict", to_string(said.verdict)},
                                   {"canary_avg", number_json(said.canary_avg)},
                                   {"baseline_avg", number_json(said.baseline_avg)},
                                   {"improvement_pct", number_json(said.improvement_pct)},
                                   {"why", said.why}});
  }
  return {{"mode", "simple"}, {"verdict", to_string(verdict)}, {"why", why}, {"metrics", std::move(metrics)}};
}

}  // namespace

std::expected<std::vector<CanaryLook>, Error> canary_looks(const CanaryInput& input, std::size_t most) {
  if (input.mode != CanaryMode::native) return std::vector<CanaryLook>{};
  std::vector<canary::Metric> metrics;
  for (const CanaryInputMetric& metric : input.metrics) metrics.push_back(metric.metric);
  auto judge = canary::Judge::make(input.options, std::move(metrics));
  if (!judge) return fail(judge.error());
  const std::vector<Told> all = in_time(input);
  const double start = all.empty() ? 0 : all.front().at;
  const std::size_t every = std::max<std::size_t>(1, all.size() / most);
  std::vector<CanaryLook> looks;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Instant at = instant(all[i].at - start);
    tell(*judge, input, all[i], at);
    if ((i + 1) % every == 0) looks.push_back({all[i].at - start, judge->judge(at)});
  }
  const double end = all.empty() ? 0 : all.back().at - start;
  looks.push_back({end, judge->judge(instant(end) + input.options.block)});
  return looks;
}

json::object judge_canary(const CanaryInput& input, const std::vector<CanaryLook>& looks) {
  switch (input.mode) {
    case CanaryMode::native:
      return native(input, looks);
    case CanaryMode::kayenta:
      return kayenta(input);
    case CanaryMode::simple:
      return simple(input);
  }
  return {};
}

}  // namespace homeostat::cli
