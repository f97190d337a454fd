#include "journal/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "journal/files.hpp"
#include "journal/store.hpp"

namespace homeostat::journal {
namespace {

using namespace std::chrono_literals;

// A child that was just being started when its Homeostat was killed holds what it inherited until it ends, too.
constexpr auto kDeadHolder = 2s;
constexpr auto kTryAgain = 5ms;

// Of the open file, not of the process: no other close() in this process can drop it.
bool lock(int fd) {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
}

/// Who wrote himself into the lock file; 0: nobody has.
pid_t holder(const std::filesystem::path& file) {
  return static_cast<pid_t>(std::strtol(read_file(file, 32).value_or("").c_str(), nullptr, 10));
}

bool is_dead(pid_t pid) { return pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH; }

/// False, with errno: it is held, and not by what a dead Homeostat has left behind for a moment.
bool lock_after_the_dead(int fd, const std::filesystem::path& file) {
  const auto end = std::chrono::steady_clock::now() + kDeadHolder;
  while (!lock(fd)) {
    if (errno != EAGAIN && errno != EACCES) return false;
    if (!is_dead(holder(file)) || std::chrono::steady_clock::now() > end) {
      errno = EAGAIN;
      return false;
    }
    std::this_thread::sleep_for(kTryAgain);
  }
  return true;
}

}  // namespace

std::expected<os::Fd, Error> lock_state_dir(const std::filesystem::path& dir) {
  std::error_code bad;
  if (dir.has_parent_path()) std::filesystem::create_directories(dir.parent_path(), bad);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("cannot create the state directory", dir);
  const Paths paths(dir);
  auto fd = open_file(paths.lock, O_RDWR | O_CREAT);
  if (!fd) return fail(fd.error().text + "; the state directory must be writable");
  if (!lock_after_the_dead(fd->get(), paths.lock)) {
    if (errno != EAGAIN) return fail_errno("cannot lock", paths.lock);
    const pid_t pid = holder(paths.lock);
    return fail(fmt::format("{} is in use by another Homeostat (pid {}); stop that one or choose another state_dir",
                            dir.string(), pid == 0 ? "unknown" : std::to_string(pid)));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd->get(), 0) != 0) return fail_errno("cannot write", paths.lock);
  if (auto written = write_at(fd->get(), pid, 0, paths.lock); !written && errno != ENOSPC) {
    return std::unexpected(written.error());
  }
  return fd;
}

}  // namespace homeostat::journal
