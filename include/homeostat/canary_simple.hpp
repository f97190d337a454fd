// The judge most teams begin with: one mean against the other, or against fixed bounds. It knows no chance: with few
// samples it is often wrong, and it must be asked once, not until it answers as hoped. `Judge` has neither fault.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>

#include "homeostat/canary_types.hpp"

namespace homeostat::canary {

struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

struct SimpleRules {
  Worse worse = Worse::higher;
  double tolerance = 0.05;       // a regression is a change for the worse by more than this share of the baseline
  std::optional<Range> range{};  // instead: where the canary's mean must lie, whatever the baseline does
};

struct SimpleReport {
  Verdict verdict = Verdict::not_enough_data;
  double canary_avg = 0;
  double baseline_avg = 0;
  double improvement_pct = 0;  // negative when it got worse; 0 without a baseline
  std::string why;
};

SimpleReport compare_means(std::span<const double> canary, std::span<const double> baseline, const SimpleRules& rules);

}  // namespace homeostat::canary
