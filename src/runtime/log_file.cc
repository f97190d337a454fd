#include "runtime/log_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace homeostat::runtime {

namespace {

// From `offset` to the end of `from`, including what is appended meanwhile (but not without end).
bool copy_tail(int from, off_t offset, off_t limit, const std::string& path) {
  const os::Fd to(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  while (to && limit > 0) {
    const ssize_t count = ::sendfile(to.get(), from, &offset, static_cast<std::size_t>(limit));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    limit -= count;
  }
  return static_cast<bool>(to);
}

}  // namespace

std::expected<os::Fd, Error> open_log(const std::string& path) {
  os::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!log) return fail(fmt::format("cannot open the output file {}: {}", path, std::strerror(errno)));
  return log;
}

void trim_log(const std::string& path, std::uint64_t limit) {
  const os::Fd log(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat size{};
  if (limit == 0 || !log || ::fstat(log.get(), &size) != 0 || size.st_size <= static_cast<off_t>(limit)) return;
  const auto half = static_cast<off_t>(limit / 2);
  const std::string kept = path + ".1";
  const std::string fresh = kept + ".new";
  // On a full disk the old part is given up: the bound is what matters then.
  if (copy_tail(log.get(), size.st_size - half, static_cast<off_t>(limit), fresh)) {
    ::rename(fresh.c_str(), kept.c_str());
  } else {
    ::unlink(fresh.c_str());
  }
  [[maybe_unused]] const int result = ::ftruncate(log.get(), 0);
}

}  // namespace homeostat::runtime
