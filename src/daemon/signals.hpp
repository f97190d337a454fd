// Signals as events of the loop.
#pragma once

#include "core/error.hpp"
#include "os/loop.hpp"

namespace homeostat::daemon {

class Signals final : public os::Watcher {
 public:
  explicit Signals(os::Loop& loop) : loop_(loop) {}
  ~Signals() override;

  /// Blocks SIGTERM, SIGINT, SIGHUP (and ignores SIGPIPE) for every thread made from now on. Call before any thread.
  static void block();
  std::expected<void, Error> open();

  void ready(std::uint32_t events) override;

  bool end() const { return end_; }
  /// True once for each SIGHUP.
  bool take_reload();

 private:
  os::Loop& loop_;
  os::Fd fd_;
  bool end_ = false;
  bool reload_ = false;
};

}  // namespace homeostat::daemon
