#include "os/become.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <initializer_list>

#include "os/incarnation.hpp"
#include "os/lock_file.hpp"

namespace homeostat::os {

namespace {

[[noreturn]] void give_up(const Plan& plan, Step step, int error, int detail = 0) {
  const Failure failure{.step = step, .error = error, .detail = detail};
  [[maybe_unused]] const ssize_t written = ::write(plan.report_fd, &failure, sizeof failure);
  ::_exit(127);
}

void check(const Plan& plan, Step step, bool ok, int detail = 0) {
  if (!ok) give_up(plan, step, errno, detail);
}

void reset_signals() {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
}

// Until the lock is held nobody could find a child that outlives its parent: it would start its program late, beside
// the one that the parent's next life has started meanwhile.
void die_with_parent(const Plan& plan) {
  check(plan, Step::orphaned, ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  if (::getppid() != plan.parent) give_up(plan, Step::orphaned, ESRCH);
}

void outlive_parent(const Plan& plan) { check(plan, Step::orphaned, ::prctl(PR_SET_PDEATHSIG, 0) == 0); }

// Puts the three standard descriptors in place and marks all others to be closed by exec.
void place_descriptors(const Plan& plan) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  check(plan, Step::descriptors, null >= 0);
  std::array<int, 3> wanted{plan.stdin_fd, plan.stdout_fd, plan.stderr_fd};
  if (wanted[2] < 0) wanted[2] = wanted[1];
  for (int& fd : wanted) {
    // A copy above 2, so that putting one in place does not overwrite another.
    fd = ::fcntl(fd < 0 ? null : fd, F_DUPFD_CLOEXEC, 3);
    check(plan, Step::descriptors, fd >= 0);
  }
  // By the call itself: ThreadSanitizer follows dup2 and not the copies above, whose numbers it may know from another
  // thread that used them before the fork.
  for (int place = 0; place < 3; ++place) {
    check(plan, Step::descriptors, ::syscall(SYS_dup3, wanted[static_cast<std::size_t>(place)], place, 0) >= 0);
  }
  constexpr unsigned kMarkOnly = 1U << 2;  // CLOSE_RANGE_CLOEXEC; before Linux 5.11 the parent's own flags must do
  ::syscall(SYS_close_range, 3U, ~0U, kMarkOnly);
}

// Takes the lock and writes who we are. The lock is held through a read-only descriptor: a program that runs as another
// user inherits it and must not be able to write into the file.
void take_lock(const Plan& plan) {
  const Incarnation self{.id = static_cast<std::uint64_t>(::getpid()),
                         .started = stat_of(::getpid()).value_or(ProcessStat{}).started,
                         .boot = plan.boot};
  const int record = ::open(plan.lock_file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  check(plan, Step::lock, record >= 0);
  const int lock = ::open(plan.lock_file, O_RDONLY | O_NOFOLLOW);
  check(plan, Step::lock, lock >= 0);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    give_up(plan, errno == EWOULDBLOCK ? Step::lock_held : Step::lock, errno);
  }
  std::array<char, kLockFileBytes> room{};
  const std::size_t length = write_record(room, self, plan.lock_tag);
  // The old record stays readable until the whole new one is there.
  check(plan, Step::lock, ::pwrite(record, room.data(), length, 0) == static_cast<ssize_t>(length));
  check(plan, Step::lock, ::ftruncate(record, static_cast<off_t>(length)) == 0);
}

void join_cgroup(const Plan& plan) {
  const int procs = ::open(plan.cgroup_procs, O_WRONLY | O_CLOEXEC);
  check(plan, Step::cgroup, procs >= 0);
  check(plan, Step::cgroup, ::write(procs, "0", 1) == 1);
}

// The C library's setuid tells every thread of the process to do the same, and these are the parent's threads.
void change_user(const Plan& plan) {
  check(plan, Step::user, ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == 0);
  check(plan, Step::user, ::syscall(SYS_setresgid, plan.group, plan.group, plan.group) == 0);
  check(plan, Step::user, ::syscall(SYS_setresuid, plan.user, plan.user, plan.user) == 0);
}

[[noreturn]] void execute(const Plan& plan) {
  int error = ENOENT;
  for (const char* program : plan.programs) {
    ::execve(program, plan.argv, plan.env);
    // As execvp: a directory of PATH without the program is passed over, and "not permitted" is remembered.
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  give_up(plan, Step::exec, error);
}

}  // namespace

void become(const Plan& plan) {
  die_with_parent(plan);
  reset_signals();
  check(plan, Step::session, ::setsid() >= 0);
  if (plan.cgroup_procs != nullptr) join_cgroup(plan);
  place_descriptors(plan);
  if (plan.lock_file != nullptr) take_lock(plan);
  outlive_parent(plan);
  for (const auto& [limit, value] : plan.limits) {
    check(plan, Step::limit, ::setrlimit(static_cast<__rlimit_resource>(limit), &value) == 0, limit);
  }
  if (plan.change_user) change_user(plan);
  if (plan.cwd != nullptr) check(plan, Step::cwd, ::chdir(plan.cwd) == 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  execute(plan);
}

}  // namespace homeostat::os
