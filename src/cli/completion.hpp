// Completion scripts for shells, made from the command line's own description.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace homeostat::cli {

/// `shell` is bash, zsh or fish.
std::string completion(const CLI::App& app, const std::string& shell);

}  // namespace homeostat::cli
