// The circuit breaker around coroutines: the permit lives in the coroutine's frame, so that a call that is cancelled
// (its frame destroyed) gives its place back and counts as ignored.
//
//   auto receipt = co_await homeostat::guarded(breaker, [&] { return client.pay(order); });
//
// Tested with clang; g++ 12 has defects in its coroutines.
#pragma once

#include <coroutine>
#include <exception>
#include <expected>
#include <optional>
#include <type_traits>
#include <utility>

#include "homeostat/breaker.hpp"

namespace homeostat {

namespace breaker_detail {

template <class Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
  if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
    return std::forward<Awaitable>(awaitable).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<Awaitable>(awaitable)); }) {
    return operator co_await(std::forward<Awaitable>(awaitable));
  } else {
    return std::forward<Awaitable>(awaitable);
  }
}

/// What `co_await f()` gives.
template <class F>
using Awaited = std::remove_cvref_t<decltype(awaiter_of(std::declval<std::invoke_result_t<F&>>()).await_resume())>;

}  // namespace breaker_detail

/// A call that begins when it is awaited. Not awaited, it never happens; destroyed, it is ignored.
template <class T>
class [[nodiscard]] Guarded {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    Guarded get_return_object() noexcept { return Guarded(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Resume {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(Handle ended) noexcept { return ended.promise().awaiting; }
        void await_resume() noexcept {}
      };
      return Resume{};
    }
    void return_value(std::expected<T, Rejected> value) { result = std::move(value); }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }

    std::coroutine_handle<> awaiting = std::noop_coroutine();
    std::optional<std::expected<T, Rejected>> result;
    std::exception_ptr thrown;
  };

  Guarded(Guarded&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Guarded& operator=(Guarded&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Guarded() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    frame_.promise().awaiting = awaiting;
    return frame_;
  }
  std::expected<T, Rejected> await_resume() {
    if (frame_.promise().thrown) std::rethrow_exception(frame_.promise().thrown);
    return std::move(*frame_.promise().result);
  }

 private:
  explicit Guarded(Handle frame) noexcept : frame_(frame) {}
  Handle frame_;
};

/// Awaits `f()` if the breaker admits it; the classifiers are those of BasicBreaker::call. The breaker must outlive the
/// call.
template <class Clock, class F, class Classify = DefaultClassifier, class ClassifyThrown = ThrownHasFailed>
Guarded<breaker_detail::Awaited<F>> guarded(BasicBreaker<Clock>& breaker, F f, Classify classify = {},
                                            ClassifyThrown classify_thrown = {}) {
  auto permit = breaker.try_acquire();
  if (!permit) co_return std::unexpected(permit.error());
  try {
    if constexpr (std::is_void_v<breaker_detail::Awaited<F>>) {
      co_await f();
      permit->success();
      co_return {};
    } else {
      auto result = co_await f();
      permit->finish(CallVerdict(classify(std::as_const(result))));
      co_return result;
    }
  } catch (...) {
    permit->finish(CallVerdict(classify_thrown(std::current_exception())));
    throw;
  }
}

}  // namespace homeostat
