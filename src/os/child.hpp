// Starting and ending child processes: never through a shell, own process group, own cgroup where there is one.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "homeostat/incarnation.hpp"
#include "os/fd.hpp"

namespace homeostat::os {

struct ChildSpec {
  std::vector<std::string> argv;                         // argv[0] is looked up in PATH when it has no slash
  std::vector<std::pair<std::string, std::string>> env;  // added to (and overriding) the parent's
  bool clean_env = false;                                // true: only `env` and PATH
  std::string cwd;                                       // empty: the parent's
  std::string user;                                      // empty: the parent's; needs root
  std::vector<std::pair<int, rlimit>> limits;            // RLIMIT_* values
  int stdin_fd = -1;                                     // -1: /dev/null
  int stdout_fd = -1;                                    // -1: /dev/null
  int stderr_fd = -1;                                    // -1: the same as stdout
  std::string cgroup;                                    // a cgroup v2 directory to be born in; empty: none
  /// A file the child locks (flock, exclusive) and writes "pid start boot TAG" into before it becomes the program. The
  /// lock is inherited: it is held until the last process of the instance has gone, and a second child with the
  /// same file cannot come to life. Empty: none. See lock_file.hpp for reading it.
  std::string lock_file;
  std::string lock_tag;
};

struct Child {
  pid_t pid = -1;
  Fd pidfd;
  Incarnation incarnation;
};

struct ExitStatus {
  bool known = true;  // false: it was not our child, nobody could tell
  bool signalled = false;
  int code = 0;  // exit status or signal number
};

/// Starts a child; returns when it has become the program. A program that cannot be executed, a user that does not
/// exist, a lock that is held: an error that says which, and no child is left. The child inherits the lock and its
/// three standard descriptors, nothing else.
std::expected<Child, Error> spawn(const ChildSpec& spec);

/// Collects a child whose pidfd is readable. A process that is not our child gives `known = false`.
ExitStatus reap(const Child& child);

/// Opens a handle on a process that an earlier run of this program started; nothing when that incarnation is gone.
std::optional<Child> adopt(const Incarnation& known);

/// Sends `signal` to the child's process group (never to pid <= 1). A group that is gone is not an error. A group id
/// stays ours as long as its leader is not reaped or any member lives: signal before reaping.
void signal_group(pid_t pid, int signal);

}  // namespace homeostat::os
