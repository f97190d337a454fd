#include "os/child.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "os/become.hpp"
#include "os/incarnation.hpp"
#include "os/lock_file.hpp"

namespace homeostat::os {

namespace {

// What a Plan points into.
struct Material {
  std::vector<std::string> programs;
  std::vector<std::string> env;
  std::vector<const char*> program_pointers;
  std::vector<char*> argv_pointers;
  std::vector<char*> env_pointers;
  std::vector<gid_t> groups;
  std::string cgroup_procs;
  uid_t user = 0;
  gid_t group = 0;
};

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::map<std::string, std::string> environment(const ChildSpec& spec) {
  std::map<std::string, std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    // What the service manager tells us is not for our children: they would answer it in our name.
    if (name == "NOTIFY_SOCKET" || name == "WATCHDOG_PID" || name == "WATCHDOG_USEC") continue;
    if (!spec.clean_env || name == "PATH") env.emplace(name, text.substr(equals + 1));
  }
  for (const auto& [name, value] : spec.env) env.insert_or_assign(name, value);
  env.try_emplace("PATH", kDefaultPath);
  return env;
}

std::vector<std::string> candidates(const std::string& program, std::string_view path) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> found;
  while (true) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    if (!directory.empty()) found.push_back(fmt::format("{}/{}", directory, program));
    if (colon == std::string_view::npos) return found;
    path.remove_prefix(colon + 1);
  }
}

std::expected<void, Error> look_up_user(const std::string& name, Material& material) {
  std::vector<char> room(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    return fail(error == 0 || error == ENOENT ? fmt::format("user {} does not exist", name)
                                              : fmt::format("cannot look up user {}: {}", name, std::strerror(error)));
  }
  material.user = entry.pw_uid;
  material.group = entry.pw_gid;
  int count = 64;
  material.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), entry.pw_gid, material.groups.data(), &count) < 0) {
    material.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(name.c_str(), entry.pw_gid, material.groups.data(), &count);
  }
  material.groups.resize(static_cast<std::size_t>(count));
  return {};
}

std::expected<Material, Error> gather(const ChildSpec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty()) return fail("the command is empty");
  for (const std::string& argument : spec.argv) {
    if (argument.find('\0') != std::string::npos) return fail("the command contains a zero byte");
  }
  Material material;
  const auto env = environment(spec);
  for (const auto& [name, value] : env) material.env.push_back(name + "=" + value);
  material.programs = candidates(spec.argv.front(), env.at("PATH"));
  if (!spec.user.empty()) {
    if (auto known = look_up_user(spec.user, material); !known) return std::unexpected(known.error());
  }
  if (!spec.cgroup.empty()) material.cgroup_procs = spec.cgroup + "/cgroup.procs";
  for (const std::string& program : material.programs) material.program_pointers.push_back(program.c_str());
  for (const std::string& argument : spec.argv) material.argv_pointers.push_back(const_cast<char*>(argument.c_str()));
  for (std::string& entry : material.env) material.env_pointers.push_back(entry.data());
  material.argv_pointers.push_back(nullptr);
  material.env_pointers.push_back(nullptr);
  return material;
}

Plan plan_of(const ChildSpec& spec, const Material& material, int report_fd) {
  const auto optional = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  return Plan{.programs = material.program_pointers,
              .argv = material.argv_pointers.data(),
              .env = material.env_pointers.data(),
              .cwd = optional(spec.cwd),
              .change_user = !spec.user.empty(),
              .user = material.user,
              .group = material.group,
              .groups = material.groups,
              .limits = spec.limits,
              .stdin_fd = spec.stdin_fd,
              .stdout_fd = spec.stdout_fd,
              .stderr_fd = spec.stderr_fd,
              .cgroup_procs = optional(material.cgroup_procs),
              .lock_file = optional(spec.lock_file),
              .lock_tag = spec.lock_tag,
              .boot = boot_number(),
              .parent = ::getpid(),
              .report_fd = report_fd};
}

// In its cgroup from birth: moving there afterwards waits for a grace period of the kernel, 5 to 30 ms in which we
// stand still too. The child is a copy of ours then, which costs less than a millisecond. -1: not on this kernel, or
// not there.
pid_t start_inside(const std::string& cgroup) {
  const Fd inside(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!inside) return -1;
  clone_args how{};
  how.flags = CLONE_INTO_CGROUP | CLONE_VFORK;
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<std::uint64_t>(inside.get());
  return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
}

// Signals wait meanwhile: a handler must not run in the child, which may share our memory until exec.
pid_t start(Plan plan, const std::string& cgroup) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const char* const join = std::exchange(plan.cgroup_procs, nullptr);
  pid_t pid = join == nullptr ? -1 : start_inside(cgroup);
  if (pid < 0) {
    plan.cgroup_procs = join;
    pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork): become() never returns
  }
  if (pid == 0) become(plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::string why_not_executed(const ChildSpec& spec, const Material& material, int error) {
  const std::string& program = spec.argv.front();
  if (error == ENOENT && material.programs.size() == 1) {
    const bool there = program.starts_with('/') && ::access(program.c_str(), F_OK) == 0;
    return there ? fmt::format("{}: the file exists, but its interpreter (first line) or loader does not", program)
                 : fmt::format("{}: no such file", program);
  }
  if (error == ENOENT) return fmt::format("{}: no such program in PATH", program);
  if (error == EACCES) return fmt::format("{}: not executable (permission denied)", program);
  if (error == ENOEXEC) return fmt::format("{}: not a program (no #! line?)", program);
  return fmt::format("{}: cannot be executed: {}", program, std::strerror(error));
}

std::string explain(const ChildSpec& spec, const Material& material, const Failure& failure) {
  const char* const error = std::strerror(failure.error);
  switch (failure.step) {
    case Step::orphaned:
      return fmt::format("its parent ended while it was being started: {}", error);
    case Step::descriptors:
      return fmt::format("cannot set up the child's descriptors: {}", error);
    case Step::session:
      return fmt::format("cannot make a session of its own: {}", error);
    case Step::cgroup:
      return fmt::format("cannot join cgroup {}: {}", spec.cgroup, error);
    case Step::lock:
      return fmt::format("cannot lock {}: {}", spec.lock_file, error);
    case Step::lock_held:
      return fmt::format("{} is locked: a process of an earlier run still lives", spec.lock_file);
    case Step::limit:
      return fmt::format("cannot set resource limit {}: {}", failure.detail, error);
    case Step::user:
      return fmt::format("cannot become user {}: {}", spec.user, error);
    case Step::cwd:
      return fmt::format("cannot change to directory {}: {}", spec.cwd, error);
    case Step::exec:
      break;
  }
  return why_not_executed(spec, material, failure.error);
}

// Empty when the child became its program (exec closed the other end).
std::optional<Failure> await_exec(int fd) {
  Failure failure;
  ssize_t count = 0;
  do count = ::read(fd, &failure, sizeof failure);
  while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof failure) ? std::optional(failure) : std::nullopt;
}

// glibc 2.36 declares pidfd_open without extern "C".
Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

void discard(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

std::expected<Child, Error> spawn(const ChildSpec& spec) {
  auto material = gather(spec);
  if (!material) return std::unexpected(material.error());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(fmt::format("cannot start a process: {}", std::strerror(errno)));
  const Fd report(ends[0]);
  Fd report_write(ends[1]);
  const pid_t pid = start(plan_of(spec, *material, report_write.get()), spec.cgroup);
  if (pid < 0) return fail(fmt::format("cannot start a process: {}", std::strerror(errno)));
  report_write.reset();
  if (const auto failure = await_exec(report.get())) {
    discard(pid);
    return fail(explain(spec, *material, *failure));
  }
  Child child{.pid = pid, .pidfd = open_pidfd(pid), .incarnation = {}};
  if (!child.pidfd) {
    const int error = errno;
    ::kill(-pid, SIGKILL);
    discard(pid);
    return fail(fmt::format("cannot watch the new process: {}", std::strerror(error)));
  }
  // It may have ended already; until it is reaped its number and start time stay.
  child.incarnation = {.id = static_cast<std::uint64_t>(pid),
                       .started = stat_of(pid).value_or(ProcessStat{}).started,
                       .boot = boot_number()};
  return child;
}

ExitStatus reap(const Child& child) {
  siginfo_t info{};
  int result = 0;
  do result = ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOHANG);
  while (result < 0 && errno == EINTR);
  if (result < 0 || info.si_pid == 0) return {.known = false};
  return {.known = true, .signalled = info.si_code != CLD_EXITED, .code = info.si_status};
}

std::optional<Child> adopt(const Incarnation& known) {
  if (known.none() || known.id > INT_MAX) return std::nullopt;
  const auto pid = static_cast<pid_t>(known.id);
  Child child{.pid = pid, .pidfd = open_pidfd(pid), .incarnation = known};
  // Verified after opening: if the number is reused from now on, the handle still means the process verified here.
  if (!child.pidfd || !alive(known)) return std::nullopt;
  return child;
}

void signal_group(pid_t pid, int signal) {
  if (pid > 1) ::kill(-pid, signal);
}

}  // namespace homeostat::os
