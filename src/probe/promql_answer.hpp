// The answer of a Prometheus to an instant query (/api/v1/query).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probe/source.hpp"

namespace homeostat::probe {

/// Marks the elements that tell when the sample of the others was taken (in seconds), and what was done.
inline constexpr std::string_view kMarkLabel = "homeostat";
inline constexpr std::string_view kTimeMark = "at";
inline constexpr std::string_view kDoneMark = "done";

/// A scalar, or a vector of one element; and one of what was done. With `label` a vector of any length, each element's
/// key being its value of that label; an element that is no number is left out, unless all are.
Reading read_promql(const QueryResult& wanted, std::string_view answer);

/// What Prometheus says is wrong with the query, in an answer that is an error; nothing where it says nothing.
std::optional<std::string> promql_error(std::string_view answer);

}  // namespace homeostat::probe
