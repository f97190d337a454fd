// Loaded into the daemon before everything else (LD_PRELOAD): a disk that refuses, and clocks that jump.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "fault_page.hpp"

namespace {

using homeostat::lab::FaultPage;

FaultPage* map_page() {
  const char* path = std::getenv(homeostat::lab::kFaultFile);
  const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* found = ::mmap(nullptr, sizeof(FaultPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return found == MAP_FAILED ? nullptr : static_cast<FaultPage*>(found);
}
FaultPage* page() {
  static FaultPage* const found = map_page();
  return found;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool of_state(int fd) {
  char link[32];
  char path[512];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  return std::strstr(path, "/state/") != nullptr;
}

/// True: the call is to fail, errno is set.
bool fails(int fd, std::atomic<int> FaultPage::* error, std::atomic<std::int64_t> FaultPage::* count) {
  if (page() == nullptr) return false;
  const int wanted = page()->*error;
  if (wanted == 0 || !of_state(fd)) return false;
  ++(page()->*count);
  errno = wanted;
  return true;
}
bool write_fails(int fd) { return fails(fd, &FaultPage::write_error, &FaultPage::failed_writes); }
bool sync_fails(int fd) { return fails(fd, &FaultPage::sync_error, &FaultPage::failed_syncs); }

std::int64_t offset_of(clockid_t clock) {
  if (page() == nullptr) return 0;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) return page()->wall_offset;
  return clock == CLOCK_BOOTTIME ? page()->boottime_offset.load() : 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return write_fails(fd) ? -1 : real(fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return write_fails(fd) ? -1 : real(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return write_fails(fd) ? -1 : real(fd, bytes, size, at);
}
int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  return sync_fails(fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  return sync_fails(fd) ? -1 : real(fd);
}

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, out);
  if (result == 0) out->tv_sec += offset_of(clock);
  return result;
}
int gettimeofday(timeval* out, void* zone) noexcept {
  static const auto real = next<int (*)(timeval*, void*)>("gettimeofday");
  const int result = real(out, zone);
  if (result == 0) out->tv_sec += offset_of(CLOCK_REALTIME);
  return result;
}
time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
