#include "kayenta.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kayenta_case.hpp"

namespace conformance {
namespace {

struct Kind {
  std::string_view name;
  std::string (*run)(const KayentaCase&);
};

constexpr std::array kKinds{
    Kind{"percentile_r7", statistic_case}, Kind{"summary", statistic_case},     Kind{"normal_quantile", statistic_case},
    Kind{"wilcoxon_diff", statistic_case}, Kind{"mw_interval", statistic_case}, Kind{"mw_intermediate", statistic_case},
    Kind{"effect_size", statistic_case},   Kind{"outliers", sample_case},       Kind{"transform", sample_case},
    Kind{"classify", classify_case},       Kind{"score", score_case},           Kind{"judge_scenario", scenario_case},
};

const Kind* kind_named(std::string_view name) {
  const auto* const kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == name; });
  return kind == kKinds.end() ? nullptr : kind;
}

std::string run_one(const KayentaCase& one) {
  const Kind* kind = kind_named(one.text("kind"));
  return kind == nullptr ? "kind is not known: " + std::string(one.text("kind")) : kind->run(one);
}

}  // namespace

const json::object& KayentaCase::config() const {
  static const json::object kNone;
  const json::value* config = object_.if_contains("config");
  return config == nullptr ? kNone : config->as_object();
}

std::string_view KayentaCase::method() const {
  const json::value* method = object_.if_contains("method");
  return method == nullptr ? std::string_view() : std::string_view(method->as_string());
}

double KayentaCase::number(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (value.is_null() || value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  throw std::runtime_error("not a number: " + json::serialize(value));
}

std::vector<double> KayentaCase::numbers(const json::value& list) {
  std::vector<double> numbers;
  for (const json::value& value : list.as_array()) numbers.push_back(number(value));
  return numbers;
}

std::string differs(const json::object& expected, std::string_view key, double got, double tolerance) {
  const json::value* value = expected.if_contains(key);
  if (value == nullptr) return {};
  const double wanted = KayentaCase::number(*value);
  if (std::isnan(wanted) ? std::isnan(got) : wanted == got || std::abs(got - wanted) <= tolerance) return {};
  return std::string(key) + " is " + json::serialize(json::value(got)) + ", not " + json::serialize(*value);
}

std::string differs(const json::object& expected, std::string_view key, std::string_view got) {
  const json::value* value = expected.if_contains(key);
  if (value == nullptr || (value->is_string() && value->as_string() == got)) return {};
  return std::string(key) + " is " + std::string(got) + ", not " + json::serialize(*value);
}

bool recognises_kayenta(const json::object& file) {
  const json::value* vectors = file.if_contains("vectors");
  if (vectors == nullptr || !vectors->is_array()) return false;
  const json::array& cases = vectors->as_array();
  return std::any_of(cases.begin(), cases.end(), [](const json::value& one) {
    const json::value* kind = one.is_object() ? one.as_object().if_contains("kind") : nullptr;
    return kind != nullptr && kind->is_string() && kind_named(kind->as_string()) != nullptr;
  });
}

std::vector<Case> run_kayenta(const json::object& file) {
  std::vector<Case> cases;
  for (const json::value& value : file.at("vectors").as_array()) {
    Case result{"case " + std::to_string(cases.size() + 1), {}, {}};
    try {
      const KayentaCase one(value.as_object());
      result.name = std::string(one.text("id")) + ": " + std::string(one.text("name"));
      result.fault = run_one(one);
    } catch (const std::exception& wrong) {  // how the JSON library says that something is not there
      result.fault = wrong.what();
    }
    cases.push_back(std::move(result));
  }
  return cases;
}

}  // namespace conformance
