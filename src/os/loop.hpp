// One epoll: whoever waits for a descriptor registers a Watcher. One thread only.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "core/error.hpp"
#include "homeostat/time.hpp"
#include "os/fd.hpp"

namespace homeostat::os {

/// Gets the events of one descriptor. It may remove itself or any other watcher while it is called, and may be
/// destroyed once it is removed. Use one watcher a descriptor: `ready` does not say which one it was.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// `events` are EPOLL* bits.
  virtual void ready(std::uint32_t events) = 0;
};

class Loop {
 public:
  static std::expected<Loop, Error> open();

  /// Registers `watcher` for `events` (EPOLLIN, EPOLLOUT …, as epoll_ctl takes them). The watcher must outlive its
  /// registration; a descriptor must be removed before it is closed.
  std::expected<void, Error> add(int fd, std::uint32_t events, Watcher& watcher);
  void modify(int fd, std::uint32_t events, Watcher& watcher);
  void remove(int fd, Watcher& watcher);

  /// Waits at most `timeout` (negative: without end; sub-millisecond waits are honoured where the kernel can) and
  /// calls every ready watcher once. Returns how many were called.
  int run_once(Duration timeout);

 private:
  explicit Loop(Fd epoll) : epoll_(std::move(epoll)) {}
  int wait(std::span<epoll_event> events, Duration timeout);

  Fd epoll_;
  // The part of the batch that is still to be delivered, so that a watcher removed meanwhile is not called any more.
  std::span<epoll_event> pending_;
  bool precise_ = true;  // epoll_pwait2 works here
};

}  // namespace homeostat::os
