// Where a breaker's time comes from: a word that a ticker publishes, the coarse monotonic clock, or a test's hand.
// Never the wall clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <memory>

#include "homeostat/time.hpp"

namespace homeostat {

/// The kernel's monotonic clock as of its last tick: some milliseconds coarse, a quarter of the price of the exact one.
struct CoarseClock {
  static Instant now() noexcept {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &at);
    return Instant(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
  }
};

/// The time as one word of the process: reading it is a load. Somebody has to publish it, a hundred times a second or
/// more: a Ticker, or the program's own loop. While nobody does, it is the coarse clock's.
class SharedTick {
 public:
  static Instant now() noexcept {
    const Instant told = quick_now();
    return told != kNever ? told : CoarseClock::now();
  }
  /// What was published; kNever while nobody does.
  static Instant quick_now() noexcept { return Instant(Duration(word_.load(std::memory_order_relaxed))); }
  /// `now` must be the monotonic clock's.
  static void publish(Instant now) noexcept { word_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
  /// Back to the coarse clock.
  static void stop() noexcept { publish(kNever); }

 private:
  alignas(64) inline static constinit std::atomic<std::int64_t> word_{kNever.time_since_epoch().count()};
};

/// A thread that publishes the time. One in a program is enough; when the last one goes, the coarse clock is used
/// again.
class Ticker {
 public:
  explicit Ticker(Duration period = std::chrono::milliseconds(1));
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

/// Time that a test moves. Copies show the same time.
class ManualClock {
 public:
  ManualClock() : ManualClock(Instant(std::chrono::hours(1))) {}
  explicit ManualClock(Instant start)
      : ticks_(std::make_shared<std::atomic<std::int64_t>>(start.time_since_epoch().count())) {}

  Instant now() const noexcept { return Instant(Duration(ticks_->load(std::memory_order_relaxed))); }
  void advance(Duration span) { ticks_->fetch_add(span.count(), std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> ticks_;
};

}  // namespace homeostat
