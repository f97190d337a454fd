// A hashed timer wheel for dense ids: one deadline an id, 10 ms ticks, O(1) to set and to move.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "homeostat/schedule.hpp"
#include "homeostat/time.hpp"

namespace homeostat::engine {

class Wheel {
 public:
  using Id = std::uint32_t;

  explicit Wheel(std::size_t ids = 0) : nodes_(ids) { heads_.fill(kNil); }

  /// Sets (or moves) the deadline of `id`; it fires on the first tick not before `at`. kNever: none.
  void set(Id id, Instant at) {
    Node& node = nodes_[id];
    const std::int64_t tick = at == kNever ? kOff : std::max(tick_of(at), swept_ + 1);
    if (node.tick == tick) return;
    unlink(id);
    node.tick = tick;
    if (tick != kOff) link(id);
  }

  /// The deadline of `id`, rounded up to a tick; kNever when it has none.
  Instant deadline(Id id) const { return nodes_[id].tick == kOff ? kNever : instant_of(nodes_[id].tick); }

  /// Takes out every id that is due at `now`, in order of (tick, id), and appends it to `out`.
  void expire(Instant now, std::vector<Id>& out);

  /// Not later than the earliest deadline; nothing when there is none. May be early by whole turns of the wheel.
  std::optional<Instant> next() const;

 private:
  static constexpr std::size_t kSlots = 4096;  // 41 s a turn
  static constexpr Id kNil = 0xffffffffU;
  static constexpr std::int64_t kOff = INT64_MAX;

  struct Node {
    std::int64_t tick = kOff;
    Id next = kNil;
    Id previous = kNil;
  };

  static std::int64_t tick_of(Instant at) {
    const std::int64_t since = at.time_since_epoch().count();
    const std::int64_t tick = kSlack.count();
    return since <= 0 ? 0 : (since - 1) / tick + 1;
  }
  static Instant instant_of(std::int64_t tick) {
    return tick > kNever.time_since_epoch() / kSlack ? kNever : Instant(kSlack * tick);
  }
  static std::size_t slot_of(std::int64_t tick) { return static_cast<std::size_t>(tick) % kSlots; }

  void link(Id id);
  void unlink(Id id);
  void sweep(std::size_t slot, std::int64_t until, std::vector<Id>& out);

  std::vector<Node> nodes_;
  std::array<Id, kSlots> heads_{};
  std::array<std::uint64_t, kSlots / 64> used_{};  // one bit a slot that is not empty
  std::int64_t swept_ = -1;                        // every tick up to this one has been taken out
};

}  // namespace homeostat::engine
