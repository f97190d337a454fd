// The record of a circuit breaker between the engine and something it depends on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat::engine {

/// A breaker has changed its state: "exec:web/restart" stands before a command of the service web, "notify:oncall"
/// before a notifier, "traffic:web/0" before the requests that a proxy leads to an instance.
struct BreakerChanged {
  static constexpr std::string_view kType = "breaker";
  static constexpr bool kCritical = true;
  std::string breaker;
  std::uint64_t identity = 0;  // of what is behind it: another command deserves another try
  std::string from;
  std::string to;
  std::string reason;
  std::uint64_t failures = 0;       // in a row, before the change
  std::uint64_t not_permitted = 0;  // before the change
  std::uint32_t times_open = 0;     // in a row
  Instant probe_at = kNever;        // open: when the next call is admitted, as a probe
  std::uint64_t calls = 0;          // in the window, before the change
  std::uint64_t failed = 0;         // of them
  static constexpr auto fields = [](auto& self, auto& v) {
    v("breaker", self.breaker);
    v("identity", self.identity);
    v("from", self.from);
    v("to", self.to);
    v("reason", self.reason);
    v("failures", self.failures);
    v("not_permitted", self.not_permitted);
    v("times_open", self.times_open);
    v("probe_at", self.probe_at);
    v("calls", self.calls);
    v("failed", self.failed);
  };
};

}  // namespace homeostat::engine
