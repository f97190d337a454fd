// How findings of other threads come back to the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.hpp"
#include "os/fd.hpp"
#include "os/loop.hpp"
#include "probe/judge.hpp"

namespace homeostat::probe {

struct Letter {
  std::uint32_t target = 0;
  std::uint64_t ticket = 0;  // which start this belongs to
  Finding found;
};

/// Bounded by its senders: none of them has more than a fixed number of runs under way.
class Mailbox final : public os::Watcher {
 public:
  static std::expected<std::unique_ptr<Mailbox>, Error> open(os::Loop& loop, std::function<void(Letter&&)> deliver);
  ~Mailbox() override;

  /// From any thread.
  void post(Letter letter);
  void ready(std::uint32_t events) override;

 private:
  Mailbox(os::Loop& loop, os::Fd event, std::function<void(Letter&&)> deliver)
      : loop_(loop), event_(std::move(event)), deliver_(std::move(deliver)) {}

  os::Loop& loop_;
  os::Fd event_;
  std::function<void(Letter&&)> deliver_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

}  // namespace homeostat::probe
