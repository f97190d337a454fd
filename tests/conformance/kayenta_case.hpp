// One case of kayenta.json: what it asks for, computed and compared.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "format.hpp"

namespace conformance {

/// The members of a case under their names; the JSON library throws where one is missing.
class KayentaCase {
 public:
  explicit KayentaCase(const json::object& object) : object_(object) {}

  std::string_view text(std::string_view key) const { return object_.at(key).as_string(); }
  const json::object& config() const;
  const json::object& expected() const { return object_.at("expected").as_object(); }
  const json::array& list(std::string_view key) const { return object_.at(key).as_array(); }
  std::vector<double> samples(std::string_view key) const { return numbers(object_.at(key)); }
  /// `method`, or nothing.
  std::string_view method() const;

  static std::vector<double> numbers(const json::value& list);
  static double number(const json::value& value);

 private:
  const json::object& object_;
};

/// Compares one member of `expected`; empty when it is absent or the same within `tolerance`.
std::string differs(const json::object& expected, std::string_view key, double got, double tolerance);
std::string differs(const json::object& expected, std::string_view key, std::string_view got);

// What is different, or nothing.
std::string statistic_case(const KayentaCase& one);  // percentile, summary, quantile, ranks, interval, effect
std::string sample_case(const KayentaCase& one);     // outliers, transform
std::string classify_case(const KayentaCase& one);   // one metric
std::string score_case(const KayentaCase& one);      // many classified metrics
std::string scenario_case(const KayentaCase& one);   // samples drawn at random, classified and scored

}  // namespace conformance
