// The child's half of spawn: what happens between its birth and exec.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace homeostat::os {

/// The step of a child's way to its program; sent to the parent when it fails there.
enum class Step : std::int32_t { orphaned, descriptors, session, cgroup, lock, lock_held, limit, user, cwd, exec };

struct Failure {
  Step step = Step::exec;
  std::int32_t error = 0;   // errno
  std::int32_t detail = 0;  // limit: which
};

/// Everything the child needs, made ready by the parent: the child may share its memory and may not allocate.
struct Plan {
  std::span<const char* const> programs;  // paths to try in this order
  char* const* argv = nullptr;
  char* const* env = nullptr;
  const char* cwd = nullptr;
  bool change_user = false;
  uid_t user = 0;
  gid_t group = 0;
  std::span<const gid_t> groups;
  std::span<const std::pair<int, rlimit>> limits;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  const char* cgroup_procs = nullptr;  // null: none, or born there
  const char* lock_file = nullptr;
  std::string_view lock_tag;
  std::uint64_t boot = 0;
  pid_t parent = 0;
  int report_fd = -1;  // closed by exec
};

/// Runs in the child; async-signal-safe calls only. Ends in the program or in a Failure written to report_fd.
[[noreturn]] void become(const Plan& plan);

}  // namespace homeostat::os
