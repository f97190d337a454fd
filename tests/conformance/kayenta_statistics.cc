#include <algorithm>

#include "homeostat/canary_kayenta.hpp"
#include "homeostat/canary_ranks.hpp"
#include "homeostat/canary_stats.hpp"
#include "kayenta_case.hpp"

namespace conformance {
namespace {

using namespace homeostat::canary;

constexpr double kExact = 1e-9;

double tolerance(const json::object& expected, std::string_view key = "tol") {
  const json::value* value = expected.if_contains(key);
  if (value != nullptr) return value->to_number<double>();
  return key == "tol" ? kExact : tolerance(expected);
}

std::string summary_case(const KayentaCase& one) {
  const Summary got = summarise(one.samples("data"));
  const json::object& expected = one.expected();
  const double tol = tolerance(expected);
  std::string fault = differs(expected, "min", got.min, tol);
  if (fault.empty()) fault = differs(expected, "max", got.max, tol);
  if (fault.empty()) fault = differs(expected, "mean", got.mean, tol);
  if (fault.empty()) fault = differs(expected, "median", got.median, tol);
  if (fault.empty()) fault = differs(expected, "std", got.std, tol);
  if (fault.empty()) fault = differs(expected, "count", static_cast<double>(got.count), tol);
  return fault;
}

std::string interval_case(const KayentaCase& one) {
  const double confidence = one.config().at("conf_level").to_number<double>();
  const auto got = shift_interval(one.samples("experiment"), one.samples("control"), confidence);
  if (!got) return got.error();
  const json::object& expected = one.expected();
  const double tol = tolerance(expected);
  std::string fault = differs(expected, "ci_lower", got->lower, tol);
  if (fault.empty()) fault = differs(expected, "ci_upper", got->upper, tol);
  if (fault.empty()) fault = differs(expected, "estimate", got->estimate, tolerance(expected, "estimate_tol"));
  return fault;
}

/// What the interval is computed from, then the interval.
std::string intermediate_case(const KayentaCase& one) {
  const ShiftTest test(one.samples("experiment"), one.samples("control"));
  const double z = -normal_quantile((1.0 - one.config().at("conf_level").to_number<double>()) / 2);
  const auto left = test.statistic(test.least());
  const auto right = test.statistic(test.most());
  if (!left || !right) return "the statistic cannot be computed";
  const json::object& expected = one.expected();
  const double tol = tolerance(expected);
  std::string fault = differs(expected, "mu_min", test.least(), tol);
  if (fault.empty()) fault = differs(expected, "mu_max", test.most(), tol);
  if (fault.empty()) fault = differs(expected, "zq_lower", z, tol);
  if (fault.empty()) fault = differs(expected, "zq_upper", -z, tol);
  if (fault.empty()) fault = differs(expected, "f_lower_at_zq_lower", *left - z, tol);
  if (fault.empty()) fault = differs(expected, "f_upper_at_zq_lower", *right - z, tol);
  if (fault.empty()) fault = differs(expected, "f_lower_at_zq_upper", *left + z, tol);
  if (fault.empty()) fault = differs(expected, "f_upper_at_zq_upper", *right + z, tol);
  return fault.empty() ? interval_case(one) : fault;
}

std::string effect_case(const KayentaCase& one) {
  const std::vector<double> experiment = one.samples("experiment");
  const std::vector<double> control = one.samples("control");
  double got = 0;
  if (one.method() == "mean_ratio") {
    got = kayenta::mean_ratio(experiment, control);
  } else if (one.method() == "cles") {
    got = common_language_effect(experiment, control);
  } else if (one.method().starts_with("cohen")) {
    got = kayenta::cohens_d(experiment, control);
  } else {
    return "method is not known: " + std::string(one.method());
  }
  return differs(one.expected(), "value", got, tolerance(one.expected()));
}

std::string statistic_at_shift(const KayentaCase& one) {
  const ShiftTest test(one.samples("experiment"), one.samples("control"));
  const auto got = test.statistic(one.config().at("mu").to_number<double>());
  if (!got) return got.error();
  const double quantile = one.config().at("quantile").to_number<double>();
  return differs(one.expected(), "value", *got - quantile, tolerance(one.expected()));
}

/// How the method of a transformation names what it removes.
std::vector<bool> outliers_of(std::string_view method, const std::vector<double>& data, const json::object& config) {
  const double factor = config.at("factor").to_number<double>();
  if (method.ends_with("ksigma")) return kayenta::ksigma_outliers(data, factor);
  const json::value* reduce = config.if_contains("reduce_sensitivity");
  return kayenta::iqr_outliers(data, factor, reduce != nullptr && reduce->as_bool());
}

bool finds_outliers(std::string_view method) { return method.ends_with("iqr") || method.ends_with("ksigma"); }

}  // namespace

std::string statistic_case(const KayentaCase& one) {
  const std::string_view kind = one.text("kind");
  const json::object& expected = one.expected();
  if (kind == "summary") return summary_case(one);
  if (kind == "mw_interval") return interval_case(one);
  if (kind == "mw_intermediate") return intermediate_case(one);
  if (kind == "effect_size") return effect_case(one);
  if (kind == "wilcoxon_diff") return statistic_at_shift(one);
  const double p = one.config().at("p").to_number<double>();
  const double got = kind == "percentile_r7" ? percentile(one.samples("data"), p) : normal_quantile(p);
  return differs(expected, "value", got, tolerance(expected));
}

std::string sample_case(const KayentaCase& one) {
  const std::vector<double> data = one.samples("data");
  const bool transforms = one.text("kind") == "transform";
  std::vector<double> got;
  if (finds_outliers(one.method())) {
    const std::vector<bool> outliers = outliers_of(one.method(), data, one.config());
    if (!transforms) {
      std::vector<bool> wanted;
      for (const json::value& value : one.expected().at("outlier").as_array()) wanted.push_back(value.as_bool());
      return outliers == wanted ? "" : "the outliers are others";
    }
    got = kayenta::without(data, outliers);
  } else if (transforms && one.method() == "remove_nan") {
    got = kayenta::without_nan(data);
  } else if (transforms && one.method() == "replace_nan") {
    got = kayenta::nan_replaced(data);
  } else {
    return "method is not known: " + std::string(one.method());
  }
  return got == KayentaCase::numbers(one.expected().at("data")) ? "" : "the samples that are left are others";
}

}  // namespace conformance
