// Puts what one run is about into a configured text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace homeostat::runtime {

/// Names without braces, and what they stand for.
using Values = std::vector<std::pair<std::string, std::string>>;

/// Replaces every `{name}` that `values` knows, in one pass: what is put in is not looked at again. Every other brace
/// stays as it is.
std::string fill(std::string_view text, const Values& values);

}  // namespace homeostat::runtime
