#include "probe/timeouts.hpp"

#include <algorithm>
#include <bit>

namespace homeostat::probe {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(10);

std::int64_t floor_tick(Instant at) {
  const std::int64_t ns = at.time_since_epoch().count();
  return ns / kTick.count() - (ns % kTick.count() < 0 ? 1 : 0);
}

std::int64_t ceil_tick(Instant at) {
  const std::int64_t ns = at.time_since_epoch().count();
  return ns / kTick.count() + (ns % kTick.count() > 0 ? 1 : 0);
}

}  // namespace

Timeouts::Timeouts(Instant now) : current_(floor_tick(now)) { heads_.fill(kNone); }

void Timeouts::set(std::uint32_t id, Instant at) {
  if (id >= links_.size()) links_.resize(id + 1);
  clear(id);
  const std::int64_t tick = std::max(ceil_tick(at), current_);
  const std::size_t bucket = bucket_of(tick);
  links_[id] = {kNone, heads_[bucket], tick};
  if (heads_[bucket] != kNone) links_[heads_[bucket]].previous = id;
  heads_[bucket] = id;
  used_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
}

void Timeouts::clear(std::uint32_t id) {
  if (id >= links_.size() || links_[id].tick == kUnset) return;
  const Link link = links_[id];
  const std::size_t bucket = bucket_of(link.tick);
  if (link.next != kNone) links_[link.next].previous = link.previous;
  if (link.previous != kNone) {
    links_[link.previous].next = link.next;
  } else {
    heads_[bucket] = link.next;
    if (link.next == kNone) used_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  }
  links_[id] = {};
}

std::optional<std::uint32_t> Timeouts::pop(Instant now) {
  const std::int64_t last = floor_tick(now);
  // After a long pause one turn of the wheel sees every bucket.
  current_ = std::max(current_, last - static_cast<std::int64_t>(kBuckets) + 1);
  while (current_ <= last) {
    for (std::uint32_t id = heads_[bucket_of(current_)]; id != kNone; id = links_[id].next) {
      if (links_[id].tick > last) continue;  // of a later turn
      clear(id);
      return id;
    }
    ++current_;
  }
  return std::nullopt;
}

std::optional<Instant> Timeouts::next() const {
  const std::size_t start = bucket_of(current_);
  for (std::size_t word = 0; word <= used_.size(); ++word) {
    const std::size_t at = (start / 64 + word) % used_.size();
    std::uint64_t bits = used_[at];
    if (word == 0) bits &= ~std::uint64_t{0} << (start % 64);
    if (word == used_.size()) bits &= ~(~std::uint64_t{0} << (start % 64));
    if (bits == 0) continue;
    const std::size_t bucket = at * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    const std::int64_t tick = current_ + static_cast<std::int64_t>((bucket - start) & kMask);
    return Instant(kTick * tick);
  }
  return std::nullopt;
}

}  // namespace homeostat::probe
