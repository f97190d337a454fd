// What `Breaker` is made of: a BreakerMachine behind a mutex, and before it a fast path that writes nothing shared.
//
// While it is closed, almost every call is a success that cannot change a decision: it cannot raise a rate that has
// been judged since the window last moved. Such a success is one number on a cache line of its thread. Everything else
// (failures, slow calls, a window that moves on, too few calls to judge, half-open) takes the mutex, brings the machine
// up to date with those numbers, and asks it. So there is one set of rules, the machine's.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "homeostat/breaker_machine.hpp"

namespace homeostat::breaker_detail {

// So many threads have a line of their own, which they write without a locked instruction; the others share some.
inline constexpr unsigned kOwnSlots = 32;
inline constexpr unsigned kSharedSlots = 8;
inline constexpr unsigned kSlots = kOwnSlots + kSharedSlots;

inline constinit thread_local unsigned slot_of_thread = 0;  // one more than the slot; 0: has none yet
// Slots that were ever in use: own ones from the first, and whether threads have begun to share.
inline constinit std::atomic<unsigned> own_slots_used{0};
inline constinit std::atomic<bool> slots_shared{false};
unsigned claim_slot() noexcept;
inline unsigned this_slot() noexcept {
  const unsigned slot = slot_of_thread;
  return slot != 0 ? slot - 1 : claim_slot();
}

/// Visits the numbers of all slots that were ever in use.
template <class Visit>
void for_each_slot(Visit&& visit) {
  const unsigned own = own_slots_used.load(std::memory_order_relaxed);
  for (unsigned slot = 0; slot < own; ++slot) visit(slot);
  if (!slots_shared.load(std::memory_order_relaxed)) return;
  for (unsigned slot = kOwnSlots; slot < kSlots; ++slot) visit(slot);
}

struct alignas(64) Shard {
  using Counter = std::atomic<std::uint64_t>;
  Counter started{0};
  Counter succeeded{0};
  Counter rejected{0};
};

/// How many calls a thread has begun less finished, by the time at which they began: a ring of parts of time, each
/// with the number of the part it stands for. Only where slow calls matter.
struct alignas(64) UnderWay {
  static constexpr unsigned kParts = 32;
  static constexpr unsigned kCountBits = 20;
  static constexpr std::uint64_t kZero = 1U << (kCountBits - 1);  // counts may be negative: another thread's call
  std::atomic<std::uint64_t> parts[kParts]{};

  void add(std::uint64_t part, std::int64_t n, bool own) noexcept;
  std::int64_t since(std::uint64_t first_part) const noexcept;
};

/// The state as the fast path sees it: generation, state and what may be done without asking.
namespace gate {
inline constexpr std::uint64_t kAdmits = 1;    // calls are admitted, successes counted
inline constexpr std::uint64_t kTimed = 2;     // … these only before `until`
inline constexpr std::uint64_t kTracked = 4;   // … and it matters how long they take
inline constexpr std::uint64_t kRejects = 8;   // calls are rejected before `until`
inline constexpr std::uint64_t kRefused = 16;  // an answer, not a state: no permit
inline constexpr unsigned kStateShift = 5;
inline constexpr std::uint64_t kStates = 7;
inline constexpr unsigned kGenerationShift = 8;
}  // namespace gate

/// Throws std::invalid_argument with what is wrong.
void require(const std::expected<void, std::string>& valid);

class Core {
 public:
  using Listener = std::function<void(const BreakerEvent&)>;

  Core(std::string name, const BreakerOptions& options, Listener listener);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  std::uint64_t gate() const noexcept { return gate_.load(std::memory_order_acquire); }
  Instant until() const noexcept { return Instant(Duration(until_.load(std::memory_order_relaxed))); }
  Duration slow_above() const noexcept { return slow_above_; }
  /// One more on this thread's line.
  void count(Shard::Counter Shard::* counter) noexcept {
    const unsigned slot = slot_of_thread - 1;
    if (slot < kOwnSlots) [[likely]] {
      Shard::Counter& own = shards_[slot].*counter;
      own.store(own.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      count_first_or_shared(counter);
    }
  }
  void begin_tracked(Instant began) noexcept { track(began, +1); }
  void end_tracked(Instant began) noexcept { track(began, -1); }

  /// The gate under which the call was admitted, or the rejection.
  std::expected<std::uint64_t, Rejected> acquire(Instant now);
  void finish(std::uint64_t gate, Instant began, BreakerMachine::Result result, Instant now);
  void poll(Instant now);
  bool force(BreakerState to, Instant now);
  std::expected<void, std::string> reconfigure(const BreakerOptions& options, Instant now);

  BreakerState state(Instant now) const noexcept;
  BreakerStatus status(Instant now);
  std::optional<BreakerEvent> take_event();
  const std::string& name() const noexcept { return name_; }
  BreakerOptions options() const;

 private:
  void count_first_or_shared(Shard::Counter Shard::* counter) noexcept;
  void track(Instant began, std::int64_t n) noexcept {
    const unsigned slot = this_slot();
    under_way_[slot].add(part_of(began), n, slot < kOwnSlots);
  }
  std::uint64_t part_of(Instant at) const noexcept {
    return (static_cast<std::uint64_t>(at.time_since_epoch().count()) >> part_shift_) + 1;
  }
  /// Does something with the machine that is up to date, tells the fast path, and delivers what there is to tell.
  template <class Do>
  auto with_machine(Instant now, Do&& what);
  void catch_up(Instant now);
  std::int64_t under_way() const;
  std::uint64_t overdue(Instant now) const;
  Instant valid_until(Instant now) const;
  std::uint64_t flags(Instant now) const;
  void publish(Instant now);
  void deliver();

  // Read by every call, written only when something changes.
  alignas(64) std::atomic<std::uint64_t> gate_{0};
  std::atomic<std::int64_t> until_{0};
  Duration slow_above_;
  std::unique_ptr<UnderWay[]> under_way_;
  unsigned part_shift_ = 0;
  // Written by every call, each thread its own line.
  Shard shards_[kSlots];
  // Behind the mutex.
  alignas(64) mutable std::mutex mutex_;
  BreakerMachine machine_;
  std::uint64_t successes_taken_ = 0;
  std::uint64_t rejections_taken_ = 0;
  std::int64_t asked_ = 0;  // calls admitted here less those finished here
  bool delivering_ = false;
  const std::string name_;
  const Listener listener_;
};

}  // namespace homeostat::breaker_detail
