#include "config/trial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>

#include "os/fd.hpp"

namespace homeostat::config {
namespace {

constexpr int kDone = 0;
constexpr int kNoMemory = 3;
constexpr int kThrew = 4;

/// The size of this process's address space, in bytes.
std::size_t address_space() {
  unsigned long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit(__rlimit_resource resource, rlim_t most) {
  rlimit now{};
  if (::getrlimit(resource, &now) == 0 && now.rlim_max < most) most = now.rlim_max;
  const rlimit wanted{most, most};
  ::setrlimit(resource, &wanted);
}

[[noreturn]] void run_child(const std::function<void()>& work, const TrialLimits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) ::signal(fatal, SIG_DFL);
  // What a dying child has to say is said by its status.
  if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) ::dup2(null, STDERR_FILENO);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit(RLIMIT_AS, address_space() + limits.memory);
  int status = kDone;
  try {
    work();
  } catch (const std::bad_alloc&) {
    status = kNoMemory;
  } catch (...) {
    status = kThrew;
  }
  ::_exit(status);
}

/// Waits until the child has ended; false when it takes longer than that.
bool wait_end(const os::Fd& child, int milliseconds) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd one{child.get(), POLLIN, 0};
    const int ready = ::poll(&one, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::expected<void, Error> explain(const siginfo_t& end, bool in_time, const TrialLimits& limits) {
  if (!in_time) return fail(fmt::format("reading it took longer than {} ms", limits.wall_milliseconds));
  if (end.si_code == CLD_EXITED && end.si_status == kDone) return {};
  if (end.si_code == CLD_EXITED && end.si_status == kNoMemory) {
    return fail(fmt::format("reading it took more than {} MiB of memory", limits.memory >> 20));
  }
  if (end.si_code == CLD_EXITED) return fail("reading it failed unexpectedly");
  if (end.si_status == SIGXCPU || end.si_status == SIGKILL) {
    return fail(fmt::format("reading it took longer than {} s of processor time", limits.cpu_seconds));
  }
  return fail(fmt::format("the parser crashed on it (signal {})", end.si_status));
}

}  // namespace

std::expected<void, Error> try_in_child(const std::function<void()>& work, const TrialLimits& limits) {
  const pid_t pid = ::fork();
  if (pid < 0) return fail(fmt::format("cannot start a process to try it in: {}", strerror(errno)));
  if (pid == 0) run_child(work, limits);
  const os::Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const bool in_time = child && wait_end(child, limits.wall_milliseconds);
  if (!in_time) ::kill(pid, SIGKILL);
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED) != 0) {
    if (errno != EINTR) return fail(fmt::format("cannot wait for the process it was tried in: {}", strerror(errno)));
  }
  if (!child) return fail("cannot watch the process it was tried in");
  return explain(end, in_time, limits);
}

}  // namespace homeostat::config
