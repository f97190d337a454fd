// The rules of sony/gobreaker v2, for comparison: counts at admission, judges failures only, forgets at every change.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "homeostat/breaker_types.hpp"

namespace homeostat {

struct GobreakerOptions {
  // Opens when the run of failures is longer than more_than, or, with min_calls > 0, by the rate.
  std::uint64_t more_than = 5;
  double failure_rate = 0;
  std::uint64_t min_calls = 0;
  Duration interval{};       // of the counts; 0: for ever
  Duration bucket_period{};  // shorter than the interval: a rolling window of such buckets
  std::uint32_t max_requests = 1;
  Duration timeout = std::chrono::seconds(60);
};

struct GobreakerCounts {
  std::uint64_t requests = 0;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t excluded = 0;
  std::uint64_t consecutive_successes = 0;
  std::uint64_t consecutive_failures = 0;

  std::uint64_t valid() const { return requests - excluded; }
  void success();
  void failure();
};

class Gobreaker {
 public:
  struct Ticket {
    std::uint64_t generation = 0;
    std::uint64_t age = 0;  // the bucket in which the call was admitted
  };

  Gobreaker(const GobreakerOptions& options, Instant now);

  std::optional<Ticket> acquire(Instant now);
  void finish(Ticket ticket, CallOutcome outcome, Instant now);
  /// Looking is what makes it go on from open to half-open.
  BreakerState state(Instant now);
  const GobreakerCounts& counts() const { return counts_; }

 private:
  bool rolling() const { return buckets_.size() > 1; }
  void settle(Instant now);
  void enter(BreakerState to, Instant now);
  void begin_generation(Instant now);
  void roll_to(std::uint64_t age);
  void roll();
  bool ready_to_trip() const;

  GobreakerOptions options_;
  std::vector<GobreakerCounts> buckets_;
  GobreakerCounts counts_;
  std::uint64_t age_ = 0;  // buckets since the generation began
  std::uint64_t generation_ = 0;
  BreakerState state_ = BreakerState::closed;
  Instant start_{};
  Instant expiry_ = kNever;
};

}  // namespace homeostat
