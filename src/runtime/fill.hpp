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

/// Adds what an alert has not told and `argv` asks for: it is empty, there as in the environment.
void complete_told(const std::vector<std::string>& argv, Values& values);

/// The first of what an alert has told that begins with `-` and that no argument `--` stands before: a program would
/// take it for an option, and whoever posts alerts would choose it. Empty: there is none.
std::string_view taken_for_option(const std::vector<std::string>& argv, const Values& values);

}  // namespace homeostat::runtime
