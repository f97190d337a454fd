// Our own small HTTP server on the loopback: what the self-check talks to.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "core/error.hpp"
#include "os/fd.hpp"
#include "os/loop.hpp"

namespace homeostat::probe {

/// Answers every request with 200. Anyone on this machine can connect, so it holds few connections, the newest.
class Responder final : public os::Watcher {
 public:
  /// Listens on 127.0.0.1, a port that the kernel picks.
  static std::expected<std::unique_ptr<Responder>, Error> open(os::Loop& loop);
  ~Responder() override;

  std::uint16_t port() const { return port_; }
  void ready(std::uint32_t events) override;

 private:
  class Guest;

  Responder(os::Loop& loop, os::Fd fd, std::uint16_t port);
  void leave(Guest& guest);

  os::Loop& loop_;
  os::Fd fd_;
  os::Fd spare_;  // given up for a moment when descriptors run out: a guest who cannot be let in is sent away
  std::uint16_t port_;
  std::list<std::unique_ptr<Guest>> guests_;  // oldest first
};

}  // namespace homeostat::probe
