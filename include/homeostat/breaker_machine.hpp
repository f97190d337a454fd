// The circuit breaker as a pure machine: plain state, told the time, for one thread. `Breaker` puts threads around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "homeostat/breaker_types.hpp"
#include "homeostat/breaker_window.hpp"
#include "homeostat/random.hpp"

namespace homeostat {

/// closed --a rule is broken--> open --the wait is over and a call comes--> half_open --proved--> closed, or
/// --a probe fails--> open. By hand: forced_open (admits nothing), disabled (admits all, counts nothing), metrics_only
/// (admits all, counts, never opens).
///
/// Every change of the state begins a generation; a result of an older one is dropped.
class BreakerMachine {
 public:
  /// The right to make one call.
  struct Ticket {
    std::uint64_t generation = 0;
    static constexpr auto fields = [](auto& self, auto& visit) { visit("generation", self.generation); };
  };

  /// The options must be valid.
  explicit BreakerMachine(const BreakerOptions& options = {}, const BreakerRules& rules = {});

  std::expected<Ticket, Rejected> acquire(Instant now);

  struct Result {
    CallOutcome outcome = CallOutcome::success;
    Duration took{};
    /// What the other side asked to wait; taken as the wait when this failure opens the breaker (up to open_cap).
    std::optional<Duration> retry_after{};
  };
  void finish(Ticket ticket, const Result& result, Instant now);

  /// What time alone changes, and `overdue` calls that are under way for longer than slow_above.
  void poll(Instant now, std::uint64_t overdue = 0);

  /// Counts successes and rejections that were noted elsewhere and cannot have changed a decision.
  void add_successes(std::uint64_t n);
  void add_rejected(std::uint64_t n) { not_permitted_ += n; }

  /// By hand. Every state may follow every other, but half_open may not follow closed (there is nothing to prove), and
  /// probe_due is no state. False: not changed.
  bool force(BreakerState to, Instant now);
  /// Goes back to an open state that was saved elsewhere: a probe is due at `probe_at`.
  void restore_open(Instant opened_at, Instant probe_at, std::uint32_t times_open, Instant now);
  /// Other options, the same state. The counts begin anew when the window's shape changes.
  void reconfigure(const BreakerOptions& options);
  /// Goes on where one with the same options was saved, whose fields have been read back. False: it was saved with
  /// others, or not kept well; not to be used.
  bool resume(const BreakerOptions& options) {
    options_ = options;
    return intact();
  }
  /// False for one whose fields were read back from somewhere that had not kept them well: not to be used.
  bool intact() const;

  BreakerState state() const { return state_; }
  /// With `probe_due` for an open breaker whose wait is over.
  BreakerState state(Instant now) const { return due(now) ? BreakerState::probe_due : state_; }
  BreakerStatus status(Instant now) const;
  BreakerCounts counts() const;
  std::uint64_t generation() const { return generation_; }
  const BreakerOptions& options() const { return options_; }
  std::uint32_t probes() const { return probes_ < 0 ? 0 : static_cast<std::uint32_t>(probes_); }
  /// While open: when the wait is over.
  Instant open_until() const { return open_until_; }
  Instant opened_at() const { return opened_at_; }
  std::uint32_t times_open() const { return times_open_; }
  /// Until then, or kNever, successes cannot change a decision; kLongAgo: each may.
  Instant successes_safe_until() const;
  /// A first rejection of this state has been told.
  bool rejection_told() const { return rejection_told_; }

  bool has_events() const { return event_count_ > 0; }
  /// The oldest event that has not been taken.
  std::optional<BreakerEvent> take_event();

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("calls", self.calls_);
    visit("times", self.times_);
    visit("probe_results", self.probe_results_);
    visit("random", self.random_);
    visit("events", self.events_);
    visit("first_event", self.first_event_);
    visit("event_count", self.event_count_);
    visit("events_lost", self.events_lost_);
    visit("state", self.state_);
    visit("generation", self.generation_);
    visit("probing", self.probing_);
    visit("rejection_told", self.rejection_told_);
    visit("rule_told", self.rule_told_);
    visit("probes", self.probes_);
    visit("in_flight", self.in_flight_);
    visit("proofs", self.proofs_);
    visit("times_open", self.times_open_);
    visit("consecutive_failures", self.consecutive_failures_);
    visit("not_permitted", self.not_permitted_);
    visit("overdue", self.overdue_);
    visit("now", self.now_);
    visit("since", self.since_);
    visit("last_probe", self.last_probe_);
    visit("opened_at", self.opened_at_);
    visit("open_until", self.open_until_);
    visit("last_failure", self.last_failure_);
  };

 private:
  Duration bucket_width() const { return timed() ? options_.window_time / options_.window_buckets : Duration(1); }
  std::uint32_t buckets() const { return timed() ? options_.window_buckets : 1; }
  std::uint32_t window_size() const { return timed() ? 1 : options_.window_calls; }
  std::uint32_t most_probe_results() const {
    return std::max(options_.half_open_max_calls, options_.success_threshold);
  }
  bool timed() const { return options_.window_time > Duration{}; }
  bool counting() const { return state_ == BreakerState::closed || state_ == BreakerState::metrics_only; }
  bool due(Instant now) const;
  WindowCounts window() const;
  std::uint64_t needed_calls() const;
  bool reached(std::uint64_t part, std::uint64_t whole, double percent) const;
  TripRule broken_rule() const;
  bool slow(Duration took) const { return options_.slow_rate > 0 && took > options_.slow_above; }

  void settle(Instant now);
  void probe_time_over(Instant at);
  void judge(const Result& result);
  void judge_probe(const Result& result);
  void record(const Result& result);
  void enter(BreakerState to, BreakerReason reason, Instant at, TripRule rule = TripRule::none,
             std::optional<Duration> wait = std::nullopt);
  void clear_counts();
  Duration next_wait();
  std::unexpected<Rejected> reject(Rejected::Reason reason, Duration retry_after);
  void tell(BreakerEvent event);
  void keep(BreakerEvent event);

  BreakerOptions options_;
  BreakerRules rules_;
  CountWindow calls_;  // one of these two is the closed state's window
  TimeWindow times_;
  CountWindow probe_results_;  // of the half-open state
  Random random_;
  std::vector<BreakerEvent> events_;  // a ring
  std::uint64_t first_event_ = 0;
  std::uint64_t event_count_ = 0;
  std::uint64_t events_lost_ = 0;
  BreakerState state_ = BreakerState::closed;
  std::uint64_t generation_ = 1;
  bool probing_ = false;  // the counts are those of the half-open state (also after it has opened again)
  bool rejection_told_ = false;
  bool rule_told_ = false;   // in metrics_only
  std::int64_t probes_ = 0;  // places of the half-open state that are taken
  std::int64_t in_flight_ = 0;
  std::uint32_t proofs_ = 0;  // successes of the half-open state
  std::uint32_t times_open_ = 0;
  std::uint64_t consecutive_failures_ = 0;
  std::uint64_t not_permitted_ = 0;
  std::uint64_t overdue_ = 0;
  Instant now_ = kLongAgo;  // the latest that was told
  Instant since_ = kLongAgo;
  Instant last_probe_ = kLongAgo;
  Instant opened_at_ = kLongAgo;
  Instant open_until_ = kNever;
  Instant last_failure_ = kLongAgo;
};

}  // namespace homeostat
