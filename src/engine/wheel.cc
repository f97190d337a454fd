#include "engine/wheel.hpp"

#include <algorithm>
#include <utility>

namespace homeostat::engine {

void Wheel::move(Id id, std::int64_t tick) {
  if (ticks_[id] != kOff) {
    --set_;
    ++left_behind_;
  }
  ticks_[id] = tick;
  if (tick != kOff) {
    ++set_;
    put(id, slot_of(tick));
  }
  // However often ids are moved, what they leave behind is never more than they are.
  if (left_behind_ > ticks_.size() + chunks_.size()) rebuild();
}

void Wheel::put(Id id, std::size_t slot) {
  std::uint32_t head = heads_[slot];
  if (head == kNil || chunks_[head].count == chunks_[head].ids.size()) {
    head = free_;
    if (head == kNil) {
      head = static_cast<std::uint32_t>(chunks_.size());
      chunks_.emplace_back();
    } else {
      free_ = chunks_[head].next;
    }
    chunks_[head].next = std::exchange(heads_[slot], head);
    used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  }
  Chunk& chunk = chunks_[head];
  chunk.ids[chunk.count++] = id;
}

// Empties the slot of `tick`: what is due goes out, what is due in a later turn stays.
void Wheel::sweep(std::size_t slot, std::int64_t tick, std::vector<Id>& out) {
  std::uint32_t at = std::exchange(heads_[slot], kNil);
  used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  while (at != kNil) {
    const Chunk chunk = chunks_[at];
    chunks_[at] = Chunk{{}, 0, std::exchange(free_, at)};
    at = chunk.next;
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      const Id id = chunk.ids[i];
      if (ticks_[id] == tick) {
        ticks_[id] = kOff;
        out.push_back(id);
      } else if (ticks_[id] != kOff && slot_of(ticks_[id]) == slot) {
        put(id, slot);
      } else {
        --left_behind_;
      }
    }
  }
}

void Wheel::expire(Instant now, std::vector<Id>& out) {
  const std::int64_t until = now.time_since_epoch().count() < 0 ? -1 : now.time_since_epoch() / kSlack;
  if (until <= swept_) return;
  const auto first = out.size();
  const std::int64_t begin = std::exchange(swept_, until);
  if (until - begin > static_cast<std::int64_t>(kSlots)) {
    expire_turns(until, out);
  } else {
    for (std::int64_t tick = begin + 1; tick <= until; ++tick) {
      const std::size_t slot = slot_of(tick);
      if (heads_[slot] == kNil) continue;
      // Within one turn all that is due in a slot is of this one tick.
      const auto from = static_cast<std::ptrdiff_t>(out.size());
      sweep(slot, tick, out);
      std::sort(out.begin() + from, out.end());
    }
  }
  set_ -= out.size() - first;
}

// After more than a turn every id is looked at, and what is due put in order.
void Wheel::expire_turns(std::int64_t until, std::vector<Id>& out) {
  std::vector<std::pair<std::int64_t, Id>> due;
  for (Id id = 0; id < ticks_.size(); ++id) {
    if (ticks_[id] <= until) due.emplace_back(std::exchange(ticks_[id], kOff), id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [tick, id] : due) out.push_back(id);
  rebuild();
}

void Wheel::rebuild() {
  chunks_.clear();
  free_ = kNil;
  heads_.fill(kNil);
  used_.fill(0);
  left_behind_ = 0;
  for (Id id = 0; id < ticks_.size(); ++id) {
    if (ticks_[id] != kOff) put(id, slot_of(ticks_[id]));
  }
}

std::optional<Instant> Wheel::next() const {
  if (set_ == 0) return std::nullopt;
  const std::size_t start = slot_of(swept_ + 1);
  for (std::size_t i = 0; i <= kSlots / 64; ++i) {
    const std::size_t word = (start / 64 + i) % (kSlots / 64);
    std::uint64_t bits = used_[word];
    if (i == 0) bits &= ~std::uint64_t{0} << (start % 64);
    if (i == kSlots / 64) bits &= (std::uint64_t{1} << (start % 64)) - 1;
    if (bits == 0) continue;
    const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    const std::size_t ahead = (slot + kSlots - start) % kSlots;
    return instant_of(swept_ + 1 + static_cast<std::int64_t>(ahead));
  }
  return std::nullopt;
}

}  // namespace homeostat::engine
