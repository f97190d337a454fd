// The circuit breaker as it is usually built, to measure against: one mutex taken twice a call, the clock read twice,
// counts over a fixed interval, a generation that drops late results.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace bench {

class ClassicBreaker {
 public:
  bool allow(std::uint64_t& generation) {
    const std::scoped_lock lock(mutex_);
    look(std::chrono::steady_clock::now());
    generation = generation_;
    if (open_ || (half_open_ && calls_ >= 3)) return false;
    ++calls_;
    return true;
  }

  void done(std::uint64_t generation, bool success) {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    look(now);
    if (generation != generation_) return;
    if (success) {
      ++successes_;
      failures_in_a_row_ = 0;
      if (half_open_ && successes_ >= 3) change(now, false, false);
      return;
    }
    ++failures_;
    ++failures_in_a_row_;
    if (half_open_ || failures_in_a_row_ > 5) change(now, true, false);
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  void look(Time now) {
    if (now < expiry_) return;
    if (open_) return change(now, false, true);
    if (!half_open_) change(now, false, false);
  }
  void change(Time now, bool open, bool half_open) {
    ++generation_;
    open_ = open;
    half_open_ = half_open;
    calls_ = successes_ = failures_ = failures_in_a_row_ = 0;
    expiry_ = now + std::chrono::seconds(half_open ? 1'000'000 : 10);
  }

  std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t successes_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t failures_in_a_row_ = 0;
  bool open_ = false;
  bool half_open_ = false;
  Time expiry_{};
};

}  // namespace bench
