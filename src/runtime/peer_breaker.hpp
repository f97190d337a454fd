// The circuit breaker before somebody who runs instances for us: who does not answer again and again is asked less
// often.
#pragma once

#include <optional>
#include <string_view>

#include "homeostat/breaker_machine.hpp"

namespace homeostat::runtime {

class PeerBreaker {
 public:
  /// Whether to ask now; `ended` says what came of it.
  bool admits(Instant now) {
    if (const auto ticket = machine_.acquire(now)) ticket_ = *ticket;
    return ticket_.has_value();
  }
  /// Of what was asked, or of a connection that stood until now.
  void ended(bool well, Instant now) {
    if (!ticket_ && !admits(now)) return;
    machine_.finish(*ticket_, {well ? CallOutcome::success : CallOutcome::failure}, now);
    ticket_.reset();
  }
  /// When to ask again, where one would wait so long for somebody who answers.
  Instant next(Instant now, Duration usual) const {
    return machine_.state() == BreakerState::open ? machine_.open_until() : later(now, usual);
  }
  /// After what is wrong with it.
  std::string_view words() const {
    return machine_.state() == BreakerState::closed ? ""
                                                    : "; it does not answer again and again, and is asked less often";
  }

 private:
  static BreakerOptions options() {
    BreakerOptions options;
    options.consecutive_failures = 3;
    options.failure_rate = 0;
    options.min_calls = 1;
    options.open_for = std::chrono::seconds(1);
    options.open_factor = 2;
    options.open_cap = std::chrono::seconds(30);
    options.half_open_max_calls = 1;
    options.success_threshold = 1;
    options.half_open_for = std::chrono::hours(1);  // every question ends long before
    options.events = 1;
    return options;
  }

  BreakerMachine machine_{options()};
  std::optional<BreakerMachine::Ticket> ticket_;
};

}  // namespace homeostat::runtime
