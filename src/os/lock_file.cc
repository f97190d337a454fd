#include "os/lock_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>

#include "os/fd.hpp"

namespace homeostat::os {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Who took the lock that the descriptor `number` of a process holds, from a line as
// "lock:\t1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"; 0 when it holds none.
pid_t taker_of(const std::string& process, const char* number) {
  std::ifstream info(process + "/fdinfo/" + number);
  std::string line;
  while (std::getline(info, line)) {
    std::istringstream words(line);
    std::string word;
    pid_t pid = 0;
    if (words >> word && word == "lock:" && words >> word >> word && word == "FLOCK" && words >> word >> word >> pid) {
      return pid;
    }
  }
  return 0;
}

std::optional<LockHolder> holder_in(pid_t pid, const struct stat& file) {
  const std::string process = "/proc/" + std::to_string(pid);
  const Directory directory(::opendir((process + "/fd").c_str()));
  if (!directory) return std::nullopt;  // gone, or not ours to look at
  while (const dirent* entry = ::readdir(directory.get())) {
    struct stat open{};
    if (entry->d_name[0] == '.' || ::fstatat(::dirfd(directory.get()), entry->d_name, &open, 0) != 0) continue;
    if (open.st_dev != file.st_dev || open.st_ino != file.st_ino) continue;
    if (const pid_t taker = taker_of(process, entry->d_name); taker != 0) return LockHolder{pid, taker};
  }
  return std::nullopt;
}

bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::size_t write_record(std::span<char, kLockFileBytes> room, const Incarnation& holder, std::string_view tag) {
  char* at = room.data();
  char* const end = room.data() + room.size();
  for (const std::uint64_t number : {holder.id, holder.started, holder.boot}) {
    at = std::to_chars(at, end, number).ptr;
    *at++ = ' ';
  }
  const auto left = static_cast<std::size_t>(end - at) - 1;
  at = std::copy_n(tag.data(), std::min(left, tag.size()), at);
  *at++ = '\n';
  return static_cast<std::size_t>(at - room.data());
}

std::optional<LockRecord> parse_record(std::string_view text) {
  // Without the line's end it is a torn write.
  if (text.empty() || text.find('\n') != text.size() - 1) return std::nullopt;
  text.remove_suffix(1);
  LockRecord record;
  Incarnation& holder = record.holder;
  if (!take_number(text, holder.id) || !take_number(text, holder.started) || !take_number(text, holder.boot)) {
    return std::nullopt;
  }
  record.tag = text;
  return record;
}

LockState look_at_lock(const std::string& path) {
  LockState state;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return state;
  state.exists = true;
  // A shared lock is enough to see an exclusive one, and two that look do not disturb each other.
  state.held = ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
  std::array<char, kLockFileBytes + 1> room{};
  const ssize_t length = ::pread(file.get(), room.data(), room.size(), 0);
  if (length > 0) state.record = parse_record(std::string_view(room.data(), static_cast<std::size_t>(length)));
  return state;
}

std::vector<LockHolder> lock_holders(const std::string& path) {
  std::vector<LockHolder> found;
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return found;
  const Directory proc(::opendir("/proc"));
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    pid_t pid = 0;
    const std::string_view name(entry->d_name);
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 1 || pid == ::getpid()) continue;
    if (const auto holder = holder_in(pid, file)) found.push_back(*holder);
  }
  return found;
}

}  // namespace homeostat::os
