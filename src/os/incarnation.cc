#include "os/incarnation.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <span>
#include <string_view>

#include "homeostat/schedule.hpp"

namespace homeostat::os {

namespace {

// Reads a small file of /proc in one piece.
std::string_view read_small(const char* path, std::span<char> room) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t count = ::read(fd, room.data(), room.size());
  ::close(fd);
  return count <= 0 ? std::string_view{} : std::string_view(room.data(), static_cast<std::size_t>(count));
}

// The path /proc/PID/stat without allocating.
void stat_path(pid_t pid, std::span<char, 32> path) {
  char* at = path.data();
  for (const char c : std::string_view("/proc/")) *at++ = c;
  at = std::to_chars(at, path.data() + path.size(), pid).ptr;
  for (const char c : std::string_view("/stat")) *at++ = c;
  *at = '\0';
}

}  // namespace

std::optional<ProcessStat> stat_of(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  std::array<char, 32> path{};
  stat_path(pid, path);
  std::array<char, 1024> room{};
  std::string_view text = read_small(path.data(), room);
  // The name in brackets may contain anything, brackets and spaces too: the last bracket ends it.
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string_view::npos || bracket + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(bracket + 2);
  ProcessStat stat{.state = text.front()};
  for (int field = 3; field <= 22; ++field) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto read = [&](auto& value) { std::from_chars(text.data(), text.data() + space, value); };
    if (field == 4) read(stat.parent);
    if (field == 5) read(stat.group);
    if (field == 6) read(stat.session);
    if (field == 22) read(stat.started);
    text.remove_prefix(space + 1);
  }
  return stat;
}

std::optional<Incarnation> incarnation_of(int pid) {
  const auto stat = stat_of(pid);
  if (!stat || stat->dead()) return std::nullopt;
  return Incarnation{.id = static_cast<std::uint64_t>(pid), .started = stat->started, .boot = boot_number()};
}

std::uint64_t boot_number() {
  static const std::uint64_t number = [] {
    std::array<char, 64> room{};
    return hash_name(read_small("/proc/sys/kernel/random/boot_id", room));
  }();
  return number;
}

bool alive(const Incarnation& known) {
  if (known.none() || known.id > INT_MAX) return false;
  const auto now = incarnation_of(static_cast<int>(known.id));
  return now && *now == known;
}

}  // namespace homeostat::os
