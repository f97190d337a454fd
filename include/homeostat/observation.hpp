// What one run of a check saw, and the five statuses that follow from it.
#pragma once

#include <cstdint>
#include <string_view>

#include "homeostat/time.hpp"

namespace homeostat {

/// The outcome of one check run. `unknown` means that we could not look (our fault), never that the target failed.
enum class Result : std::uint8_t { success, degraded, failure, timeout, unknown };

/// Why a run ended as it did. The part up to `other` speaks of the target, the part after it of ourselves.
enum class Reason : std::uint8_t {
  none,
  exited,          // the process ended; code: exit status, or -1 when nobody could tell
  signalled,       // the process was killed; code: signal number
  refused,         // connection refused
  reset,           // connection reset or closed before an answer
  unreachable,     // no route, host down, network down
  timed_out,       // no (complete) answer within the timeout
  wrong_status,    // code: the HTTP status received
  wrong_body,      // the answer does not contain or match what is expected
  garbage,         // not the protocol that was asked for
  too_large,       // the answer is longer than we are willing to read
  too_slow,        // answered, but above the latency bound; code: milliseconds
  exit_code,       // an exec check's exit status; code: that status
  not_found,       // a file that must exist does not
  stale,           // a file is older than it may be; code: age in seconds
  tls,             // handshake or verification failed
  other,           // the target's fault, none of the above
  no_descriptors,  // we ran out of file descriptors or processes
  no_resolver,     // the name could not be resolved (no answer, or no such name)
  internal,        // our own fault, none of the above
  reported,        // somebody else says so: an alert, a figure that a Prometheus computes
};

struct Observation {
  Result result = Result::unknown;
  Reason reason = Reason::none;
  std::int32_t code = 0;
  Duration latency{};

  constexpr bool good() const { return result == Result::success || result == Result::degraded; }
  constexpr bool bad() const { return result == Result::failure || result == Result::timeout; }
  /// Direct evidence comes from the target itself (its exit, its answer); indirect evidence (a time-out, an
  /// unreachable host, what others say) could as well be a fault somewhere else.
  constexpr bool direct() const {
    return result == Result::failure && reason != Reason::timed_out && reason != Reason::unreachable &&
           reason != Reason::reported;
  }

  /// Names every field once, for saving, loading and hashing.
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("result", self.result);
    visit("reason", self.reason);
    visit("code", self.code);
    visit("latency", self.latency);
  };
};

/// The status of a check, an instance or a service. Everything else (flapping, paused …) is a flag beside it.
enum class Status : std::uint8_t { unknown, healthy, degraded, unhealthy, critical };

/// What a check is for: `alive` may repair, `ready` gates traffic and capacity, `watch` only shows.
enum class Role : std::uint8_t { alive, ready, watch };

/// What a check observes: one instance, or the service as a whole.
enum class Scope : std::uint8_t { instance, service };

std::string_view to_string(Result result);
std::string_view to_string(Reason reason);
std::string_view to_string(Status status);
std::string_view to_string(Role role);
std::string_view to_string(Scope scope);

}  // namespace homeostat
