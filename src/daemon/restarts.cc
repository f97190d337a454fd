#include "daemon/restarts.hpp"

#include <algorithm>

namespace homeostat::daemon {
namespace {

constexpr std::uint32_t kMost = 1000;

}  // namespace

void Restarts::saw(std::uint32_t count, Instant now) {
  if (count < count_) rises_.clear();
  const std::uint32_t risen = began_ && count > count_ ? std::min(count - count_, kMost) : 0;
  began_ = true;
  count_ = count;
  rises_.insert(rises_.end(), risen, now);
  while (rises_.size() > kMost) rises_.pop_front();
}

std::uint32_t Restarts::within(Duration span, Instant now) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(rises_, [&](Instant at) { return later(at, span) > now; }));
}

}  // namespace homeostat::daemon
