// Commands into which is filled what others say: it is data, never code.
#pragma once

#include "config/types.hpp"

namespace homeostat::config {

/// A list of arguments. What an alert says is filled in as a whole argument only; neither that nor `{summary}` can be
/// the program, or what a shell runs.
Type<std::vector<std::string>> told_argv_type();

}  // namespace homeostat::config
