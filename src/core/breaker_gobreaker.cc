#include "core/breaker_gobreaker.hpp"

namespace homeostat {
namespace {

/// As gobreaker fills in what is not given. With an interval of whole buckets: rounded up, also to a bucket that is
/// longer than the interval.
GobreakerOptions filled_in(GobreakerOptions options) {
  if (options.max_requests == 0) options.max_requests = 1;
  if (options.timeout <= Duration{}) options.timeout = std::chrono::seconds(60);
  if (options.interval <= Duration{} || options.bucket_period <= Duration{}) {
    options.bucket_period = options.interval;
    return options;
  }
  const Duration odd = options.interval % options.bucket_period;
  if (odd > Duration{}) options.interval += options.bucket_period - odd;
  return options;
}

std::size_t bucket_count(const GobreakerOptions& options) {
  if (options.bucket_period <= Duration{}) return 1;
  return static_cast<std::size_t>(options.interval / options.bucket_period);
}

std::uint64_t less(std::uint64_t from, std::uint64_t what) { return from > what ? from - what : 0; }

}  // namespace

void GobreakerCounts::success() {
  ++successes;
  ++consecutive_successes;
  consecutive_failures = 0;
}

void GobreakerCounts::failure() {
  ++failures;
  ++consecutive_failures;
  consecutive_successes = 0;
}

Gobreaker::Gobreaker(const GobreakerOptions& options, Instant now)
    : options_(filled_in(options)), buckets_(bucket_count(options_)) {
  begin_generation(now);
}

std::optional<Gobreaker::Ticket> Gobreaker::acquire(Instant now) {
  settle(now);
  if (state_ == BreakerState::open) return std::nullopt;
  if (state_ == BreakerState::half_open && counts_.valid() >= options_.max_requests) return std::nullopt;
  ++counts_.requests;
  ++buckets_[age_ % buckets_.size()].requests;
  return Ticket{generation_, age_};
}

void Gobreaker::finish(Ticket ticket, CallOutcome outcome, Instant now) {
  settle(now);
  if (ticket.generation != generation_) return;
  if (state_ == BreakerState::half_open && outcome == CallOutcome::failure) return enter(BreakerState::open, now);
  if (age_ - ticket.age < buckets_.size()) {
    for (GobreakerCounts* counts : {&counts_, &buckets_[ticket.age % buckets_.size()]}) {
      if (outcome == CallOutcome::ignored) {
        ++counts->excluded;
      } else {
        outcome == CallOutcome::success ? counts->success() : counts->failure();
      }
    }
  }
  if (state_ == BreakerState::half_open && outcome == CallOutcome::success &&
      counts_.consecutive_successes >= options_.max_requests) {
    return enter(BreakerState::closed, now);
  }
  if (state_ == BreakerState::closed && outcome == CallOutcome::failure && ready_to_trip()) {
    enter(BreakerState::open, now);
  }
}

BreakerState Gobreaker::state(Instant now) {
  settle(now);
  return state_;
}

bool Gobreaker::ready_to_trip() const {
  if (options_.min_calls == 0) return counts_.consecutive_failures > options_.more_than;
  const std::uint64_t calls = counts_.valid();
  return calls >= options_.min_calls &&
         static_cast<double>(counts_.failures) / static_cast<double>(calls) >= options_.failure_rate / 100;
}

void Gobreaker::settle(Instant now) {
  if (state_ == BreakerState::open && now > expiry_) return enter(BreakerState::half_open, now);
  if (state_ != BreakerState::closed) return;
  if (now > expiry_) return begin_generation(now);
  if (rolling()) roll_to(static_cast<std::uint64_t>((now - start_) / options_.bucket_period));
}

void Gobreaker::enter(BreakerState to, Instant now) {
  state_ = to;
  begin_generation(now);
}

void Gobreaker::begin_generation(Instant now) {
  ++generation_;
  start_ = now;
  age_ = 0;
  counts_ = {};
  for (GobreakerCounts& bucket : buckets_) bucket = {};
  expiry_ = kNever;
  if (state_ == BreakerState::open) expiry_ = later(now, options_.timeout);
  if (state_ == BreakerState::closed && !rolling() && options_.interval > Duration{}) {
    expiry_ = later(now, options_.interval);
  }
}

void Gobreaker::roll_to(std::uint64_t age) {
  if (age <= age_) return;
  if (age - age_ >= buckets_.size()) {
    counts_ = {};
    for (GobreakerCounts& bucket : buckets_) bucket = {};
    age_ = age;
  }
  while (age_ < age) roll();
}

// A run that began in the oldest bucket (it is as long as that bucket's own run and everything since) gets shorter.
void Gobreaker::roll() {
  ++age_;
  GobreakerCounts& oldest = buckets_[age_ % buckets_.size()];
  std::uint64_t successes = oldest.consecutive_successes;
  std::uint64_t failures = oldest.consecutive_failures;
  for (const GobreakerCounts& bucket : buckets_) {
    if (&bucket == &oldest) continue;
    successes += bucket.successes;
    failures += bucket.failures;
  }
  if (counts_.consecutive_successes == successes) counts_.consecutive_successes -= oldest.consecutive_successes;
  if (counts_.consecutive_failures == failures) counts_.consecutive_failures -= oldest.consecutive_failures;
  counts_.requests = less(counts_.requests, oldest.requests);
  counts_.successes = less(counts_.successes, oldest.successes);
  counts_.failures = less(counts_.failures, oldest.failures);
  counts_.excluded = less(counts_.excluded, oldest.excluded);
  oldest = {};
}

}  // namespace homeostat
