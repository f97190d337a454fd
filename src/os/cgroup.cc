#include "os/cgroup.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "os/child.hpp"

namespace homeostat::os {

namespace {

// Where the cgroup v2 hierarchy is mounted (beside v1 on a hybrid machine), empty when it is not.
std::string mount_point() {
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    std::string type;
    if (words >> device >> where >> type && type == "cgroup2") return where;
  }
  return {};
}

// The place of a process in it, as "/system.slice/homeostat.service".
std::string place_of(const std::string& process) {
  std::ifstream places("/proc/" + process + "/cgroup");
  std::string line;
  while (std::getline(places, line)) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return {};
}

bool write_to(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool make_directory(const std::string& path) { return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST; }

// Permission to make directories is not permission to move a process into them: only a try tells.
bool can_be_joined(const std::string& root) {
  const std::string trial = root + "/trial." + std::to_string(getpid());
  if (!make_directory(trial)) return false;
  ChildSpec spec;
  spec.argv = {"/bin/true"};
  spec.cgroup = trial;
  auto child = spawn(spec);
  if (child) {
    pollfd exit{.fd = child->pidfd.get(), .events = POLLIN, .revents = 0};
    if (poll(&exit, 1, 2000) != 1) kill_cgroup(trial);
    reap(*child);
  }
  remove_cgroup(trial);
  return child.has_value();
}

}  // namespace

std::optional<Cgroups> Cgroups::open(std::string_view name) {
  const std::string mount = mount_point();
  const std::string place = place_of("self");
  if (mount.empty() || place.empty()) return std::nullopt;
  const std::string root = mount + (place == "/" ? std::string() : place) + "/" + std::string(name);
  if (!make_directory(root) || !can_be_joined(root)) return std::nullopt;
  return Cgroups(root);
}

std::string Cgroups::path(std::string_view name) const { return root_ + "/" + std::string(name); }

std::string Cgroups::make(std::string_view name) const {
  std::string made = path(name);
  return make_directory(made) ? made : std::string();
}

std::string Cgroups::make_new(std::string_view name) const {
  std::string made = path(name);
  return ::mkdir(made.c_str(), 0755) == 0 ? made : std::string();
}

std::string cgroup_of(pid_t pid) {
  const std::string mount = mount_point();
  const std::string place = place_of(std::to_string(pid));
  return mount.empty() || place.empty() ? std::string() : mount + place;
}

void kill_cgroup(const std::string& cgroup) {
  if (cgroup.empty() || write_to(cgroup + "/cgroup.kill", "1")) return;
  // Before Linux 5.14. The root of the hierarchy, which holds everybody, has no cgroup.type.
  if (::access((cgroup + "/cgroup.type").c_str(), F_OK) != 0) return;
  for (int round = 0; round < 10; ++round) {  // a process may fork while we look
    std::ifstream members(cgroup + "/cgroup.procs");
    pid_t pid = 0;
    bool any = false;
    while (members >> pid) {
      if (pid > 1 && pid != getpid()) any = ::kill(pid, SIGKILL) == 0 || any;
    }
    if (!any) return;
  }
}

bool remove_cgroup(const std::string& cgroup) {
  if (cgroup.empty() || ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT) return true;
  // What runs inside may have made cgroups of its own below it.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cgroup, error)) {
    if (entry.is_directory(error) && !entry.is_symlink(error)) remove_cgroup(entry.path());
  }
  return ::rmdir(cgroup.c_str()) == 0 || errno != EBUSY;
}

}  // namespace homeostat::os
