// Reading a file from outside: bounded, never stuck on a pipe or a device.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "core/error.hpp"

namespace homeostat::config {

/// The whole of a regular file of at most `most` bytes.
std::expected<std::string, Error> read_file(const std::string& path, std::size_t most);

}  // namespace homeostat::config
