// A circuit breaker for many threads: it stops calling what fails, and finds out by itself when it works again.
//
//   homeostat::Breaker breaker("payments", {.failure_rate = 50, .window_time = 10s});
//   auto receipt = breaker.call([&] { return client.pay(order); });
//   if (!receipt) return try_later(receipt.error().retry_after);
#pragma once

#include <concepts>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "homeostat/breaker_core.hpp"
#include "homeostat/breaker_time.hpp"

namespace homeostat {

/// What a classifier says of a result.
struct CallVerdict {
  CallOutcome outcome = CallOutcome::success;
  std::optional<Duration> retry_after{};
  CallVerdict(CallOutcome what) : outcome(what) {}  // NOLINT(google-explicit-constructor): an outcome is a verdict
  CallVerdict(CallOutcome what, Duration wait) : outcome(what), retry_after(wait) {}
};

/// A std::expected without a value has failed, everything else succeeded.
struct DefaultClassifier {
  template <class T>
  CallVerdict operator()(const T& result) const {
    if constexpr (requires {
                    { result.has_value() } -> std::convertible_to<bool>;
                    result.error();
                  }) {
      return result.has_value() ? CallOutcome::success : CallOutcome::failure;
    } else {
      return CallOutcome::success;
    }
  }
};

/// What is thrown has failed.
struct ThrownHasFailed {
  CallVerdict operator()(const std::exception_ptr&) const { return CallOutcome::failure; }
};

template <class Clock>
class BasicBreaker {
 public:
  /// The right to make one call. Say what became of it, on any thread; without a verdict it counts as ignored. It must
  /// not outlive its breaker.
  class [[nodiscard]] Permit {
   public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), gate_(other.gate_), began_(other.began_) {}
    Permit& operator=(Permit&& other) noexcept {
      if (this == &other) return *this;
      ignore();
      breaker_ = std::exchange(other.breaker_, nullptr);
      gate_ = other.gate_;
      began_ = other.began_;
      return *this;
    }
    ~Permit() { ignore(); }

    void success() noexcept {
      if (BasicBreaker* breaker = std::exchange(breaker_, nullptr)) breaker->succeeded(gate_, began_);
    }
    void failure() noexcept { finish({CallOutcome::failure, {}, {}}); }
    /// A failure whose answer says when to come again.
    void failure(Duration retry_after) noexcept { finish({CallOutcome::failure, {}, retry_after}); }
    void ignore() noexcept {
      if (breaker_ != nullptr) finish({CallOutcome::ignored, {}, {}});
    }
    void finish(const CallVerdict& verdict) noexcept {
      if (verdict.outcome == CallOutcome::success) return success();
      finish(BreakerMachine::Result{verdict.outcome, {}, verdict.retry_after});
    }

   private:
    friend class BasicBreaker;
    Permit(BasicBreaker* breaker, std::uint64_t gate, Instant began) noexcept
        : breaker_(breaker), gate_(gate), began_(began) {}
    void finish(const BreakerMachine::Result& result) noexcept {
      BasicBreaker* breaker = std::exchange(breaker_, nullptr);
      if (breaker != nullptr) breaker->core_.finish(gate_, began_, result, breaker->clock_.now());
    }

    BasicBreaker* breaker_;
    std::uint64_t gate_;
    Instant began_;  // only told where slow calls matter
  };

  using Listener = breaker_detail::Core::Listener;
  template <class F>
  using Returned = std::remove_cvref_t<std::invoke_result_t<F>>;

  /// Bad options throw std::invalid_argument, which names the field. The listener hears every event in order, outside
  /// any lock, on the thread that caused it or one that is delivering already; it may use the breaker.
  explicit BasicBreaker(std::string name, const BreakerOptions& options = {}, Listener listener = {}, Clock clock = {})
      : core_(std::move(name), options, std::move(listener)), clock_(std::move(clock)) {}

  /// The same without exceptions.
  static std::expected<std::unique_ptr<BasicBreaker>, std::string> make(std::string name,
                                                                        const BreakerOptions& options = {},
                                                                        Listener listener = {}, Clock clock = {}) {
    if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid.error()));
    return std::make_unique<BasicBreaker>(std::move(name), options, std::move(listener), std::move(clock));
  }

  std::expected<Permit, Rejected> try_acquire() noexcept {
    namespace gate = breaker_detail::gate;
    const std::uint64_t seen = core_.gate();
    if ((seen & (gate::kAdmits | gate::kTracked)) == gate::kAdmits) [[likely]] {
      core_.count(&breaker_detail::Shard::started);
      return Permit(this, seen, {});
    }
    const Answer answer = acquire_timed(seen);
    if ((answer.gate & gate::kRefused) == 0) return Permit(this, answer.gate, Instant(Duration(answer.span)));
    const auto reason = static_cast<Rejected::Reason>(answer.gate >> gate::kGenerationShift);
    return std::unexpected(Rejected{reason, Duration(answer.span)});
  }

  /// Calls `f` if a permit is to be had. `classify` judges what it returns, `classify_thrown` what it throws, which
  /// passes through.
  template <class F, class Classify = DefaultClassifier, class ClassifyThrown = ThrownHasFailed>
  auto call(F&& f, Classify&& classify = {}, [[maybe_unused]] ClassifyThrown&& classify_thrown = {})
      -> std::expected<Returned<F>, Rejected> {
    auto permit = try_acquire();
    if (!permit) [[unlikely]]
      return std::unexpected(permit.error());
#ifdef __cpp_exceptions
    try {
      return called(*permit, std::forward<F>(f), classify);
    } catch (...) {
      permit->finish(CallVerdict(classify_thrown(std::current_exception())));
      throw;
    }
#else
    return called(*permit, std::forward<F>(f), classify);
#endif
  }

  /// Changes nothing: an open breaker whose wait is over shows as probe_due.
  BreakerState state() const noexcept { return core_.state(clock_.now()); }
  BreakerStatus status() { return core_.status(clock_.now()); }
  const std::string& name() const noexcept { return core_.name(); }
  BreakerOptions options() const { return core_.options(); }

  /// By hand; see BreakerMachine::force.
  bool force(BreakerState to) { return core_.force(to, clock_.now()); }
  /// Other options, the same state. `slow_above` is fixed when the breaker is made.
  std::expected<void, std::string> reconfigure(const BreakerOptions& options) {
    return core_.reconfigure(options, clock_.now());
  }
  /// What time alone changes: calls that are overdue, probes that are lost. Calls do this by the way; use it where a
  /// breaker with slow_rate may see no calls for a while.
  void poll() { core_.poll(clock_.now()); }
  /// The oldest event that has not been taken, where there is no listener.
  std::optional<BreakerEvent> take_event() { return core_.take_event(); }

 private:
  /// In two registers: a gate and when the call began, or gate::kRefused with the reason, and when to ask again.
  struct Answer {
    std::uint64_t gate;
    std::int64_t span;
  };
  static Answer refused(Rejected::Reason reason, Duration retry_after) noexcept {
    namespace gate = breaker_detail::gate;
    return {gate::kRefused | static_cast<std::uint64_t>(reason) << gate::kGenerationShift, retry_after.count()};
  }

  [[gnu::noinline]] Answer acquire_timed(std::uint64_t seen) noexcept {
    namespace gate = breaker_detail::gate;
    const Instant now = clock_.now();
    const Instant until = core_.until();
    const bool unchanged = now < until && core_.gate() == seen;
    if (unchanged && (seen & gate::kRejects) != 0) {
      core_.count(&breaker_detail::Shard::rejected);
      return refused(Rejected::Reason::open, until - now);
    }
    const std::int64_t began = now.time_since_epoch().count();
    if (unchanged && (seen & gate::kAdmits) != 0) {
      core_.begin_tracked(now);
      core_.count(&breaker_detail::Shard::started);
      return {seen, began};
    }
    const auto admitted = core_.acquire(now);
    return admitted ? Answer{*admitted, began} : refused(admitted.error().reason, admitted.error().retry_after);
  }

  /// The clock where that is a load, else kNever: then the slower path looks.
  Instant quick_now() const noexcept {
    if constexpr (requires { clock_.quick_now(); }) {
      return clock_.quick_now();
    } else {
      return kNever;
    }
  }

  void succeeded(std::uint64_t admitted, Instant began) noexcept {
    namespace gate = breaker_detail::gate;
    if ((admitted & (gate::kAdmits | gate::kTracked)) == gate::kAdmits && core_.gate() == admitted) [[likely]] {
      if ((admitted & gate::kTimed) == 0 || quick_now() < core_.until()) [[likely]] {
        return core_.count(&breaker_detail::Shard::succeeded);
      }
    }
    succeeded_timed(admitted, began);
  }

  [[gnu::noinline]] void succeeded_timed(std::uint64_t admitted, Instant began) noexcept {
    namespace gate = breaker_detail::gate;
    const Instant now = clock_.now();
    const bool tracked = (admitted & gate::kTracked) != 0;
    const bool safe = (admitted & gate::kAdmits) != 0 && now < core_.until() && core_.gate() == admitted;
    if (!safe || (tracked && now - began > core_.slow_above())) {
      return core_.finish(admitted, began, {CallOutcome::success, {}, {}}, now);
    }
    if (tracked) core_.end_tracked(began);
    core_.count(&breaker_detail::Shard::succeeded);
  }

  template <class F, class Classify>
  static auto called(Permit& permit, F&& f, Classify& classify) -> std::expected<Returned<F>, Rejected> {
    if constexpr (std::is_void_v<Returned<F>>) {
      std::invoke(std::forward<F>(f));
      permit.success();
      return {};
    } else {
      Returned<F> result = std::invoke(std::forward<F>(f));
      permit.finish(CallVerdict(classify(std::as_const(result))));
      return result;
    }
  }

  breaker_detail::Core core_;
  [[no_unique_address]] Clock clock_;
};

/// Told the time by a ticker of the program, or the coarse clock when there is none.
using Breaker = BasicBreaker<SharedTick>;

}  // namespace homeostat
