// The words of the circuit breaker: its states, its options, what it tells.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat {

/// `probe_due` is only ever shown, never stored: open, and the next call will be a probe.
enum class BreakerState : std::uint8_t { closed, open, half_open, forced_open, disabled, metrics_only, probe_due };
std::string_view to_string(BreakerState state);

/// What became of a call. `ignored` is neither: cancelled by us, or not meant for the other side.
enum class CallOutcome : std::uint8_t { success, failure, ignored };

/// A rule that a breaker's counts have broken.
enum class TripRule : std::uint8_t { none, consecutive_failures, failure_rate, slow_rate };
std::string_view to_string(TripRule rule);

/// Why a state changed.
enum class BreakerReason : std::uint8_t {
  tripped,       // closed -> open; `rule` says which
  waited,        // open -> half_open: the wait is over and a call came
  proved,        // half_open -> closed
  probe_failed,  // half_open -> open
  timed_out,     // half_open -> open or closed: no verdict in time (only where another library is imitated)
  forced,        // by hand
};
std::string_view to_string(BreakerReason reason);

/// When a breaker opens, for how long, and what closes it. Rules combine: the first that is broken opens it.
struct BreakerOptions {
  // Trip rules.
  std::uint32_t consecutive_failures = 0;  // this many failures in a row; 0: off
  double failure_rate = 50;                // percent of the window's calls that failed; 0: off
  double slow_rate = 0;   // percent that took longer than slow_above, also while still under way; 0: off
  Duration slow_above{};  // needed by slow_rate

  // The window that the rates look at: the last N calls, or, when window_time is set, the last T.
  std::uint32_t window_calls = 100;
  Duration window_time{};
  std::uint32_t window_buckets = 10;  // parts of window_time; the oldest is forgotten as a whole
  std::uint32_t min_calls = 20;       // below this many calls in the window no rate is judged

  // How long it stays open: open_for, then times open_factor for every further time in a row.
  Duration open_for = std::chrono::seconds(30);
  double open_factor = 1;
  Duration open_cap = std::chrono::minutes(10);
  double open_jitter = 0;  // percent around the wait

  // Half-open: at most so many probes at once; so many successes close it, the first failure opens it again.
  std::uint32_t half_open_max_calls = 3;
  std::uint32_t success_threshold = 2;
  /// True: after success_threshold results failure_rate and slow_rate decide, not the first failure.
  bool half_open_by_rate = false;
  /// Probes that have not come back by then are given up and their places are free again.
  Duration half_open_for = std::chrono::seconds(60);

  std::uint32_t events = 32;  // kept until they are taken; then the oldest are dropped, and that is told
  std::uint64_t seed = 0;     // of the jitter; give copies of a program different ones

  friend bool operator==(const BreakerOptions&, const BreakerOptions&) = default;
};

/// Nothing, or what is wrong: the field, its value and what it may be.
std::expected<void, std::string> validate(const BreakerOptions& options);

/// Rules of other libraries where they differ from ours; every default is ours.
struct BreakerRules {
  bool keep_late_results = false;    // a result counts for the state that is current when it comes
  bool strictly_after = false;       // a probe is admitted after the wait, not at its very end
  bool spend_probes = false;         // half_open_max_calls in all; a result does not make room for another
  bool whole_milliseconds = false;   // waits are cut to milliseconds
  bool watch_never_opens = false;    // metrics_only is followed by neither open nor half_open, by hand either
  bool half_open_to_open = false;    // after half_open_for without a verdict: open,
  bool half_open_to_closed = false;  // or closed; with neither, lost probes are given back
};

/// Why a call was not admitted, and when to ask again.
struct Rejected {
  enum class Reason : std::uint8_t { open, probing, forced_open };
  Reason reason = Reason::open;
  /// Until a probe is admitted; zero while probes are under way (soon); Duration::max() while it is forced open.
  Duration retry_after{};
};
std::string_view to_string(Rejected::Reason reason);

/// What has been counted since the counts were last cleared: by becoming closed, half-open or anything by hand.
/// While it is open these are the counts that opened it.
struct BreakerCounts {
  std::uint64_t calls = 0;  // in the window
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  std::uint64_t consecutive_failures = 0;
  std::uint64_t not_permitted = 0;
  friend bool operator==(const BreakerCounts&, const BreakerCounts&) = default;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("calls", self.calls);
    visit("failures", self.failures);
    visit("slow", self.slow);
    visit("consecutive_failures", self.consecutive_failures);
    visit("not_permitted", self.not_permitted);
  };
};

struct BreakerEvent {
  enum class Kind : std::uint8_t {
    changed,      // `from` -> `to` because of `reason`; `counts` as they were before
    threshold,    // `rule` is broken (in metrics_only nothing follows)
    rejected,     // the first call that this state does not admit; counts.not_permitted counts them
    probes_lost,  // half_open_for is over: `probes` did not come back
  };
  Kind kind = Kind::changed;
  BreakerState from = BreakerState::closed;
  BreakerState to = BreakerState::closed;
  BreakerReason reason = BreakerReason::tripped;
  TripRule rule = TripRule::none;
  std::uint32_t probes = 0;
  std::uint64_t lost = 0;  // events dropped before this one
  Instant at{};
  Duration wait{};  // to == open: until a probe
  BreakerCounts counts;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("kind", self.kind);
    visit("from", self.from);
    visit("to", self.to);
    visit("reason", self.reason);
    visit("rule", self.rule);
    visit("probes", self.probes);
    visit("lost", self.lost);
    visit("at", self.at);
    visit("wait", self.wait);
    visit("counts", self.counts);
  };
};

struct BreakerStatus {
  std::string name;
  BreakerState state = BreakerState::closed;
  std::uint64_t calls = 0;
  std::uint64_t success_count = 0;
  std::uint64_t failure_count = 0;
  std::uint64_t slow_count = 0;
  std::uint64_t consecutive_failures = 0;
  std::optional<double> failure_rate;  // percent; nothing below min_calls
  std::optional<double> slow_rate;
  std::uint64_t in_flight = 0;
  std::uint64_t overdue = 0;  // of those: longer than slow_above (only with slow_rate)
  std::uint64_t not_permitted = 0;
  std::uint32_t times_open = 0;  // in a row, since it was last closed
  Instant last_failure_time = kLongAgo;
  Instant opened_at = kLongAgo;
  Instant probe_at = kNever;  // while open
};

}  // namespace homeostat
