// How other threads reach the loop: they post what it shall do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "core/error.hpp"
#include "os/loop.hpp"

namespace homeostat::daemon {

class Inbox final : public os::Watcher {
 public:
  using Job = std::move_only_function<void()>;

  explicit Inbox(os::Loop& loop) : loop_(loop) {}
  ~Inbox() override;
  std::expected<void, Error> open();

  /// From any thread. False: too much is waiting, nothing was taken.
  bool post(Job job);

  void ready(std::uint32_t events) override;

 private:
  static constexpr std::size_t kMost = 1024;

  os::Loop& loop_;
  os::Fd wake_;
  std::mutex mutex_;
  std::deque<Job> jobs_;
};

}  // namespace homeostat::daemon
