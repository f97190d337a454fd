// Which line of counters a thread writes: its own while there are enough, and given back when the thread ends.
#include <bit>

#include "homeostat/breaker_core.hpp"

namespace homeostat::breaker_detail {
namespace {

static_assert(kOwnSlots == 32);
constinit std::atomic<std::uint32_t> taken{0};
constinit std::atomic<unsigned> sharers{0};

void note_use(unsigned slot) {
  if (slot >= kOwnSlots) return slots_shared.store(true, std::memory_order_relaxed);
  unsigned seen = own_slots_used.load(std::memory_order_relaxed);
  while (seen <= slot && !own_slots_used.compare_exchange_weak(seen, slot + 1, std::memory_order_relaxed)) continue;
}

struct Held {
  unsigned slot = 0;
  bool own = false;
  ~Held() {
    // Whatever this thread still counts goes to a shared line.
    slot_of_thread = kOwnSlots + 1;
    note_use(kOwnSlots);
    if (own) taken.fetch_and(~(std::uint32_t{1} << slot), std::memory_order_release);
  }
};
thread_local Held held;

}  // namespace

unsigned claim_slot() noexcept {
  std::uint32_t seen = taken.load(std::memory_order_relaxed);
  while (~seen != 0) {
    const auto free = static_cast<unsigned>(std::countr_one(seen));
    // Acquire: what the slot's last thread counted is seen.
    if (!taken.compare_exchange_weak(seen, seen | std::uint32_t{1} << free, std::memory_order_acquire)) continue;
    note_use(free);
    held.slot = free;
    held.own = true;
    slot_of_thread = free + 1;
    return free;
  }
  const unsigned slot = kOwnSlots + sharers.fetch_add(1, std::memory_order_relaxed) % kSharedSlots;
  note_use(slot);
  slot_of_thread = slot + 1;
  return slot;
}

}  // namespace homeostat::breaker_detail
