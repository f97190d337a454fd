// Judges what `eval canary` has read, and says it as JSON, as a table, as a picture.
#pragma once

#include <string>
#include <vector>

#include "cli/canary_input.hpp"
#include "cli/table.hpp"

namespace homeostat::cli {

/// What the judge said of every metric at one moment, in seconds since the first sample.
struct CanaryLook {
  double at = 0;
  canary::Judgement judgement;
};

/// Native mode: what a rollout would have heard, at up to `most` moments and at the end.
std::expected<std::vector<CanaryLook>, Error> canary_looks(const CanaryInput& input, std::size_t most);

/// {verdict, why, metrics: […]}, with `first` (native) or `score` (kayenta).
json::object judge_canary(const CanaryInput& input, const std::vector<CanaryLook>& looks);

std::string show_canary(const json::object& answer, bool color);
/// An SVG: what was known of each metric, and how it narrowed.
std::string picture_canary(const CanaryInput& input, const std::vector<CanaryLook>& looks);

}  // namespace homeostat::cli
