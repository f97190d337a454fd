#include "config/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "os/fd.hpp"

namespace homeostat::config {

std::expected<std::string, Error> read_file(const std::string& path, std::size_t most) {
  const auto failed = [&] { return fail(fmt::format("cannot read {}: {}", path, strerror(errno))); };
  // Without O_NONBLOCK, opening a pipe that nobody writes to never returns.
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0) return failed();
  if (!S_ISREG(info.st_mode)) return fail(fmt::format("cannot read {}: not a regular file", path));
  std::string text;
  char block[64 << 10];
  while (text.size() <= most) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
  }
  return fail(fmt::format("cannot read {}: larger than {} bytes", path, most));
}

}  // namespace homeostat::config
