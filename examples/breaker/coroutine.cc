// Around coroutines: the permit lives in the frame. A call that is cancelled counts neither as success nor failure.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <homeostat/breaker_coro.hpp>

// The least that a program needs to run coroutines; yours comes with its library.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};
struct Ready {  // anything that can be awaited
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return 7; }
};

Task ask(homeostat::Breaker& breaker, int& sum) {
  const auto answer = co_await homeostat::guarded(breaker, [] { return Ready{}; });
  if (answer) sum += *answer;
}

int main() {
  homeostat::Breaker breaker("prices");
  int sum = 0;
  for (int i = 0; i < 3; ++i) ask(breaker, sum);
  std::printf("%d\n", sum);
  return sum == 21 ? 0 : 1;
}
