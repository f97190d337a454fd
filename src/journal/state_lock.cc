#include "journal/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "journal/files.hpp"
#include "journal/store.hpp"

namespace homeostat::journal {

std::expected<os::Fd, Error> lock_state_dir(const std::filesystem::path& dir) {
  std::error_code bad;
  if (dir.has_parent_path()) std::filesystem::create_directories(dir.parent_path(), bad);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("cannot create the state directory", dir);
  const Paths paths(dir);
  auto fd = open_file(paths.lock, O_RDWR | O_CREAT);
  if (!fd) return fail(fd.error().text + "; the state directory must be writable");
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  // Of the open file, not of the process: no other close() in this process can drop it.
  if (::fcntl(fd->get(), F_OFD_SETLK, &range) != 0) {
    if (errno != EAGAIN && errno != EACCES) return fail_errno("cannot lock", paths.lock);
    const std::string pid = read_file(paths.lock, 32).value_or("");
    return fail(fmt::format("{} is in use by another Homeostat (pid {}); stop that one or choose another state_dir",
                            dir.string(), pid.empty() ? "unknown" : pid.substr(0, pid.find('\n'))));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd->get(), 0) != 0) return fail_errno("cannot write", paths.lock);
  if (auto written = write_at(fd->get(), pid, 0, paths.lock); !written && errno != ENOSPC) {
    return std::unexpected(written.error());
  }
  return fd;
}

}  // namespace homeostat::journal
