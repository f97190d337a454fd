#include "homeostat/breaker_window.hpp"

#include <algorithm>

namespace homeostat {
namespace {

constexpr std::uint64_t kFailed = 2;
constexpr std::uint64_t kSlow = 1;

std::int64_t number_at(Instant at, Duration width) {
  const std::int64_t ticks = at.time_since_epoch().count();
  const std::int64_t quotient = ticks / width.count();
  return ticks % width.count() < 0 ? quotient - 1 : quotient;
}

}  // namespace

void CountWindow::clear() { first_ = kept_ = total_ = failures_ = slow_ = 0; }

void CountWindow::add_successes(std::uint64_t n) {
  total_ += n;
  forget_old();
}

void CountWindow::add(bool failed, bool slow) {
  const std::uint64_t position = total_++;
  forget_old();
  if (!failed && !slow) return;
  marks_[(first_ + kept_++) % marks_.size()] = position * 4 + (failed ? kFailed : 0) + (slow ? kSlow : 0);
  failures_ += failed ? 1 : 0;
  slow_ += slow ? 1 : 0;
}

void CountWindow::forget_old() {
  while (kept_ > 0) {
    const std::uint64_t mark = marks_[first_];
    if (mark / 4 + marks_.size() >= total_) return;
    failures_ -= (mark & kFailed) != 0 ? 1 : 0;
    slow_ -= (mark & kSlow) != 0 ? 1 : 0;
    first_ = (first_ + 1) % marks_.size();
    --kept_;
  }
}

WindowCounts CountWindow::counts() const { return {std::min<std::uint64_t>(total_, marks_.size()), failures_, slow_}; }

void TimeWindow::clear() {
  std::ranges::fill(buckets_, WindowCounts{});
  sum_ = {};
}

void TimeWindow::roll(Instant now) {
  const std::int64_t number = number_at(now, width_);
  if (number <= current_) return;
  const auto size = static_cast<std::int64_t>(buckets_.size());
  if (number - current_ >= size) {
    clear();
    current_ = number;
    return;
  }
  while (current_ < number) {
    WindowCounts& oldest = bucket(++current_);
    sum_.calls -= oldest.calls;
    sum_.failures -= oldest.failures;
    sum_.slow -= oldest.slow;
    oldest = {};
  }
}

void TimeWindow::add_successes(std::uint64_t n) {
  bucket(current_).calls += n;
  sum_.calls += n;
}

void TimeWindow::add(bool failed, bool slow) {
  for (WindowCounts* counts : {&bucket(current_), &sum_}) {
    ++counts->calls;
    counts->failures += failed ? 1 : 0;
    counts->slow += slow ? 1 : 0;
  }
}

Instant TimeWindow::next_roll() const { return Instant(Duration((current_ + 1) * width_.count())); }

WindowCounts& TimeWindow::bucket(std::int64_t number) {
  const auto size = static_cast<std::int64_t>(buckets_.size());
  return buckets_[static_cast<std::size_t>((number % size + size) % size)];
}

}  // namespace homeostat
