#include "os/saved_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "os/fd.hpp"

namespace homeostat::os {
namespace {

std::unexpected<Error> failed(const char* what, const std::string& path) {
  return fail(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

std::expected<void, Error> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("write", path);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

std::expected<void, Error> sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const Fd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return failed("sync", folder);
  return {};
}

}  // namespace

std::expected<void, Error> replace_file(const std::string& path, const std::string& text) {
  const std::string made = path + ".new";
  {
    const Fd fd(::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return failed("make", made);
    if (auto wrote = write_all(fd.get(), text, made); !wrote) return wrote;
    if (::fsync(fd.get()) != 0) return failed("sync", made);
  }
  if (std::rename(made.c_str(), path.c_str()) != 0) return failed("replace", path);
  return sync_folder_of(path);
}

SavedFile::~SavedFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SavedFile::save(std::string text, Saved saved) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(text);
    waiting_.push_back(std::move(saved));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  wake_.notify_one();
}

void SavedFile::work() {
  for (std::unique_lock lock(mutex_);;) {
    wake_.wait(lock, [this] { return next_ || ending_; });
    if (!next_) return;
    const std::string text = *std::exchange(next_, std::nullopt);
    std::vector<Saved> waiting = std::exchange(waiting_, {});
    lock.unlock();
    const auto result = replace_file(path_, text);
    for (Saved& saved : waiting) saved(result);
    lock.lock();
  }
}

}  // namespace homeostat::os
