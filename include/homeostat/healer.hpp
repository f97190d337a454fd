// A Healer looks after parts of a C++ program: it runs checks, and repairs what they find, until they prove it well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/healing.hpp"
#include "homeostat/strategy.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// The machine's steady clock as engine time, for run_once. Healer::run uses it.
Instant steady_now();

struct HealerOptions {
  /// Called when a ladder is spent; must return within the timeout to be told again.
  std::function<void(const Escalation&)> escalate{};
  Duration escalation_timeout = std::chrono::seconds(30);
  std::size_t history = 1024;  // events kept; older ones are dropped
  /// Spreads phases and back-off. Give copies of a program different seeds.
  std::uint64_t seed = 0;
};

/// Runs checks on their grids and remedies down their ladders.
///
/// Callables run on threads of the Healer, as many as calls are under way: one that hangs delays no other. A look that
/// outlives its timeout counts as a time-out, again at every later point of its grid until it returns, and what it
/// returns then is dropped; nothing is started twice at once. A callable that throws has failed. All functions may
/// be called from any thread, also from callables.
class Healer {
 public:
  explicit Healer(HealerOptions options = {});
  /// Waits for callables that are still running: they may use what the program destroys next.
  ~Healer();
  Healer(const Healer&) = delete;
  Healer& operator=(const Healer&) = delete;

  /// Makes a way to repair known to the checks that are added later. The error says what is wrong with it.
  [[nodiscard]] std::expected<void, std::string> register_strategy(Strategy strategy);

  /// Registers a check; possible at any time. The error says what is wrong with it.
  [[nodiscard]] std::expected<void, std::string> add(Check check);

  /// Does everything that is due at `now` and returns when each call has answered or timed out, with the time of the
  /// next due thing. A new check is due at once; missed runs are not made up for. `now` may come from any clock that
  /// does not go back; while another thread drives this Healer, nothing is done.
  Instant run_once(Instant now);

  /// Works in real time until `stop` is requested. First looks are spread over the interval, then each check keeps its
  /// grid. Returns without waiting for running callables.
  void run(std::stop_token stop);

  std::vector<CheckState> states() const;
  std::optional<CheckState> state(std::string_view id) const;
  std::vector<HealingEvent> history() const;  // oldest first

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace homeostat
