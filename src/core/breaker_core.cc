#include "homeostat/breaker_core.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace homeostat::breaker_detail {
namespace {

BreakerOptions valid(BreakerOptions options) {
  require(validate(options));
  return options;
}

}  // namespace

void require(const std::expected<void, std::string>& valid) {
  if (!valid) throw std::invalid_argument(valid.error());
}

void UnderWay::add(std::uint64_t part, std::int64_t n, bool own) noexcept {
  std::atomic<std::uint64_t>& word = parts[part % kParts];
  std::uint64_t seen = word.load(std::memory_order_relaxed);
  for (;;) {
    // The part's number fits: 44 bits of parts are at least 4 hours at 1 ns and in practice thousands of years.
    const std::uint64_t number = seen >> kCountBits;
    const std::uint64_t wanted = part & (~std::uint64_t{0} >> kCountBits);
    if (number > wanted) return;  // so old that it is not looked at any more
    const std::uint64_t base = number == wanted ? seen : (wanted << kCountBits) + kZero;
    const std::uint64_t next = base + static_cast<std::uint64_t>(n);
    if (own) return word.store(next, std::memory_order_relaxed);
    if (word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return;
  }
}

std::int64_t UnderWay::since(std::uint64_t first_part) const noexcept {
  std::int64_t sum = 0;
  for (const std::atomic<std::uint64_t>& part : parts) {
    const std::uint64_t word = part.load(std::memory_order_relaxed);
    if (word == 0 || word >> kCountBits < (first_part & (~std::uint64_t{0} >> kCountBits))) continue;
    sum += static_cast<std::int64_t>(word & ((std::uint64_t{1} << kCountBits) - 1)) - static_cast<std::int64_t>(kZero);
  }
  return sum;
}

Core::Core(std::string name, const BreakerOptions& options, Listener listener)
    : slow_above_(valid(options).slow_above),
      machine_(options),
      name_(std::move(name)),
      listener_(std::move(listener)) {
  if (slow_above_ > Duration{}) {
    under_way_ = std::make_unique<UnderWay[]>(kSlots);
    // Parts of an eighth to a sixteenth of slow_above: a call that is overdue is seen that much late.
    const auto eighth = static_cast<std::uint64_t>(slow_above_.count() / 8);
    part_shift_ = eighth == 0 ? 0 : static_cast<unsigned>(std::bit_width(eighth)) - 1;
  }
  publish(kLongAgo);
}

void Core::count_first_or_shared(Shard::Counter Shard::* counter) noexcept {
  const bool first = slot_of_thread == 0;
  const unsigned slot = this_slot();
  if (slot < kOwnSlots && first) return count(counter);
  (shards_[slot].*counter).fetch_add(1, std::memory_order_relaxed);
}

template <class Do>
auto Core::with_machine(Instant now, Do&& what) {
  std::unique_lock lock(mutex_);
  catch_up(now);
  auto result = what();
  publish(now);
  const bool tell = listener_ && machine_.has_events() && !delivering_;
  lock.unlock();
  if (tell) deliver();
  return result;
}

std::expected<std::uint64_t, Rejected> Core::acquire(Instant now) {
  return with_machine(now, [&]() -> std::expected<std::uint64_t, Rejected> {
    const auto ticket = machine_.acquire(now);
    if (!ticket) return std::unexpected(ticket.error());
    ++asked_;
    if (under_way_) begin_tracked(now);
    return flags(now) | ticket->generation << gate::kGenerationShift;
  });
}

void Core::finish(std::uint64_t gate, Instant began, BreakerMachine::Result result, Instant now) {
  with_machine(now, [&] {
    --asked_;
    if (under_way_) {
      end_tracked(began);
      result.took = std::max(Duration{}, now - began);
    }
    machine_.finish({gate >> gate::kGenerationShift}, result, now);
    return true;
  });
}

void Core::poll(Instant now) {
  with_machine(now, [] { return true; });
}

bool Core::force(BreakerState to, Instant now) {
  return with_machine(now, [&] { return machine_.force(to, now); });
}

std::expected<void, std::string> Core::reconfigure(const BreakerOptions& options, Instant now) {
  if (auto checked = validate(options); !checked) return checked;
  if (options.slow_above != slow_above_) return std::unexpected("slow_above: is fixed when the breaker is made");
  return with_machine(now, [&]() -> std::expected<void, std::string> {
    machine_.reconfigure(options);
    return {};
  });
}

BreakerState Core::state(Instant now) const noexcept {
  const std::uint64_t seen = gate();
  const auto state = static_cast<BreakerState>((seen >> gate::kStateShift) & gate::kStates);
  return state == BreakerState::open && now >= until() ? BreakerState::probe_due : state;
}

BreakerStatus Core::status(Instant now) {
  return with_machine(now, [&] {
    BreakerStatus status = machine_.status(now);
    status.name = name_;
    status.in_flight = static_cast<std::uint64_t>(std::max<std::int64_t>(under_way(), 0));
    return status;
  });
}

std::optional<BreakerEvent> Core::take_event() {
  const std::scoped_lock lock(mutex_);
  return machine_.take_event();
}

BreakerOptions Core::options() const {
  const std::scoped_lock lock(mutex_);
  return machine_.options();
}

// What threads have noted happened before now: it goes into the window before that moves on.
void Core::catch_up(Instant now) {
  std::uint64_t successes = 0;
  std::uint64_t rejections = 0;
  for_each_slot([&](unsigned slot) {
    successes += shards_[slot].succeeded.load(std::memory_order_relaxed);
    rejections += shards_[slot].rejected.load(std::memory_order_relaxed);
  });
  machine_.add_successes(successes - std::exchange(successes_taken_, successes));
  machine_.add_rejected(rejections - std::exchange(rejections_taken_, rejections));
  machine_.poll(now, under_way_ ? overdue(now) : 0);
}

std::int64_t Core::under_way() const {
  std::uint64_t fast = 0;
  for_each_slot([&](unsigned slot) {
    const Shard& shard = shards_[slot];
    fast += shard.started.load(std::memory_order_relaxed) - shard.succeeded.load(std::memory_order_relaxed);
  });
  return static_cast<std::int64_t>(fast) + asked_;
}

// Those that are under way less those that began within slow_above.
std::uint64_t Core::overdue(Instant now) const {
  const Instant bound = now - slow_above_;
  if (bound.time_since_epoch() < Duration{}) return 0;
  std::int64_t recent = 0;
  for_each_slot([&](unsigned slot) { recent += under_way_[slot].since(part_of(bound)); });
  return static_cast<std::uint64_t>(std::max<std::int64_t>(under_way() - recent, 0));
}

Instant Core::valid_until(Instant now) const {
  if (machine_.state() == BreakerState::open) return machine_.open_until();
  const Instant safe = machine_.successes_safe_until();
  // Where overdue calls matter they are looked for every now and then.
  return under_way_ ? std::min(safe, later(now, Duration(std::int64_t{1} << part_shift_))) : safe;
}

std::uint64_t Core::flags(Instant now) const {
  const BreakerState state = machine_.state();
  const std::uint64_t shown = static_cast<std::uint64_t>(state) << gate::kStateShift;
  if (state == BreakerState::open) return shown | (machine_.rejection_told() ? gate::kRejects : 0);
  if (state != BreakerState::closed && state != BreakerState::metrics_only) return shown;
  return shown | gate::kAdmits | (valid_until(now) != kNever ? gate::kTimed : 0) | (under_way_ ? gate::kTracked : 0);
}

// Tells the fast path what it may do. `until` first: who sees the new gate sees it too.
void Core::publish(Instant now) {
  until_.store(valid_until(now).time_since_epoch().count(), std::memory_order_relaxed);
  gate_.store(machine_.generation() << gate::kGenerationShift | flags(now), std::memory_order_release);
}

// One thread at a time, so that the order is kept; the others leave their events to it.
void Core::deliver() {
  std::unique_lock lock(mutex_);
  if (delivering_) return;
  delivering_ = true;
  while (const auto event = machine_.take_event()) {
    lock.unlock();
    try {
      listener_(*event);
      // A listener that fails must not fail the call that it hears of.
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    lock.lock();
  }
  delivering_ = false;
}

}  // namespace homeostat::breaker_detail
