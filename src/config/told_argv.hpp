// Commands into which is filled what they are about, and what others say of it: that is data, never code.
#pragma once

#include <string_view>

#include "config/types.hpp"

namespace homeostat::config {

/// What commands are told of the place that they are about.
inline constexpr std::string_view kOfPlaces = "service instance action port release version";

/// What is wrong with a text in which `{name}` is filled in for each of `names` only, and could be meant to be for each
/// of `meant`; empty: nothing.
std::string not_filled_in(std::string_view text, std::string_view names, std::string_view meant);

/// A list of arguments in which `{name}` is filled in for each of `names` ("service instance"). Where another name is
/// used that is filled in elsewhere only, that is reported: it would reach the command as it is written.
Type<std::vector<std::string>> filled_argv_type(std::string_view names);

/// The same for a command that looks at something: it has no variables that say what it is about, and is often written
/// in a language that has braces itself.
Type<std::vector<std::string>> looking_argv_type(std::string_view names);

/// The same as the first, with what others say among the names. `alert` and `label_NAME` are filled in as a whole
/// argument only; neither they nor `summary` can be a program, or what a shell or an interpreter runs.
Type<std::vector<std::string>> told_argv_type(std::string_view names);

}  // namespace homeostat::config
