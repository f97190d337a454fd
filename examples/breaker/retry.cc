// With retries: they stand outside, each try is a call of its own, and a rejection ends them.
#include <chrono>
#include <cstdio>
#include <expected>
#include <homeostat/breaker.hpp>
#include <thread>

using namespace std::chrono_literals;

template <class F>
auto with_retries(homeostat::Breaker& breaker, int tries, F f) {
  for (;;) {
    auto answer = breaker.call(f);
    const bool rejected = !answer;  // somebody has found out already that it does not work
    if (rejected || answer->has_value() || --tries == 0) return answer;
    std::this_thread::sleep_for(10ms);
  }
}

int main() {
  homeostat::BreakerOptions options;
  options.consecutive_failures = 4;
  homeostat::Breaker breaker("search", options);
  int calls = 0;
  const auto search = [&]() -> std::expected<int, int> {
    ++calls;
    return std::unexpected(500);
  };
  for (int i = 0; i < 10; ++i) (void)with_retries(breaker, 3, search);
  std::printf("%d calls instead of 30\n", calls);
  return calls == 4 ? 0 : 1;
}
