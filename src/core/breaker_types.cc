#include "homeostat/breaker_types.hpp"

#include <array>
#include <cmath>

#include "core/pick.hpp"

namespace homeostat {
namespace {

constexpr std::uint32_t kMostCalls = 1'000'000;  // 8 bytes each
constexpr Duration kLongest = std::chrono::hours(24 * 365);

/// Collects the first fault.
class Faults {
 public:
  void number(std::string_view field, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value >= least && value <= most) return;
    add(field, std::to_string(value), "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  void rate(std::string_view field, double value) {
    if (value >= 0 && value <= 100) return;  // also refuses what is not a number
    add(field, std::to_string(value), "from 0 to 100 percent");
  }
  void span(std::string_view field, Duration value, Duration least) {
    if (value >= least && value <= kLongest) return;
    add(field, std::to_string(value.count()) + " ns",
        least > Duration{} ? "positive and at most a year" : "0 or positive, and at most a year");
  }
  void because(std::string_view field, bool wrong, std::string why) {
    if (wrong && said_.empty()) said_ = std::string(field) + ": " + std::move(why);
  }
  std::expected<void, std::string> result() const {
    if (said_.empty()) return {};
    return std::unexpected(said_);
  }

 private:
  void add(std::string_view field, const std::string& value, const std::string& wanted) {
    because(field, true, value + " is not " + wanted);
  }
  std::string said_;
};

}  // namespace

std::string_view to_string(BreakerState state) {
  static constexpr std::array<std::string_view, 7> kNames{"closed",   "open",         "half_open", "forced_open",
                                                          "disabled", "metrics_only", "probe_due"};
  return pick(kNames, state);
}

std::string_view to_string(TripRule rule) {
  static constexpr std::array<std::string_view, 4> kNames{"none", "consecutive_failures", "failure_rate", "slow_rate"};
  return pick(kNames, rule);
}

std::string_view to_string(BreakerReason reason) {
  static constexpr std::array<std::string_view, 6> kNames{"tripped",      "waited",    "proved",
                                                          "probe_failed", "timed_out", "forced"};
  return pick(kNames, reason);
}

std::string_view to_string(Rejected::Reason reason) {
  static constexpr std::array<std::string_view, 3> kNames{"open", "probing", "forced_open"};
  return pick(kNames, reason);
}

std::expected<void, std::string> validate(const BreakerOptions& o) {
  Faults faults;
  faults.rate("failure_rate", o.failure_rate);
  faults.rate("slow_rate", o.slow_rate);
  faults.because("failure_rate", o.consecutive_failures == 0 && o.failure_rate == 0 && o.slow_rate == 0,
                 "set it, slow_rate or consecutive_failures: with all of them off the breaker would never open");
  faults.span("slow_above", o.slow_above, Duration{});
  faults.because("slow_above", o.slow_rate > 0 && o.slow_above == Duration{}, "slow_rate needs it");
  faults.number("window_calls", o.window_calls, 1, kMostCalls);
  faults.span("window_time", o.window_time, Duration{});
  faults.number("window_buckets", o.window_buckets, 1, 10'000);
  const bool timed = o.window_time > Duration{};
  faults.because("window_buckets", timed && o.window_time / o.window_buckets < std::chrono::milliseconds(1),
                 "a part of window_time must be 1 ms or longer");
  faults.number("min_calls", o.min_calls, 1, kMostCalls);
  faults.because("min_calls", !timed && o.min_calls > o.window_calls && (o.failure_rate > 0 || o.slow_rate > 0),
                 std::to_string(o.min_calls) + " never fit into window_calls " + std::to_string(o.window_calls));
  faults.span("open_for", o.open_for, Duration(1));
  faults.because("open_factor", !(o.open_factor >= 1 && o.open_factor <= 100), "is not from 1 to 100");
  faults.span("open_cap", o.open_cap, Duration(1));
  faults.rate("open_jitter", o.open_jitter);
  faults.number("half_open_max_calls", o.half_open_max_calls, 1, 10'000);
  faults.number("success_threshold", o.success_threshold, 1, 10'000);
  faults.span("half_open_for", o.half_open_for, Duration(1));
  faults.number("events", o.events, 1, kMostCalls);
  return faults.result();
}

}  // namespace homeostat
