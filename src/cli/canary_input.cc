#include "cli/canary_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "api/exact_json.hpp"
#include "cli/members.hpp"
#include "config/value.hpp"

namespace homeostat::cli {
namespace {

namespace json = boost::json;
using canary::kayenta::MetricRules;

constexpr std::size_t kMostMetrics = 1000;

std::optional<double> number_of(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (value.is_null() || value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

/// `v`, `[v]`, `[time, v]`; of counts `[events, traffic]`, `[time, events, traffic]`.
std::optional<CanarySample> sample_of(const json::value& value, bool counts) {
  std::vector<double> numbers;
  if (const json::array* list = value.if_array()) {
    for (const json::value& one : *list) {
      const auto number = number_of(one);
      if (!number || numbers.size() == 3) return std::nullopt;
      numbers.push_back(*number);
    }
  } else if (const auto number = number_of(value)) {
    numbers.push_back(*number);
  }
  const std::size_t values = counts ? 2 : 1;
  if (numbers.size() != values && numbers.size() != values + 1) return std::nullopt;
  CanarySample sample;
  if (numbers.size() > values) sample.at = numbers.front();
  sample.value = numbers[numbers.size() - values];
  if (counts) sample.traffic = numbers.back();
  return std::isfinite(sample.at) && std::abs(sample.at) <= kMostCanarySeconds ? std::optional(sample) : std::nullopt;
}

void samples(Members& members, std::string_view key, bool counts, std::vector<CanarySample>& out) {
  members.with(key, [&](const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr) return members.wrong(key, "is not a list");
    for (const json::value& one : *list) {
      const auto sample = sample_of(one, counts);
      if (!sample) {
        return members.wrong(fmt::format("{}[{}]", key, out.size()),
                             counts ? "is neither [events, traffic] nor [seconds, events, traffic]"
                                    : "is neither a number nor [seconds, number]");
      }
      out.push_back(*sample);
    }
  });
}

template <class T>
std::function<std::optional<T>(std::string_view)> either(std::string_view first, T one, std::string_view second,
                                                         T other) {
  return [=](std::string_view word) {
    return word == first ? std::optional(one) : word == second ? std::optional(other) : std::nullopt;
  };
}

void kayenta_members(Members& members, CanaryInputMetric& metric) {
  using namespace canary::kayenta;
  MetricRules& rules = metric.kayenta;
  members.word<NanStrategy>("nan_strategy", rules.nan_strategy,
                            either("remove", NanStrategy::remove, "replace", NanStrategy::replace), "remove, replace");
  members.word<OutlierStrategy>("outliers", rules.outliers,
                                either("keep", OutlierStrategy::keep, "remove", OutlierStrategy::remove),
                                "keep, remove");
  members.word<Measure>("effect_size", rules.measure, either("mean_ratio", Measure::mean_ratio, "cles", Measure::cles),
                        "mean_ratio, cles");
  members.number("outlier_factor", rules.outlier_factor);
  members.flag("must_have_data", rules.must_have_data);
  rules.allowed = rules.critical_at = default_thresholds(rules.measure);
  members.number("allowed_increase", rules.allowed.increase);
  members.number("allowed_decrease", rules.allowed.decrease);
  members.number("critical_increase", rules.critical_at.increase);
  members.number("critical_decrease", rules.critical_at.decrease);
  members.number("confidence", rules.confidence);
  members.flag("muted", metric.muted);
  members.with("groups", [&](const json::value& value) {
    metric.groups.clear();
    const json::array* list = value.if_array();
    if (list == nullptr) return members.wrong("groups", "is not a list");
    for (const json::value& group : *list) {
      if (!group.is_string()) return members.wrong("groups", "is not a list of names");
      metric.groups.emplace_back(group.as_string());
    }
  });
}

void simple_members(Members& members, CanaryInputMetric& metric) {
  canary::Range range;
  members.number("min", range.min);
  members.number("max", range.max);
  if (std::isfinite(range.min) || std::isfinite(range.max)) metric.simple.range = range;
}

std::expected<CanaryInputMetric, Error> read_metric(const json::value& value, CanaryMode mode, std::size_t index) {
  Members members(value, fmt::format("metrics[{}]", index));
  CanaryInputMetric metric;
  canary::Metric& native = metric.metric;
  native.name = fmt::format("metric {}", index + 1);
  members.word<std::string>(
      "name", native.name, [](std::string_view word) { return std::optional(std::string(word)); }, "texts");
  native.worse = usual_worse(mode);
  members.word<canary::Worse>("worse", native.worse, canary_worse, "higher, lower, either");
  native.critical = mode == CanaryMode::native;
  members.flag("critical", native.critical);
  if (mode == CanaryMode::native) {
    members.word<canary::Kind>("kind", native.kind, canary_kind, "latency, value, errors, events");
    members.number("fail_above", native.fail_above);
    members.number("promote_below", native.promote_below);
    members.number("promote_points", native.promote_points);
    members.number("weight", native.weight);
  } else {
    double tolerance = mode == CanaryMode::kayenta ? metric.kayenta.tolerance : metric.simple.tolerance;
    members.number("tolerance", tolerance);
    metric.kayenta.tolerance = metric.simple.tolerance = tolerance;
    if (mode == CanaryMode::kayenta) kayenta_members(members, metric);
    if (mode == CanaryMode::simple) simple_members(members, metric);
  }
  const bool counts = native.kind == canary::Kind::errors || native.kind == canary::Kind::events;
  samples(members, "canary", counts, metric.canary);
  samples(members, "baseline", counts, metric.baseline);
  if (std::string problem = members.finish(); !problem.empty()) return fail(std::move(problem));
  if (!members.has("kind")) native.kind = likely_kind(metric);
  metric.simple.worse = native.worse;
  metric.kayenta.critical = native.critical;
  metric.kayenta.direction = kayenta_direction(native.worse);
  return metric;
}

void options(Members& members, CanaryInput& input) {
  if (input.mode == CanaryMode::native) {
    members.number("alpha", input.options.alpha);
    members.number("beta", input.options.beta);
    members.with("stages", [&](const json::value& value) {
      boost::system::error_code wrong;
      input.options.stages = value.to_number<std::uint32_t>(wrong);
      if (wrong) members.wrong("stages", "is not a whole number");
    });
    members.word<Duration>("block", input.options.block, config::parse_duration, "durations such as 1m");
  } else if (input.mode == CanaryMode::kayenta) {
    members.number("pass", input.score.pass);
    members.number("marginal", input.score.marginal);
    members.with("group_weights", [&](const json::value& value) {
      const json::object* weights = value.if_object();
      if (weights == nullptr) return members.wrong("group_weights", "is not an object");
      for (const auto& [group, weight] : *weights) {
        if (!weight.is_number()) return members.wrong("group_weights", "has a weight that is not a number");
        input.score.group_weights[std::string(group)] = weight.to_number<double>();
      }
    });
  }
}

}  // namespace

std::expected<CanaryInput, Error> read_canary_json(std::string_view text) {
  boost::system::error_code wrong;
  const json::value root = api::parse_exact(text, wrong);
  if (wrong) return fail("the input is not JSON: " + wrong.message());
  Members members(root, "");
  CanaryInput input;
  members.word<CanaryMode>("mode", input.mode, canary_mode, "native, kayenta, simple");
  options(members, input);
  std::string problem;
  members.with("metrics", [&](const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->size() > kMostMetrics)
      return members.wrong("metrics", "is not a list of at most 1000");
    for (const json::value& one : *list) {
      auto metric = read_metric(one, input.mode, input.metrics.size());
      if (!metric) {
        problem = metric.error().text;
        return;
      }
      input.metrics.push_back(std::move(*metric));
    }
  });
  if (std::string other = members.finish(); !other.empty()) return fail(std::move(other));
  if (!problem.empty()) return fail(std::move(problem));
  if (input.metrics.empty()) return fail("metrics is missing, or an empty list");
  return input;
}

}  // namespace homeostat::cli
