// What a breaker's rates look at: the last N calls, or the calls of the last T. Plain state, told the time.
#pragma once

#include <cstdint>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat {

struct WindowCounts {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("calls", self.calls);
    visit("failures", self.failures);
    visit("slow", self.slow);
  };
};

/// The last `size` calls, exactly. Only calls that failed or were slow are remembered, by their position: any number of
/// successes is added at once.
class CountWindow {
 public:
  explicit CountWindow(std::uint32_t size = 1) : marks_(size) {}

  void clear();
  void add_successes(std::uint64_t n);
  void add(bool failed, bool slow);
  WindowCounts counts() const;
  /// False: read back from somewhere that had not kept it well.
  bool intact(std::uint32_t size) const { return marks_.size() == size && first_ < size && kept_ <= size; }

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("marks", self.marks_);
    visit("first", self.first_);
    visit("kept", self.kept_);
    visit("total", self.total_);
    visit("failures", self.failures_);
    visit("slow", self.slow_);
  };

 private:
  void forget_old();

  std::vector<std::uint64_t> marks_;  // a ring: position * 4 + failed * 2 + slow
  std::uint64_t first_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t slow_ = 0;
};

/// The calls of the last `buckets` x `width`; what is older is forgotten a bucket at a time. Buckets begin at multiples
/// of their width.
class TimeWindow {
 public:
  explicit TimeWindow(Duration width = std::chrono::seconds(1), std::uint32_t buckets = 1)
      : width_(width), buckets_(buckets) {}

  void clear();
  /// Forgets what is too old at `now`.
  void roll(Instant now);
  /// Into the bucket of the last roll().
  void add_successes(std::uint64_t n);
  void add(bool failed, bool slow);
  const WindowCounts& counts() const { return sum_; }
  /// When roll() has something to do again.
  Instant next_roll() const;
  bool intact(Duration width, std::uint32_t buckets) const { return width_ == width && buckets_.size() == buckets; }

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("width", self.width_);
    visit("buckets", self.buckets_);
    visit("sum", self.sum_);
    visit("current", self.current_);
  };

 private:
  WindowCounts& bucket(std::int64_t number);

  Duration width_;
  std::vector<WindowCounts> buckets_;
  WindowCounts sum_;
  std::int64_t current_ = 0;  // the number of the bucket that is filled now, counted from time zero
};

}  // namespace homeostat
