// For tests of everything that has to do with processes: a directory, waiting for a condition, reading files.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace homeostat::os::testing {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "homeostat.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ::abort();
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Tries `condition` until it holds; false after ten seconds.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const std::string& path, const std::string& text, int mode = 0644) {
  std::ofstream(path, std::ios::trunc) << text;
  ::chmod(path.c_str(), static_cast<mode_t>(mode));
}

inline bool wait_readable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, 10000) == 1;
}

/// A cgroup whose processes together get 16 MiB; the kernel kills what takes more.
class LittleMemory {
 public:
  LittleMemory() {
    const std::string name = "homeostat-little-memory." + std::to_string(::getpid());
    const auto take = [&](const std::string& root, const char* limit) {
      if (!path_.empty() || ::access((root + "/cgroup.procs").c_str(), W_OK) != 0) return;
      const std::string path = root + "/" + name;
      if (::mkdir(path.c_str(), 0755) != 0) return;
      std::ofstream file(path + "/" + limit);
      if (file << (16 << 20) << std::flush)
        path_ = path;
      else
        ::rmdir(path.c_str());
    };
    take("/sys/fs/cgroup", "memory.max");
    take("/sys/fs/cgroup/memory", "memory.limit_in_bytes");
  }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;
  ~LittleMemory() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  bool possible() const { return !path_.empty(); }
  /// A command for a shell that goes into it and then takes more and more.
  std::string hog() const { return "echo $$ > " + path_ + "/cgroup.procs && exec tail /dev/zero"; }

 private:
  std::string path_;
};

}  // namespace homeostat::os::testing
