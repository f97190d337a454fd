#include "os/loop.hpp"

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace homeostat::os {

std::expected<Loop, Error> Loop::open() {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail(fmt::format("cannot create an epoll descriptor: {}", std::strerror(errno)));
  return Loop(std::move(epoll));
}

std::expected<void, Error> Loop::add(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail(fmt::format("cannot watch descriptor {}: {}", fd, std::strerror(errno)));
}

void Loop::modify(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::remove(int fd, Watcher& watcher) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (epoll_event& event : pending_) {
    if (event.data.ptr == &watcher) event.data.ptr = nullptr;
  }
}

int Loop::wait(std::span<epoll_event> events, Duration timeout) {
  const int room = static_cast<int>(events.size());
  if (precise_) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
    const int count = epoll_pwait2(epoll_.get(), events.data(), room, timeout < Duration{} ? nullptr : &wait, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    precise_ = false;
  }
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  const int wait = timeout < Duration{} ? -1 : static_cast<int>(std::min<std::int64_t>(millis, INT_MAX));
  return epoll_wait(epoll_.get(), events.data(), room, wait);
}

int Loop::run_once(Duration timeout) {
  std::array<epoll_event, 256> batch;  // NOLINT(cppcoreguidelines-pro-type-member-init): the kernel fills it
  const int count = wait(batch, timeout);
  if (count <= 0) return 0;  // interrupted by a signal: the caller looks at its clock and comes back
  int called = 0;
  pending_ = std::span(batch).first(static_cast<std::size_t>(count));
  while (!pending_.empty()) {
    const epoll_event event = pending_.front();
    pending_ = pending_.subspan(1);
    if (event.data.ptr == nullptr) continue;
    ++called;
    static_cast<Watcher*>(event.data.ptr)->ready(event.events);
  }
  return called;
}

}  // namespace homeostat::os
