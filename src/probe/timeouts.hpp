// Many deadlines, few of which ever come: a wheel of 10 ms buckets over dense ids. Setting and clearing are O(1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat::probe {

class Timeouts {
 public:
  explicit Timeouts(Instant now);

  /// Rounds up to the next 10 ms. An id has at most one deadline; setting it again moves it.
  void set(std::uint32_t id, Instant at);
  void clear(std::uint32_t id);
  /// Removes and returns one id whose deadline has come.
  std::optional<std::uint32_t> pop(Instant now);
  /// Not later than the earliest deadline; earlier only for deadlines more than 82 s ahead.
  std::optional<Instant> next() const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  static constexpr std::size_t kBuckets = 8192;
  static constexpr std::size_t kMask = kBuckets - 1;

  struct Link {
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    std::int64_t tick = kUnset;
  };
  static constexpr std::int64_t kUnset = INT64_MIN;

  static std::size_t bucket_of(std::int64_t tick) { return static_cast<std::size_t>(tick) & kMask; }

  std::int64_t current_;  // every earlier tick has been dealt with
  std::vector<Link> links_;
  std::array<std::uint32_t, kBuckets> heads_;
  std::array<std::uint64_t, kBuckets / 64> used_{};
};

}  // namespace homeostat::probe
