#include "engine/wheel.hpp"

#include <algorithm>

namespace homeostat::engine {

void Wheel::link(Id id) {
  const std::size_t slot = slot_of(nodes_[id].tick);
  nodes_[id].previous = kNil;
  nodes_[id].next = heads_[slot];
  if (heads_[slot] != kNil) nodes_[heads_[slot]].previous = id;
  heads_[slot] = id;
  used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void Wheel::unlink(Id id) {
  Node& node = nodes_[id];
  if (node.tick == kOff) return;
  const std::size_t slot = slot_of(node.tick);
  if (node.previous != kNil)
    nodes_[node.previous].next = node.next;
  else
    heads_[slot] = node.next;
  if (node.next != kNil) nodes_[node.next].previous = node.previous;
  if (heads_[slot] == kNil) used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  node.tick = kOff;
}

void Wheel::sweep(std::size_t slot, std::int64_t until, std::vector<Id>& out) {
  for (Id id = heads_[slot]; id != kNil;) {
    const Id following = nodes_[id].next;
    if (nodes_[id].tick <= until) out.push_back(id);
    id = following;
  }
}

void Wheel::expire(Instant now, std::vector<Id>& out) {
  const std::int64_t until = now.time_since_epoch().count() < 0 ? -1 : now.time_since_epoch() / kSlack;
  if (until <= swept_) return;
  const std::size_t begin = out.size();
  const std::int64_t turns = std::min<std::int64_t>(until - swept_, kSlots);
  for (std::int64_t i = 1; i <= turns; ++i) {
    const std::size_t slot = slot_of(swept_ + i);
    if (heads_[slot] != kNil) sweep(slot, until, out);
  }
  swept_ = until;
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(begin);
  std::sort(first, out.end(),
            [this](Id a, Id b) { return nodes_[a].tick != nodes_[b].tick ? nodes_[a].tick < nodes_[b].tick : a < b; });
  for (auto it = first; it != out.end(); ++it) unlink(*it);
}

std::optional<Instant> Wheel::next() const {
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
