// Reading a configuration: from a file, or from a text.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"

namespace homeostat::config {

/// Reads the file at `path`; every problem found is returned. It is tried first in a short-lived child with limits on
/// memory and time, so that a file that makes the parser crash, hang or eat memory is an error like any other.
std::expected<Config, std::vector<Problem>> load(const std::string& path);

/// The same without the child. `name` stands in messages; relative paths start at its folder.
std::expected<Config, std::vector<Problem>> load_text(std::string_view text, const std::string& name);

}  // namespace homeostat::config
