#include "disks.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

/// A mount namespace of its own for this test program.
bool own_mounts() {
  static const bool made =
      ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return made;
}

bool run(std::vector<std::string> argv) {
  argv.insert(argv.begin(), "/usr/bin/env");
  return run_program(argv).code == 0;
}

/// "loop3" for what is mounted at `path` from such a device.
std::string device_of(const std::string& path) {
  std::istringstream mounts(read_file("/proc/self/mounts"));
  std::string found;
  for (std::string device, where, rest; mounts >> device >> where && std::getline(mounts, rest);) {
    if (where == path) found = fs::path(device).filename();
  }
  return found;
}

}  // namespace

SmallDisk::SmallDisk(const Lab& lab, const std::string& size) : path_(lab.state()) {
  fs::create_directories(path_);
  mounted_ = own_mounts() && ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("mode=700,size=" + size).c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
}

bool SmallDisk::make_read_only() const {
  return ::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
}

void SmallDisk::fill() const {
  const os::Fd fd(::open((path_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  for (std::size_t piece = 1 << 16; piece > 0; piece /= 2) {
    const std::string bytes(piece, 'x');
    while (::write(fd.get(), bytes.data(), bytes.size()) > 0) {
    }
  }
}

void SmallDisk::empty() const { fs::remove(path_ + "/ballast"); }

FailingDisk::FailingDisk(const Lab& lab) : image_(lab.dir() + "/disk"), path_(lab.state()) {
  fs::create_directories(path_);
  const os::Fd image(::open(image_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const bool made = own_mounts() && ::ftruncate(image.get(), 48 << 20) == 0 &&
                    run({"mkfs.ext4", "-q", "-F", "-E", "nodiscard", image_});
  if (!made || !mount()) return;
  const std::string trigger = "/sys/fs/ext4/" + device_of(path_) + "/trigger_fs_error";
  if (::access(trigger.c_str(), W_OK) == 0) trigger_ = trigger;
}

FailingDisk::~FailingDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

bool FailingDisk::mount() { return run({"mount", "-o", "loop,errors=remount-ro", image_, path_}); }

bool FailingDisk::fail() const {
  const os::Fd fd(::open(trigger_.c_str(), O_WRONLY | O_CLOEXEC));
  return ::write(fd.get(), "1", 1) == 1;
}

bool FailingDisk::repair() {
  if (::umount2(path_.c_str(), 0) != 0) return false;
  const Finished checked = run_program({"/usr/bin/env", "e2fsck", "-f", "-p", image_});
  return checked.code <= 1 && mount();  // 1: errors were corrected
}

}  // namespace homeostat::lab
