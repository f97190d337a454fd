// A hashed timer wheel for dense ids: one deadline an id, 10 ms ticks, O(1) to set and to move. What is due is read in
// a row, not along a list: at a hundred thousand ids every link of one would be a miss of the cache.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "homeostat/schedule.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

class Wheel {
 public:
  using Id = std::uint32_t;

  explicit Wheel(std::size_t ids = 0) : ticks_(ids, kOff) { heads_.fill(kNil); }

  /// Sets (or moves) the deadline of `id`; it fires on the first tick not before `at`. kNever: none.
  void set(Id id, Instant at) {
    const std::int64_t tick = at == kNever ? kOff : std::max(tick_of(at), swept_ + 1);
    if (ticks_[id] != tick) move(id, tick);
  }

  /// The deadline of `id`, rounded up to a tick; kNever when it has none.
  Instant deadline(Id id) const { return ticks_[id] == kOff ? kNever : instant_of(ticks_[id]); }

  /// Takes out every id that is due at `now`, in order of (tick, id), and appends it to `out`.
  void expire(Instant now, std::vector<Id>& out);

  /// Not later than the earliest deadline; nothing when there is none. May be early.
  std::optional<Instant> next() const;

 private:
  static constexpr std::size_t kSlots = 4096;  // 41 s a turn
  static constexpr std::uint32_t kNil = 0xffffffffU;
  static constexpr std::int64_t kOff = INT64_MAX;

  /// Some of the ids of one slot. An id that was moved since leaves its entry behind, until the slot is swept.
  struct Chunk {
    std::array<Id, 14> ids{};
    std::uint32_t count = 0;
    std::uint32_t next = kNil;
  };
  static_assert(sizeof(Chunk) == 64);

  static std::int64_t tick_of(Instant at) {
    const std::int64_t since = at.time_since_epoch().count();
    const std::int64_t tick = kSlack.count();
    return since <= 0 ? 0 : (since - 1) / tick + 1;
  }
  static Instant instant_of(std::int64_t tick) {
    return tick > kNever.time_since_epoch() / kSlack ? kNever : Instant(kSlack * tick);
  }
  static std::size_t slot_of(std::int64_t tick) { return static_cast<std::size_t>(tick) % kSlots; }

  void move(Id id, std::int64_t tick);
  void put(Id id, std::size_t slot);
  void sweep(std::size_t slot, std::int64_t tick, std::vector<Id>& out);
  void expire_turns(std::int64_t until, std::vector<Id>& out);
  void rebuild();

  std::vector<std::int64_t> ticks_;  // of each id
  std::deque<Chunk> chunks_;
  std::uint32_t free_ = kNil;  // the first chunk that is not used
  std::array<std::uint32_t, kSlots> heads_{};
  std::array<std::uint64_t, kSlots / 64> used_{};  // one bit a slot that is not empty
  std::size_t set_ = 0;                            // ids that have a deadline
  std::size_t left_behind_ = 0;                    // entries of ids that have moved on
  std::int64_t swept_ = -1;                        // every tick up to this one has been taken out
};

}  // namespace homeostat::engine
