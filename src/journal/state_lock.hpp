// One Homeostat per state directory, held until the process ends.
#pragma once

#include <expected>
#include <filesystem>

#include "core/error.hpp"
#include "os/fd.hpp"

namespace homeostat::journal {

/// Creates the directory (0700) if needed and locks it; another holder gives an error with its pid.
std::expected<os::Fd, Error> lock_state_dir(const std::filesystem::path& dir);

}  // namespace homeostat::journal
