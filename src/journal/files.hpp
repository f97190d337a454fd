// The few file operations this room needs, with errors that name the file and the reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "os/fd.hpp"

namespace homeostat::journal {

/// "WHAT PATH: REASON", the reason taken from errno.
std::unexpected<Error> fail_errno(std::string_view what, const std::filesystem::path& path);

std::expected<os::Fd, Error> open_file(const std::filesystem::path& path, int flags);
std::expected<void, Error> write_at(int fd, std::string_view bytes, std::int64_t offset,
                                    const std::filesystem::path& path);
/// The whole file, or an error if it is larger than `limit`.
std::expected<std::string, Error> read_file(const std::filesystem::path& path, std::size_t limit);
std::expected<void, Error> sync_directory(const std::filesystem::path& path);
std::expected<void, Error> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
/// Size in bytes, 0 if there is no such file.
std::uint64_t size_of(const std::filesystem::path& path);
std::int64_t wall_clock_ns();

}  // namespace homeostat::journal
