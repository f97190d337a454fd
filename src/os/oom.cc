#include "os/oom.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <utility>

namespace homeostat::os {

std::optional<pid_t> killed_for_memory(std::string_view line) {
  constexpr std::string_view kKilled = "ut of memory: Killed process ";  // "Out of …" or "Memory cgroup out of …"
  const std::size_t at = line.find(kKilled);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view number = line.substr(at + kKilled.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
  return error == std::errc() && pid > 0 ? std::optional(pid) : std::nullopt;
}

OomWatch::OomWatch(const std::string& log, std::string counts)
    : log_(::open(log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)), counts_(std::move(counts)) {
  if (log_.get() >= 0) ::lseek(log_.get(), 0, SEEK_END);
  before_ = last_ = count();
}

void OomWatch::advance(Instant now) {
  if (log_.get() >= 0 || now < later(looked_, std::chrono::seconds(5))) return;
  looked_ = now;
  before_ = std::exchange(last_, count());
}

bool OomWatch::killed(pid_t pid) {
  if (log_.get() >= 0) {
    read_log();
    return std::ranges::find(named_, pid) != named_.end();
  }
  const auto now = count();
  return now && before_ && *now > *before_;
}

// One record a read; where the log has gone on without us, the next read goes on with what is left of it.
void OomWatch::read_log() {
  constexpr std::size_t kKept = 64;
  std::array<char, 8192> record;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  for (;;) {
    const ssize_t length = ::read(log_.get(), record.data(), record.size());
    if (length < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (length <= 0) return;
    const auto pid = killed_for_memory({record.data(), static_cast<std::size_t>(length)});
    if (!pid) continue;
    named_.push_back(*pid);
    if (named_.size() > kKept) named_.pop_front();
  }
}

std::optional<std::uint64_t> OomWatch::count() const {
  std::ifstream file(counts_);
  std::string key;
  std::uint64_t number = 0;
  while (file >> key >> number) {
    if (key == "oom_kill") return number;
  }
  return std::nullopt;
}

}  // namespace homeostat::os
