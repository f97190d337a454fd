// Cgroup v2 directories: one for each instance or command, so that nothing it starts can get away.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace homeostat::os {

/// A directory of ours in the cgroup v2 hierarchy.
class Cgroups {
 public:
  /// Makes the directory `name` below our own cgroup; nothing where the machine does not let us (no cgroup v2, not
  /// writable, a process cannot be put into it).
  static std::optional<Cgroups> open(std::string_view name);

  /// Makes a directory for one instance or command; empty when that fails.
  std::string make(std::string_view name) const;
  /// The same for a name that nobody may have used before; empty when it exists.
  std::string make_new(std::string_view name) const;
  std::string path(std::string_view name) const;

 private:
  explicit Cgroups(std::string root) : root_(std::move(root)) {}

  std::string root_;
};

/// The cgroup v2 directory of a process; empty when there is none to be told.
std::string cgroup_of(pid_t pid);

/// Kills every process in a cgroup v2 directory (cgroup.kill, else one by one). Harmless when it does not exist.
void kill_cgroup(const std::string& cgroup);

/// Removes the directory (and those below it); false while processes are still in it.
bool remove_cgroup(const std::string& cgroup);

}  // namespace homeostat::os
