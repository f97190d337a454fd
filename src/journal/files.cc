#include "journal/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

namespace homeostat::journal {

std::unexpected<Error> fail_errno(std::string_view what, const std::filesystem::path& path) {
  const int reason = errno;
  return fail(fmt::format("{} {}: {}", what, path.string(), std::generic_category().message(reason)));
}

std::expected<os::Fd, Error> open_file(const std::filesystem::path& path, int flags) {
  os::Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("cannot open", path);
  return fd;
}

std::expected<void, Error> write_at(int fd, std::string_view bytes, std::int64_t offset,
                                    const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail_errno("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

std::expected<std::string, Error> read_file(const std::filesystem::path& path, std::size_t limit) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  std::string bytes;
  char chunk[65'536];
  while (true) {
    const ssize_t got = ::read(fd->get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", path);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > limit) {
      return fail(fmt::format("{} is larger than {} bytes", path.string(), limit));
    }
    bytes.append(chunk, static_cast<std::size_t>(got));
  }
}

std::expected<void, Error> sync_directory(const std::filesystem::path& path) {
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(fd.error());
  if (::fsync(fd->get()) != 0) return fail_errno("cannot sync", path);
  return {};
}

std::expected<void, Error> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    return fail_errno("cannot move to " + to.string() + " the file", from);
  return {};
}

std::uint64_t size_of(const std::filesystem::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace homeostat::journal
