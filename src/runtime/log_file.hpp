// The file an instance writes its output to.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "os/fd.hpp"

namespace homeostat::runtime {

/// Opens it for appending. The instance writes into it directly, so that our end does not break its output.
std::expected<os::Fd, Error> open_log(const std::string& path);

/// When the file is longer than `limit`, moves its last `limit`/2 bytes to PATH.1 (replacing it) and empties it in
/// place, so that the writer goes on. Lines written in between may be lost.
void trim_log(const std::string& path, std::uint64_t limit);

}  // namespace homeostat::runtime
